"""One row of a former tool becomes a customer, a referral or an opening balance, by the rules that all go by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.crypto import salted_hmac

from core.errors import Refused
from referrals.models import Customer
from referrals.people import is_email, normalize_email
from referrals.queries.people import customer_known_as
from referrals.services.customers import CustomerData, put_customer
from referrals.services.history import bind_from_history
from referrals.services.identities import Erased
from referrals.services.links import adopt_code, ensure_link
from rewards.importing.columns import CUSTOMERS, POINTS, REFERRALS
from rewards.importing.rows import Told
from rewards.models import HistoryImport, HistoryRow, Reward
from rewards.services.book import Book
from rewards.services.credits import needs_second_person
from rewards.services.importing.uploads import COMMAND

NEW, KNOWN, CHANGED, REFUSED = "new", "known", "changed", "refused"
CHANGES = ("state", "outcome", "column", "message", "points", "key", "customer", "referral", "transfer", "wrote")
_COLUMN_OF = {"/code": "code", "/occurred_at": "date", "/state": "state", "/points": "points"}


class RowRefused(Refused):
    """A row that the rules refuse; `pointer` names our column."""

    code = "row_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a row, and how many points it gave."""

    outcome: str
    points: int = 0


def apply_row(row: HistoryRow, told: Told, history: HistoryImport, *, at: datetime) -> None:
    """Do what the row says and save on it what came of it, in a savepoint. Raises `Refused`, nothing being done."""
    work = {CUSTOMERS: _customer, REFERRALS: _referral, POINTS: _opening_balance}[history.kind]
    blank_row(row)
    try:
        with transaction.atomic():
            applied = work(row, told, history, at)
            row.outcome, row.points = applied.outcome, applied.points
            row.save(update_fields=CHANGES)
    except IntegrityError:
        # Another import wrote the same row meanwhile: the database keeps it from being there twice.
        if not row.key or not _is_known(row.key, row):
            raise
        blank_row(row)
        row.outcome = KNOWN
        row.save(update_fields=CHANGES)


def blank_row(row: HistoryRow) -> None:
    """Forget, unsaved, what an earlier try has put on the row."""
    row.outcome, row.column, row.message, row.key, row.wrote, row.points = "", "", "", "", "", 0
    row.customer, row.referral, row.transfer = None, None, None


def column_of(refusal: Refused, kind: str) -> str:
    """Return our column that a refusal is about, or ''."""
    pointer = refusal.pointer
    if pointer.startswith("/customer/"):
        return "friend" if kind == REFERRALS else "external_id"
    return _COLUMN_OF.get(pointer, pointer.removeprefix("/"))


def find_customer(who: str, *, column: str) -> Customer | None:
    """Return the customer with that id, or the only one with that address; None where there is none.

    Raises `RowRefused` for an address of several, `Erased`.
    """
    customer = customer_known_as(who)
    if customer is None and is_email(who):
        found = list(Customer.objects.filter(email_normalized=normalize_email(who), erased_at=None)[:2])
        if len(found) > 1:
            raise RowRefused("several customers have this address: expected your own id", pointer=f"/{column}")
        customer = found[0] if found else None
    if customer is not None and customer.erased_at is not None:
        raise Erased("this customer was erased", pointer=f"/{column}")
    return customer


def _known_customer(who: str, *, column: str) -> Customer:
    customer = find_customer(who, column=column)
    if customer is None:
        raise RowRefused("no customer has this id or address: import the customers first", pointer=f"/{column}")
    return customer


def _customer(row: HistoryRow, told: Told, history: HistoryImport, at: datetime) -> Applied:
    known = find_customer(told.who or told.email, column="external_id")
    if known is None and not told.who:
        raise RowRefused("no customer has this address: expected your own id, too", pointer="/external_id")
    external_id = known.external_id if known else told.who
    wrote = _differences(known, told.about)
    if known is None or wrote:
        attributes = told.about.get("attributes")
        joined = {**(known.attributes if known else {}), **attributes} if attributes else None
        data = CustomerData(**{**told.about, "attributes": joined})
        known, created = put_customer(external_id=external_id, data=data, at=at)
        outcome = NEW if created else CHANGED
    else:
        outcome = KNOWN
    row.customer = known
    if told.code and _adopt(row, known, told.code, history, wrote) and outcome == KNOWN:
        outcome = CHANGED
    row.wrote = json.dumps(wrote, ensure_ascii=False)
    return Applied(outcome)


