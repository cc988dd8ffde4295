"""Replaying the lots: what opened them, what was drawn and given back, what expired, what was redeemed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum

from rewards.models import Account, Lot, LotUse, Redemption, Transfer
from rewards.sealing import grouped
from rewards.services.findings import CHUNK, Check, Finding

Kind = Account.Kind


def _lots_agree() -> Iterator[Finding]:
    """A lot is what its transfer brought; what is left of it and when it ends follow from its uses, in order."""
    uses = grouped(
        LotUse.objects.order_by("lot_id", "pk").values_list("lot_id", "pk", "amount", "extends_to").iterator(CHUNK)
    )
    rows = Lot.objects.order_by("pk").values_list(
        *("pk", "amount", "remaining", "expires_at", "account_id"),
        *("transfer__amount", "transfer__credit_id", "transfer__cause"),
    )
    for pk, amount, remaining, expires_at, account, brought, credit, cause in rows.iterator(CHUNK):
        if (amount, account) != (brought, credit):
            yield Finding(f"lot {pk}", f"{brought} points in account {credit}, found {amount} in account {account}")
        left, end = amount, _moment(cause.get("expires_at"))
        for use, drawn, extends_to in uses.of(pk):
            left, end = left - drawn, extends_to or end
            if not 0 <= left <= amount:
                yield Finding(f"lot use {use}", f"between 0 and {amount} left in lot {pk}, found {left}")
        if remaining != left:
            yield Finding(f"lot {pk}", f"{left} remaining (its uses), found {remaining}")
        if expires_at != end:
            yield Finding(f"lot {pk}", f"the end {end}, found {expires_at}")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _lots_are_opened() -> Iterator[Finding]:
    """Whatever makes points available opens a lot, but for what gives a redemption back."""
    brought = Transfer.objects.filter(credit__kind=Kind.AVAILABLE, reverses=None, lot=None).order_by("pk")
    for pk in brought.values_list("pk", flat=True)[:1]:
        yield Finding(f"transfer {pk}", "a lot of its points")


def _uses_agree() -> Iterator[Finding]:
    """A transfer out of available draws its amount from that account's lots; one that gives back, just as drawn."""
    available = set(Account.objects.filter(kind=Kind.AVAILABLE).values_list("pk", flat=True))
    uses = grouped(
        LotUse.objects.order_by("transfer_id", "pk")
        .values_list("transfer_id", "lot_id", "amount", "lot__account_id")
        .iterator(CHUNK)
    )
    redeemed: dict[int, dict[int, int]] = {}
    rows = Transfer.objects.order_by("pk").values_list(
        "pk", "kind", "amount", "debit_id", "credit_id", "reverses_id", "cause", "event_at"
    )
    for pk, kind, amount, debit, credit, reverses, cause, at in rows.iterator(CHUNK):
        found = uses.of(pk)
        drawn = {lot: points for lot, points, _ in found}
        if kind == Transfer.Kind.REDEEM and not reverses:
            redeemed[pk] = drawn
        wanted = amount if debit in available else -amount if reverses else 0
        if sum(drawn.values()) != wanted:
            yield Finding(f"transfer {pk}", f"{wanted} drawn from lots, found {sum(drawn.values())}")
        if any(account not in (debit, credit) for _, _, account in found):
            yield Finding(f"transfer {pk}", "to draw on lots of its own account")
        if reverses and drawn != {lot: -points for lot, points in redeemed.get(reverses, {}).items()}:
            yield Finding(f"transfer {pk}", f"to give back to the lots what transfer {reverses} drew")
        if kind == Transfer.Kind.EXPIRE and not _expires_rightly(drawn, cause, at):
            yield Finding(f"transfer {pk}", "to expire one lot after its last instant")


def _expires_rightly(drawn: dict[int, int], cause: dict[str, Any], at: datetime) -> bool:
    end = _moment(cause.get("expired_at"))
    return [str(lot) for lot in drawn] == [cause.get("lot")] and end is not None and end < at


def _redemptions_agree() -> Iterator[Finding]:
    """A redemption was paid once with its points, and got them back once where it was undone."""
    loose = Transfer.objects.filter(kind=Transfer.Kind.REDEEM, redemption=None).order_by("pk")
    for pk in loose.values_list("pk", flat=True)[:1]:
        yield Finding(f"transfer {pk}", "a redemption that it is for")
    moved: dict[int, list[Sequence[Any]]] = defaultdict(list)
    transfers = Transfer.objects.exclude(redemption=None).order_by("pk")
    for redemption, *rest in transfers.values_list("redemption_id", "amount", "reverses_id").iterator(CHUNK):
        moved[redemption].append(rest)
    rows = Redemption.objects.order_by("pk").values_list("pk", "points", "state")
    for pk, points, state in rows.iterator(CHUNK):
        paid = [amount for amount, reverses in moved[pk] if not reverses]
        back = [amount for amount, reverses in moved[pk] if reverses]
        if paid != [points] or back != ([] if state in Redemption.STANDING else [points]):
            yield Finding(f"redemption {pk}", f"{points} points paid once, {state}; found {paid} paid, {back} back")


def _available_is_its_lots() -> Iterator[Finding]:
    """What is available is what remains in lots; nobody has both points and a debt."""
    rows = Account.objects.filter(kind=Kind.AVAILABLE).annotate(lots_hold=Sum("lots__remaining")).order_by("pk")
    for pk, balance, held in rows.values_list("pk", "balance", "lots_hold").iterator(CHUNK):
        if balance != (held or 0):
            yield Finding(f"account {pk}", f"balance {held or 0} (its lots), found {balance}")
    owing = Account.objects.filter(kind=Kind.DEBT, balance__gt=0).values_list("customer", flat=True)
    both = Account.objects.filter(kind=Kind.AVAILABLE, balance__gt=0, customer__in=owing).order_by("pk")
    for pk in both.values_list("pk", flat=True):
        yield Finding(f"account {pk}", "no available points while there is a debt")


LOT_CHECKS: tuple[Check, ...] = (
    _lots_agree,
    _lots_are_opened,
    _uses_agree,
    _redemptions_agree,
    _available_is_its_lots,
)
