"""Replaying the whole ledger: every invariant, and the first row that breaks one."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, Max, Q, Sum

from rewards.models import Account, Entry, LotUse, Reward, Seal, Transfer
from rewards.sealing import grouped
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
    seq: dict[int, int] = defaultdict(int)
    balance: dict[int, int] = defaultdict(int)
    rows = Entry.objects.order_by("account_id", "seq").values_list("pk", "account_id", "seq", "delta", "balance")
    for pk, account, number, delta, after in rows.iterator(CHUNK):
        seq[account] += 1
        balance[account] += delta
        if number != seq[account]:
            yield Finding(f"entry {pk}", f"number {seq[account]} in account {account}, found {number}")
        if after != balance[account] or after < 0:
            yield Finding(f"entry {pk}", f"balance {balance[account]} in account {account}, found {after}")


def _accounts_agree() -> Iterator[Finding]:
    """A customer's balance is the sum of its entries and its number the last one's; the company keeps none."""
    rows = Account.objects.annotate(total=Sum("entries__delta")).order_by("pk")
    counted = dict(Entry.objects.values_list("account").annotate(last=Max("seq")).order_by())
    for account in rows.iterator(CHUNK):
        total = account.total or 0
        if account.balance != total:
            yield Finding(f"account {account.pk}", f"balance {total} (its entries), found {account.balance}")
        if account.seq != counted.get(account.pk, 0):
            yield Finding(f"account {account.pk}", f"last number {counted.get(account.pk, 0)}, found {account.seq}")


def _transfers_are_entered() -> Iterator[Finding]:
    """Every transfer is between accounts of its kind and entered once on each customer's it touches, nowhere else."""
    accounts = {pk: (Kind(kind), owner) for pk, kind, owner in Account.objects.values_list("pk", "kind", "customer_id")}
    entries = grouped(
        Entry.objects.order_by("transfer_id", "pk").values_list("transfer_id", "account_id", "delta").iterator(CHUNK)
    )
    rows = Transfer.objects.order_by("pk").values_list("pk", "kind", "amount", "debit_id", "credit_id")
    for pk, kind, amount, debit, credit in rows.iterator(CHUNK):
        sides = accounts[debit][0], accounts[credit][0]
        if sides not in _SIDES[Transfer.Kind(kind)]:
            yield Finding(f"transfer {pk}", f"accounts between which a {kind} moves points, found {' to '.join(sides)}")
        wanted = [(account, moved) for account, moved in ((debit, -amount), (credit, amount)) if accounts[account][1]]
        found = [(account, delta) for account, delta in entries.of(pk)]
        if sorted(found) != sorted(wanted):
            yield Finding(f"transfer {pk}", f"entries {dict(wanted)}, found {dict(found)}")


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
    for account in Account.objects.filter(kind=Kind.PENDING).order_by("pk").iterator(CHUNK):
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
