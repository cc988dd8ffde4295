"""An import is taken back row by row: what nothing else has touched goes, the rest stays and says why."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Model, ProtectedError, QuerySet

from core.errors import Invalid
from messaging.models import Message
from referrals.emails import recipient_of
from referrals.models import Code, Customer, Link
from referrals.services.customers import CustomerData, put_customer
from referrals.services.history import MovedOn, undo_history
from referrals.services.links import drop_code
from rewards.importing.columns import ATTRIBUTE, CUSTOMERS, POINTS, REFERRALS
from rewards.models import Account, HistoryImport, HistoryRow, Lot
from rewards.services.book import Book
from rewards.services.importing.uploads import move_stage

UNDONE, KEPT = "undone", "kept"
_State = HistoryImport.State


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a row that is undone: whether all of it, else why not, and the points that were taken back."""

    all_of_it: bool
    why: str = ""
    points: int = 0


@transaction.atomic
def look_at_undo(*, history: HistoryImport, at: datetime) -> HistoryImport:
    """Have the worker find out what an undo would do; nothing is changed. Raises `WrongStage`."""
    move_stage(history, (_State.DONE, _State.UNDO_CHECKED), _State.UNDO_CHECKING, at=at)
    history.rows.exclude(undo="").update(undo="", undo_points=0, message="")
    return history


@transaction.atomic
def undo_import(*, history: HistoryImport, reason: str, actor: str, at: datetime) -> HistoryImport:
    """Have the import taken back; once undone, undoing again is refused. Raises `Invalid`, `WrongStage`."""
    if not reason.strip():
        raise Invalid("expected why, in words", pointer="/reason")
    why = f"{reason.strip()} ({actor})"[:200]
    move_stage(history, (_State.UNDO_CHECKED,), _State.UNDOING, at=at, undo_reason=why)
    return history


@transaction.atomic
def keep_import(*, history: HistoryImport) -> None:
    """Leave the import as it is after having looked at its undo; raises nothing where it is elsewhere."""
    HistoryImport.objects.filter(pk=history.pk, state=_State.UNDO_CHECKED).update(state=_State.DONE)


def undo_row(row: HistoryRow, history: HistoryImport, *, at: datetime) -> Undone:
    """Take back what a row did, as far as nothing has touched it since; say what stays and why."""
    with transaction.atomic():
        return {CUSTOMERS: _customer, REFERRALS: _referral, POINTS: _points}[history.kind](row, history, at)


def _points(row: HistoryRow, history: HistoryImport, at: datetime) -> Undone:
    transfer = row.transfer
    if transfer is None or transfer.credit.customer_id is None:
        return Undone(True)
    customer = transfer.credit.customer_id
    book = Book(customers=(customer,), at=at, subject=f"customer:{customer}")
    cause = {"key": f"{history.public_id}-{row.line}-undone", "reason": f"undone, import of {history.file_name}"}
    taken = book.take_credit_back(transfer, cause=cause, actor=history.actor)
    book.close()
    gone = transfer.amount - taken
    return Undone(
        not gone, f"{gone:,} of {transfer.amount:,} points are spent or expired and stay" if gone else "", taken
    )


def _referral(row: HistoryRow, history: HistoryImport, at: datetime) -> Undone:
    referral, taken = row.referral, row.points
    if referral is not None and row.key:
        spent = Lot.objects.filter(reward__referral=referral, remaining__lt=F("amount"))
        if spent.exists():
            return Undone(False, "points that the referral gave are spent")
        try:
            undo_history(referral=referral, note=f"import undone: {history.undo_reason}", actor=history.actor, at=at)
        except MovedOn as why:
            return Undone(False, why.detail)
    left = _give_code_back(row, history)
    return Undone(not left, left, taken)


def _give_code_back(row: HistoryRow, history: HistoryImport) -> str:
    """Take an adopted code back; return why it stays, or ''."""
    code = _wrote(row).get("code", [None, ""])[1]
    link = Link.objects.filter(customer=row.customer, program=history.program).first()
    if not code or link is None or not Code.objects.filter(link=link).exists():
        return ""
    return "" if drop_code(link=link, code=code) else f"the code {code} has been used since"


