"""Replaying the whole ledger: every invariant, and the first row that breaks one."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Count, F, Max, Q, Sum, Window
from django.db.models.functions import RowNumber

from rewards.models import Account, Entry, LotUse, Reward, Seal, Transfer
from rewards.services.findings import CHUNK, Check, Finding
from rewards.services.lot_audit import LOT_CHECKS
from rewards.services.sealing import check_seals

Kind = Account.Kind
_SIDES = {
    Transfer.Kind.GRANT: {(Kind.ISSUANCE, Kind.PENDING)},
    Transfer.Kind.RELEASE: {(Kind.PENDING, Kind.AVAILABLE)},
    Transfer.Kind.REVOKE: {
        (Kind.PENDING, Kind.ISSUANCE),
        (Kind.AVAILABLE, Kind.ISSUANCE),
        (Kind.RECEIVABLE, Kind.DEBT),
        (Kind.DEBT, Kind.RECEIVABLE),
        (Kind.EXPIRED, Kind.ISSUANCE),
    },
    Transfer.Kind.REDEEM: {(Kind.AVAILABLE, Kind.REDEEMED), (Kind.REDEEMED, Kind.AVAILABLE)},
    Transfer.Kind.EXPIRE: {(Kind.AVAILABLE, Kind.EXPIRED)},
    Transfer.Kind.ADJUST: {(Kind.ADJUSTED, Kind.AVAILABLE), (Kind.AVAILABLE, Kind.ADJUSTED)},
    Transfer.Kind.MERGE: {(kind, kind) for kind in Account.OF_CUSTOMERS},
}
"""Between which accounts each kind of transfer may move points."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit read, and the first finding of every check that failed; `seal` is the chain's last hash."""

    transfers: int
    entries: int
    accounts: int
    points_outstanding: int
    sealed_to: int
    seal: str
    findings: tuple[Finding, ...]


def audit_ledger() -> Audit:
    """Replay every account, transfer, lot, redemption and reward; a sound ledger has no findings.

    What is sealed is compared with its seal first: a row that was changed is named even where all sums agree.
    """
    checks: tuple[Check, ...] = (
        check_seals,
        _entries_follow,
        _accounts_agree,
        _sides_fit,
        _transfers_are_entered,
        _releases_resolve,
        *LOT_CHECKS,
        _rewards_agree,
        _expired_was_expired,
    )
    findings = tuple(finding for check in checks if (finding := next(check(), None)) is not None)
    owned = Account.objects.filter(kind__in=(Kind.PENDING, Kind.AVAILABLE))
    last = Seal.objects.order_by("-to_id").defer("marks").first()
    return Audit(
        transfers=Transfer.objects.count(),
        entries=Entry.objects.count(),
        accounts=Account.objects.count(),
        points_outstanding=owned.aggregate(total=Sum("balance"))["total"] or 0,
        sealed_to=last.to_id if last else 0,
        seal=last.sha256 if last else "",
        findings=findings,
    )


def _entries_follow() -> Iterator[Finding]:
    """Numbers without gaps, each balance the one before plus the delta, never below zero."""
    rows = Entry.objects.annotate(
        nth=Window(RowNumber(), partition_by="account_id", order_by="seq"),
        upto=Window(Sum("delta"), partition_by="account_id", order_by="seq"),
    )
    wrong = rows.filter(~Q(seq=F("nth")) | ~Q(balance=F("upto")) | Q(balance__lt=0)).order_by("account_id", "seq")
    for pk, account, seq, nth, balance, upto in wrong.values_list(
        "pk", "account_id", "seq", "nth", "balance", "upto"
    ).iterator(CHUNK):
        if seq != nth:
            yield Finding(f"entry {pk}", f"number {nth} in account {account}, found {seq}")
        yield Finding(f"entry {pk}", f"balance {upto} in account {account}, found {balance}")


def _accounts_agree() -> Iterator[Finding]:
    """A balance is the sum of its entries and its number the last one's; the company and what is closed have none."""
    rows = Account.objects.annotate(total=Sum("entries__delta")).order_by("pk")
    counted = dict(Entry.objects.values_list("account").annotate(last=Max("seq")).order_by())
    for account in rows.iterator(CHUNK):
        total = account.total or 0
        if account.closed and account.balance:
            yield Finding(f"account {account.pk}", f"nothing (it is closed), found {account.balance}")
        if account.balance != total:
            yield Finding(f"account {account.pk}", f"balance {total} (its entries), found {account.balance}")
        if account.seq != counted.get(account.pk, 0):
            yield Finding(f"account {account.pk}", f"last number {counted.get(account.pk, 0)}, found {account.seq}")


