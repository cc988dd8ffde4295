"""Replaying the whole ledger: every invariant, and the first row that breaks one."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import F, Max, Q, Sum

from rewards.models import Account, Entry, Lot, LotUse, Reward, Transfer

Kind = Account.Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks an invariant: which row, and what was expected of it."""

    row: str
    expected: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit read, and the first finding of every check that failed."""

    transfers: int
    entries: int
    accounts: int
    points_outstanding: int
    findings: tuple[Finding, ...]


def audit_ledger() -> Audit:
    """Replay every account, transfer, lot and reward; a sound ledger has no findings."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _entries_follow,
        _accounts_agree,
        _transfers_are_entered,
        _releases_resolve,
        _lots_agree,
        _available_is_its_lots,
        _rewards_agree,
    )
    findings = tuple(finding for check in checks if (finding := next(check(), None)) is not None)
    owned = Account.objects.filter(kind__in=(Kind.PENDING, Kind.AVAILABLE))
    return Audit(
        transfers=Transfer.objects.count(),
        entries=Entry.objects.count(),
        accounts=Account.objects.count(),
        points_outstanding=owned.aggregate(total=Sum("balance"))["total"] or 0,
        findings=findings,
    )


def _entries_follow() -> Iterator[Finding]:
    """Numbers without gaps, each balance the one before plus the delta, never below zero."""
    seq: dict[int, int] = defaultdict(int)
    balance: dict[int, int] = defaultdict(int)
    rows = Entry.objects.order_by("account_id", "seq").values_list("pk", "account_id", "seq", "delta", "balance")
    for pk, account, number, delta, after in rows.iterator(chunk_size=5000):
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
    for account in rows.iterator(chunk_size=5000):
        total = account.total or 0
        if account.balance != total:
            yield Finding(f"account {account.pk}", f"balance {total} (its entries), found {account.balance}")
        if account.seq != counted.get(account.pk, 0):
            yield Finding(f"account {account.pk}", f"last number {counted.get(account.pk, 0)}, found {account.seq}")


def _transfers_are_entered() -> Iterator[Finding]:
    """Every transfer is entered once on each customer's account it touches, with its amount, and nowhere else."""
    entered: dict[int, dict[int, int]] = defaultdict(dict)
    for transfer, account, delta in Entry.objects.values_list("transfer_id", "account_id", "delta").iterator():
        entered[transfer][account] = delta
    rows = Transfer.objects.select_related("debit", "credit").order_by("pk")
    for row in rows.iterator(chunk_size=5000):
        wanted = {}
        if row.debit.customer_id:
            wanted[row.debit_id] = -row.amount
        if row.credit.customer_id:
            wanted[row.credit_id] = row.amount
        if entered.get(row.pk, {}) != wanted:
            yield Finding(f"transfer {row.pk}", f"entries {wanted}, found {entered.get(row.pk, {})}")


def _releases_resolve() -> Iterator[Finding]:
    """Every release ends the grant of its own reward."""
    released = Transfer.objects.filter(kind=Transfer.Kind.RELEASE).order_by("pk")
    wrong = released.filter(
        Q(resolves=None) | ~Q(resolves__kind=Transfer.Kind.GRANT) | ~Q(resolves__reward=F("reward"))
    )
    for pk in wrong.values_list("pk", flat=True):
        yield Finding(f"transfer {pk}", "a release that resolves the grant of its own reward")


def _lots_agree() -> Iterator[Finding]:
    """What a lot lost is what was used of it; what a transfer drew from lots is its amount."""
    used = dict(LotUse.objects.values_list("lot").annotate(total=Sum("amount")))
    for pk, amount, remaining in Lot.objects.order_by("pk").values_list("pk", "amount", "remaining").iterator():
        if amount - remaining != used.get(pk, 0):
            yield Finding(f"lot {pk}", f"{amount - used.get(pk, 0)} remaining (its uses), found {remaining}")
    drawn = dict(LotUse.objects.values_list("transfer").annotate(total=Sum("amount")))
    spent = Transfer.objects.filter(debit__kind=Kind.AVAILABLE).order_by("pk").values_list("pk", "amount")
    for pk, amount in spent.iterator(chunk_size=5000):
        if drawn.get(pk, 0) != amount:
            yield Finding(f"transfer {pk}", f"{amount} drawn from lots, found {drawn.get(pk, 0)}")


def _available_is_its_lots() -> Iterator[Finding]:
    """What is available is what remains in lots; nobody has both points and a debt."""
    rows = Account.objects.filter(kind=Kind.AVAILABLE).annotate(lots_hold=Sum("lots__remaining")).order_by("pk")
    for account in rows.iterator(chunk_size=5000):
        if account.balance != (account.lots_hold or 0):
            yield Finding(
                f"account {account.pk}", f"balance {account.lots_hold or 0} (its lots), found {account.balance}"
            )
    owing = Account.objects.filter(kind=Kind.DEBT, balance__gt=0).values_list("customer", flat=True)
    both = Account.objects.filter(kind=Kind.AVAILABLE, balance__gt=0, customer__in=owing).order_by("pk")
    for pk in both.values_list("pk", flat=True):
        yield Finding(f"account {pk}", "no available points while there is a debt")


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
    for account in Account.objects.filter(kind=Kind.PENDING).order_by("pk").iterator(chunk_size=5000):
        expected = pending.get(account.customer_id or 0, 0)
        if account.balance != expected:
            yield Finding(f"account {account.pk}", f"{expected} points (its pending rewards), found {account.balance}")


def _sums(which: Q) -> dict[int, int]:
    rows = Transfer.objects.filter(which).exclude(reward=None)
    return dict(rows.values_list("reward").annotate(total=Sum("amount")).order_by())