def _differences(known: Customer | None, about: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what the row changes of a customer: field -> [before, after]; None where there was nothing."""
    wrote: dict[str, list[Any]] = {}
    for name, value in about.items():
        if name == "attributes":
            held = known.attributes if known else {}
            changed = {key: [held.get(key), one] for key, one in value.items() if held.get(key) != one}
            wrote |= {f"attributes.{key}": pair for key, pair in changed.items()}
        elif (before := getattr(known, name) if known else "") != value:
            wrote[name] = [before, value]
    return wrote


def _adopt(row: HistoryRow, customer: Customer, code: str, history: HistoryImport, wrote: dict[str, list[Any]]) -> bool:
    if history.program is None:
        raise RowRefused("expected the program whose link the code is of", pointer="/code")
    if not adopt_code(link=ensure_link(customer=customer, program=history.program), code=code):
        return False
    wrote["code"] = [None, code]
    row.customer = customer
    return True


def _referral(row: HistoryRow, told: Told, history: HistoryImport, at: datetime) -> Applied:
    if history.program is None or told.on is None:
        raise RowRefused("expected a program and a date", pointer="/date")
    advocate = _known_customer(told.who, column="advocate")
    key = _key([REFERRALS, history.program.slug, advocate.pk, told.friend, told.settled, str(told.on)])
    row.customer = advocate
    if _is_known(key, row):
        return Applied(KNOWN)
    wrote: dict[str, list[Any]] = {}
    referral, new = bind_from_history(
        program=history.program,
        advocate=advocate,
        friend=_friend(told.friend),
        settled=told.settled,
        key=f"imported-{history.public_id}-{row.line}",
        reason=f"import of {history.file_name}",
        actor=history.actor,
        occurred_at=told.on,
        at=at,
    )
    row.referral = referral
    outcome = NEW if new else KNOWN
    if told.code and _adopt(row, advocate, told.code, history, wrote) and not new:
        outcome = CHANGED
    row.wrote = json.dumps(wrote, ensure_ascii=False)
    row.key = key if new else ""
    given = Reward.objects.filter(referral=referral, state__in=Reward.STANDING).aggregate(sum=Sum("points"))["sum"]
    return Applied(outcome, (given or 0) if new else 0)


def _friend(who: str) -> dict[str, str]:
    """Return the friend as facts name them: a known customer, a guest by address, or a new one by id."""
    known = find_customer(who, column="friend")
    if known is not None and not known.external_id.startswith("email:"):
        return {"external_id": known.external_id}
    return {"email": known.email if known else who} if is_email(who) else {"external_id": who}


def _opening_balance(row: HistoryRow, told: Told, history: HistoryImport, at: datetime) -> Applied:
    customer = _known_customer(told.who, column="customer")
    # Of two imports at once the second sees what the first gave.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    key = _key([POINTS, customer.pk, told.points, str(told.on), told.ordinal])
    row.customer = customer
    if _is_known(key, row):
        return Applied(KNOWN)
    if told.on is not None and told.on <= at:
        raise RowRefused("expected a day still to come", pointer="/expires")
    others = HistoryRow.objects.filter(customer=customer, history__kind=POINTS, state__in=HistoryRow.STANDING)
    earlier = others.exclude(history=history).exclude(key="").select_related("history").first()
    if earlier is not None:
        told_by = f"{earlier.history.file_name}, line {earlier.line}"
        raise RowRefused(f"has an opening balance already ({told_by}): undo that import first", pointer="/customer")
    if history.actor != COMMAND and needs_second_person(customer, told.points, at=at):
        most = settings.SECOND_PERSON_ABOVE_POINTS
        raise RowRefused(f"above {most:,} points need a second person: give them by hand", pointer="/points")
    row.key = key
    book = Book(customers=(customer.pk,), at=at, subject=f"customer:{customer.pk}")
    cause = {"key": f"{history.public_id}-{row.line}", "reason": f"opening balance, import of {history.file_name}"}
    row.transfer = book.credit(customer.pk, told.points, cause=cause, actor=history.actor, expires_at=told.on)
    book.close()
    return Applied(NEW, told.points)


def _key(parts: list[object]) -> str:
    """Return what the row is, once for ever: a keyed hash that says nothing of the person."""
    text = json.dumps(parts, ensure_ascii=False)
    return salted_hmac("rewards.imported_row", text, algorithm="sha256").hexdigest()


def _is_known(key: str, row: HistoryRow) -> bool:
    return HistoryRow.objects.filter(key=key, state__in=HistoryRow.STANDING).exclude(pk=row.pk).exists()