def _customer(row: HistoryRow, history: HistoryImport, at: datetime) -> Undone:
    customer = row.customer
    if customer is None:
        return Undone(True)
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if customer.erased_at is not None:
        return Undone(False, "this customer was erased")
    if row.outcome == "new":
        return _remove(row, customer, history)
    return _restore(row, customer, history, at)


def _remove(row: HistoryRow, customer: Customer, history: HistoryImport) -> Undone:
    """Remove a customer whom the import created, where nothing else knows them."""
    if changed := [
        name for name, (_, after) in _wrote(row).items() if name != "code" and _held(customer, name) != after
    ]:
        return Undone(False, f"changed since: {', '.join(changed)}")
    if touched := next(_traces(customer), ""):
        return Undone(False, f"has {touched} since")
    if left := _give_code_back(row, history):
        return Undone(False, left)
    try:
        with transaction.atomic():
            HistoryRow.objects.filter(customer=customer).update(customer=None)
            Code.objects.filter(link__customer=customer).delete()
            Link.objects.filter(customer=customer).delete()
            Account.objects.filter(customer=customer).delete()
            customer.delete()
    except ProtectedError:
        return Undone(False, "is known elsewhere since")
    row.customer = None
    return Undone(True)


def _traces(customer: Customer) -> Iterator[str]:
    """Yield what else is known of the customer: rows of any table, visits of their link, mails."""
    if Message.objects.filter(recipient_key=recipient_of(customer).key).exists():
        yield "mails"
    for relation in Customer._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or not relation.is_relation:
            continue
        rows: QuerySet[Model] = relation.related_model._base_manager.filter(  # type: ignore[union-attr]
            **{relation.field.name: customer}  # type: ignore[union-attr]
        )
        if _tells_something(rows).exists():
            yield str(rows.model._meta.verbose_name_plural)


def _tells_something(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Leave out what every customer gets by itself: empty accounts, links that nobody has followed or passed on."""
    if rows.model is HistoryRow:
        return rows.filter(history__kind__in=(REFERRALS, POINTS), state__in=HistoryRow.STANDING)
    if rows.model is Account:
        return rows.filter(seq__gt=0)
    if rows.model is Link:
        return rows.filter(clicks__isnull=False) | rows.filter(shares__isnull=False)
    return rows


def _restore(row: HistoryRow, customer: Customer, history: HistoryImport, at: datetime) -> Undone:
    """Give changed fields back that still hold what the import wrote."""
    wrote = _wrote(row)
    if not wrote:
        return Undone(False, "what it changed has been erased")
    fields = {name: pair for name, pair in wrote.items() if name != "code"}
    ours = {name: before for name, (before, after) in fields.items() if _held(customer, name) == after}
    data = {name: before or "" for name, before in ours.items() if not name.startswith(ATTRIBUTE)}
    attributes = dict(customer.attributes)
    for name, before in ours.items():
        key = name.removeprefix(ATTRIBUTE)
        if name.startswith(ATTRIBUTE) and before is None:
            attributes.pop(key, None)
        elif name.startswith(ATTRIBUTE):
            attributes[key] = before
    changed = attributes != customer.attributes
    put_customer(
        external_id=customer.external_id,
        data=CustomerData(**data, attributes=attributes if changed else None),
        at=at,
    )
    stays = [name for name in fields if name not in ours]
    told = [f"changed since: {', '.join(stays)}"] if stays else []
    left = _give_code_back(row, history)
    told += [left] if left else []
    return Undone(not told, "; ".join(told))


def _held(customer: Customer, name: str) -> Any:
    if name.startswith(ATTRIBUTE):
        return customer.attributes.get(name.removeprefix(ATTRIBUTE))
    return getattr(customer, name)


def _wrote(row: HistoryRow) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = json.loads(row.wrote) if row.wrote else {}
    return found
