"""Replaying the lots: what opened them, what was drawn and given back, what expired, what was redeemed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Coalesce

from rewards.models import Account, Lot, LotUse, Redemption, Transfer
from rewards.services.findings import CHUNK, Check, Finding

Kind = Account.Kind


def _lots_agree() -> Iterator[Finding]:
    """A lot is what its transfer brought, what is left of it follows from its uses, and never more than there was."""
    other = Lot.objects.filter(~Q(amount=F("transfer__amount")) | ~Q(account=F("transfer__credit"))).order_by("pk")
    for pk, amount, brought in other.values_list("pk", "amount", "transfer__amount").iterator(CHUNK):
        yield Finding(f"lot {pk}", f"{brought} points in the account of its transfer, found {amount}")
    drawn = Window(Sum("amount"), partition_by="lot_id", order_by="pk")
    beyond = LotUse.objects.annotate(upto=drawn, brought=F("lot__amount")).filter(
        Q(upto__lt=0) | Q(upto__gt=F("brought"))
    )
    for pk, lot, brought, upto in beyond.order_by("pk").values_list("pk", "lot_id", "brought", "upto").iterator(CHUNK):
        yield Finding(f"lot use {pk}", f"from 0 to {brought} drawn from lot {lot}, found {upto}")
    used = Lot.objects.annotate(left=F("amount") - Coalesce(Sum("uses__amount"), 0)).exclude(remaining=F("left"))
    for pk, left, remaining in used.order_by("pk").values_list("pk", "left", "remaining").iterator(CHUNK):
        yield Finding(f"lot {pk}", f"{left} remaining (its uses), found {remaining}")


def _lots_end_as_said() -> Iterator[Finding]:
    """A lot ends when its transfer said, or when it was given back after that: 30 days later."""
    extended = dict(LotUse.objects.filter(extends_to__isnull=False).order_by("pk").values_list("lot_id", "extends_to"))
    ending = Lot.objects.filter(Q(expires_at__isnull=False) | Q(transfer__cause__has_key="expires_at")).order_by("pk")
    for pk, expires_at, cause in ending.values_list("pk", "expires_at", "transfer__cause").iterator(CHUNK):
        end = extended.get(pk) or _moment(cause.get("expires_at"))
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
    """A transfer out of available draws its amount from that account's lots; one that gives back, its amount back."""
    strange = LotUse.objects.filter(
        ~Q(lot__account=F("transfer__debit")) & ~Q(lot__account=F("transfer__credit"))
    ).order_by("transfer_id")
    for pk in strange.values_list("transfer_id", flat=True).iterator(CHUNK):
        yield Finding(f"transfer {pk}", "to draw on lots of its own account")
    wanted = Case(
        When(debit__kind=Kind.AVAILABLE, then=F("amount")),
        When(reverses__isnull=False, then=-F("amount")),
        default=Value(0),
    )
    rows = Transfer.objects.annotate(drawn=Coalesce(Sum("lot_uses__amount"), 0), wanted=wanted)
    wrong = rows.exclude(drawn=F("wanted")).order_by("pk").values_list("pk", "drawn", "wanted")
    for pk, drawn, expected in wrong.iterator(CHUNK):
        yield Finding(f"transfer {pk}", f"{expected} drawn from lots, found {drawn}")


def _given_back_as_drawn() -> Iterator[Finding]:
    """What undoes a redemption gives each lot what the redemption drew from it."""
    undone = Transfer.objects.exclude(reverses=None)
    given, drawn = _uses_of(undone.values("pk")), _uses_of(undone.values("reverses"))
    for pk, reverses in undone.order_by("pk").values_list("pk", "reverses_id").iterator(CHUNK):
        if given[pk] != {lot: -points for lot, points in drawn[reverses].items()}:
            yield Finding(f"transfer {pk}", f"to give back to the lots what transfer {reverses} drew")


def _expires_rightly() -> Iterator[Finding]:
    """An expiry takes one lot, after its last instant."""
    rows = Transfer.objects.filter(kind=Transfer.Kind.EXPIRE).order_by("pk")
    lots = _uses_of(rows.values("pk"))
    for pk, cause, at in rows.values_list("pk", "cause", "event_at").iterator(CHUNK):
        end = _moment(cause.get("expired_at"))
        if [str(lot) for lot in lots[pk]] != [cause.get("lot")] or end is None or end >= at:
            yield Finding(f"transfer {pk}", "to expire one lot after its last instant")


def _uses_of(transfers: QuerySet[Transfer, Any]) -> dict[int, dict[int, int]]:
    """Return what each of the transfers drew from each lot."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    uses = LotUse.objects.filter(transfer__in=transfers).values_list("transfer_id", "lot_id", "amount")
    for transfer, lot, amount in uses.iterator(CHUNK):
        found[transfer][lot] = amount
    return found


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
    _lots_end_as_said,
    _lots_are_opened,
    _uses_agree,
    _given_back_as_drawn,
    _expires_rightly,
    _redemptions_agree,
    _available_is_its_lots,
)
