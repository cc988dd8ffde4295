"""Points by hand, by two people where the company wants large ones so."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts.changes import ChangeKind, ask_change
from accounts.models import ChangeRequest, User
from core.errors import Invalid
from referrals.models import Customer
from referrals.services.identities import Erased
from rewards.models import Account, Transfer
from rewards.services.adjustments import MAX_POINTS, adjust_points, check_expiry

KIND = "credit"
COUNTED_TOGETHER = timedelta(hours=24)


@transaction.atomic
def give_points(
    *,
    customer: Customer,
    points: int,
    reason: str,
    actor: str,
    asker: User | None,
    at: datetime,
    expires_days: int | None = None,
) -> ChangeRequest | None:
    """Give or take points by hand, or ask a second person; return what waits for them, None where it is done.

    A credit waits where it is above SECOND_PERSON_ABOVE_POINTS together with what the customer was given by
    hand in the last 24 hours, so that it cannot be had in parts.
    """
    # Of several at once each sees what the others gave, so that a large credit cannot be had in parts.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if not needs_second_person(customer, points, at=at):
        _refuse_erased(customer)
        adjust_points(customer=customer, points=points, reason=reason, actor=actor, at=at, expires_days=expires_days)
        return None
    if points > MAX_POINTS or not reason.strip():
        raise Invalid(f"expected why, in words, and at most {MAX_POINTS:,} points", pointer="/reason")
    check_expiry(points, expires_days)
    _refuse_erased(customer)
    return ask_change(
        kind=KIND,
        subject=f"customer:{customer.pk}",
        title=f"Give {points:,} points to customer {customer.external_id}",
        payload={"points": points, "expires_days": expires_days},
        before={},
        reason=reason,
        actor=actor,
        asker=asker,
        at=at,
    )


def needs_second_person(customer: Customer, points: int, *, at: datetime) -> bool:
    """Tell whether a credit is above the size that one person may give."""
    most = settings.SECOND_PERSON_ABOVE_POINTS
    if most is None or points <= 0:
        return False
    lately = Transfer.objects.filter(
        kind=Transfer.Kind.ADJUST,
        credit__customer=customer,
        credit__kind=Account.Kind.AVAILABLE,
        event_at__gt=at - COUNTED_TOGETHER,
    )
    given: int = lately.aggregate(sum=Sum("amount"))["sum"] or 0
    return bool(points + given > most)


def _refuse_erased(customer: Customer) -> None:
    if customer.erased_at is not None:
        raise Erased("this customer was erased")


def _customer(change: ChangeRequest) -> Customer:
    return Customer.objects.get(pk=int(change.subject.removeprefix("customer:")))


def _lines(change: ChangeRequest) -> list[str]:
    days = change.payload.get("expires_days")
    until = f", which expire after {days} days" if days else ""
    return [f"{change.payload['points']:+,} points for {_customer(change)}{until}"]


def _conflict(change: ChangeRequest) -> str:
    return "the customer was erased" if _customer(change).erased_at is not None else ""


def _do(change: ChangeRequest, actor: str, at: datetime) -> None:
    adjust_points(
        customer=_customer(change),
        points=change.payload["points"],
        reason=change.reason,
        actor=actor,
        at=at,
        expires_days=change.payload.get("expires_days"),
    )


CREDIT = ChangeKind(
    label="points by hand", permission="rewards.change_account", lines=_lines, conflict=_conflict, do=_do
)