def _sides_fit() -> Iterator[Finding]:
    """Every transfer is between accounts of its kind, and between the two of one customer where both are customers'."""
    fits = [
        Q(kind=kind, debit__kind=debit, credit__kind=credit)
        for kind, pairs in _SIDES.items()
        for debit, credit in pairs
    ]
    others = ~Q(debit__customer=F("credit__customer"))
    of_two = Q(debit__customer__isnull=False, credit__customer__isnull=False)
    wrong = Transfer.objects.filter(~reduce(or_, fits) | (of_two & others)).order_by("pk")
    for pk, kind, debit, credit in wrong.values_list("pk", "kind", "debit__kind", "credit__kind").iterator(CHUNK):
        yield Finding(f"transfer {pk}", f"accounts between which a {kind} moves points, found {debit} to {credit}")


def _transfers_are_entered() -> Iterator[Finding]:
    """Every transfer is entered once on each customer's account it touches, with its amount, and nowhere else."""
    out = Q(account=F("transfer__debit"), delta=-F("transfer__amount"))
    into = Q(account=F("transfer__credit"), delta=F("transfer__amount"))
    stray = Entry.objects.filter(~(out | into)).order_by("transfer_id")
    entered = Transfer.objects.annotate(
        found=Count("entries"),
        wanted=Count("debit__customer", distinct=True) + Count("credit__customer", distinct=True),
    )
    wrong = entered.exclude(found=F("wanted")).order_by("pk")
    for pk, account, delta in stray.values_list("transfer_id", "account_id", "delta").iterator(CHUNK):
        yield Finding(f"transfer {pk}", f"its amount on its own accounts, found {delta} in account {account}")
    for pk, found, wanted in wrong.values_list("pk", "found", "wanted").iterator(CHUNK):
        yield Finding(f"transfer {pk}", f"{wanted} entries, found {found}")


def _releases_resolve() -> Iterator[Finding]:
    """Every release ends the grant of its own reward."""
    released = Transfer.objects.filter(kind=Transfer.Kind.RELEASE).order_by("pk")
    wrong = released.filter(
        Q(resolves=None) | ~Q(resolves__kind=Transfer.Kind.GRANT) | ~Q(resolves__reward=F("reward"))
    )
    for pk in wrong.values_list("pk", flat=True):
        yield Finding(f"transfer {pk}", "a release that resolves the grant of its own reward")


def _rewards_agree() -> Iterator[Finding]:
    """A reward's points are its grant less what was taken back; pending ones stand on the pending account."""
    granted = _sums(Q(kind=Transfer.Kind.GRANT))
    taken = _sums(Q(kind=Transfer.Kind.REVOKE))
    pending: dict[int, int] = defaultdict(int)
    rows = Reward.objects.filter(kind="points").order_by("pk")
    for pk, points, state, recipient in rows.values_list("pk", "points", "state", "recipient_id").iterator():
        stands = granted.get(pk, 0) - taken.get(pk, 0)
        if points != stands:
            yield Finding(f"reward {pk}", f"{stands} points (its transfers), found {points}")
        if state == Reward.State.PENDING:
            pending[recipient] += points
    for account in Account.objects.filter(kind=Kind.PENDING, closed=False).order_by("pk").iterator(CHUNK):
        expected = pending.get(account.customer_id or 0, 0)
        if account.balance != expected:
            yield Finding(f"account {account.pk}", f"{expected} points (its pending rewards), found {account.balance}")


def _sums(which: Q) -> dict[int, int]:
    rows = Transfer.objects.filter(which).exclude(reward=None)
    return dict(rows.values_list("reward").annotate(total=Sum("amount")).order_by())


def _expired_was_expired() -> Iterator[Finding]:
    """No more of a reward counts as taken back by expiry than has expired from its own lots (rule 8)."""
    counted = _sums(Q(debit__kind=Kind.EXPIRED))
    uses = LotUse.objects.filter(lot__reward__in=counted, transfer__kind=Transfer.Kind.EXPIRE)
    expired = dict(uses.values_list("lot__reward").annotate(total=Sum("amount")).order_by())
    for reward, points in sorted(counted.items()):
        if points > expired.get(reward, 0):
            yield Finding(f"reward {reward}", f"at most {expired.get(reward, 0)} points expired, found {points}")
