"""The lots of the book that is open: opened, drawn on, given back; each table is written once."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import F, Sum

from rewards.expiring import GRACE, first_warning, is_past
from rewards.models import Account, Lot, LotUse, Reward, Transfer

_NEVER = datetime.max.replace(tzinfo=UTC)


class Lots:
    """The lots of accounts that the book has locked; `at` is the moment of the book."""

    def __init__(self, *, at: datetime) -> None:
        self.at = at
        self._opened: list[Lot] = []
        self._uses: list[LotUse] = []
        self._extended: list[Lot] = []
        self._known: dict[int, list[Lot]] = {}

    def open(self, transfer: Transfer, *, reward: Reward | None, expires_at: datetime | None) -> None:
        """Open a lot of the transfer's amount, to be spent until `expires_at`."""
        lot = Lot(
            transfer=transfer,
            account=transfer.credit,
            reward=reward,
            amount=transfer.amount,
            remaining=transfer.amount,
            available_at=self.at,
            expires_at=expires_at,
            warn_at=first_warning(expires_at, since=self.at),
        )
        self._opened.append(lot)

    def holding(self, account: Account) -> list[Lot]:
        """Return the account's lots that hold points, in the order in which they are spent."""
        return [lot for lot in self._of(account) if lot.remaining]

    def move(self, transfer: Transfer, lot: Lot) -> None:
        """Open a lot in the transfer's account that goes on where this one, emptied, ends."""
        self.take(transfer, lot, transfer.amount)
        self.open(transfer, reward=lot.reward, expires_at=lot.expires_at)
        self._opened[-1].available_at = lot.available_at

    def overdue(self, account: Account) -> list[Lot]:
        """Return the account's lots that hold points whose last instant has passed."""
        return [lot for lot in self._of(account) if lot.remaining and is_past(lot.expires_at, at=self.at)]

    def take(self, transfer: Transfer, lot: Lot, amount: int) -> None:
        """Draw on one lot."""
        lot.remaining -= amount
        self._uses.append(LotUse(transfer=transfer, lot=lot, amount=amount))

    def draw(self, transfer: Transfer, account: Account, *, first_of: int | None = None) -> None:
        """Spend lots: those of the reward `first_of` first, then the earliest to expire, then the oldest."""
        lots = self._of(account)
        if first_of is not None:
            lots = sorted(lots, key=lambda lot: lot.reward_id != first_of)
        left = transfer.amount
        for lot in lots:
            part = min(left, lot.remaining)
            if part:
                self.take(transfer, lot, part)
                left -= part
        if left:
            raise RuntimeError(f"account {account.pk} holds {left} points more than its lots")

    def give_back(self, transfer: Transfer, *, spent: Transfer) -> None:
        """Put what `spent` took back into the same lots; one that expired meanwhile gets 30 days from now."""
        for use in LotUse.objects.filter(transfer=spent).order_by("pk"):
            lot = self._find(transfer.credit, use.lot_id)
            lot.remaining += use.amount
            back = LotUse(transfer=transfer, lot=lot, amount=-use.amount)
            if is_past(lot.expires_at, at=self.at):
                lot.expires_at = back.extends_to = self.at + GRACE
                lot.warn_at = first_warning(lot.expires_at, since=self.at)
                self._extended.append(lot)
            self._uses.append(back)

    def of_transfer(self, transfer: Transfer) -> Lot | None:
        """Return the lot that the transfer opened, None where nothing is left of it."""
        return next(
            (lot for lot in self._of(transfer.credit) if lot.transfer_id == transfer.pk and lot.remaining), None
        )

    def expired_of(self, reward: Reward) -> int:
        """Return how many points of the reward's own lots have expired, those of this book included."""
        kept = LotUse.objects.filter(lot__reward=reward, transfer__kind=Transfer.Kind.EXPIRE)
        now = (u.amount for u in self._uses if u.lot.reward_id == reward.pk and u.transfer.kind == Transfer.Kind.EXPIRE)
        return (kept.aggregate(total=Sum("amount"))["total"] or 0) + sum(now)

    def write(self) -> None:
        """Write what was opened, used and extended; the transfers must have been written before."""
        Lot.objects.bulk_create(self._opened)
        LotUse.objects.bulk_create(self._uses)
        fresh = {lot.pk for lot in self._opened}
        used: dict[int, int] = defaultdict(int)
        for use in self._uses:
            if use.lot.pk not in fresh:
                used[use.lot.pk] += use.amount
        for pk, amount in used.items():
            Lot.objects.filter(pk=pk).update(remaining=F("remaining") - amount)
        Lot.objects.bulk_update(self._extended, ["expires_at", "warn_at"])

    def _of(self, account: Account) -> list[Lot]:
        if account.pk not in self._known:
            lots = Lot.objects.select_for_update(no_key=True).filter(account=account, remaining__gt=0)
            self._known[account.pk] = list(lots)
        return _in_order([*self._known[account.pk], *(lot for lot in self._opened if lot.account is account)])

    def _find(self, account: Account, pk: int) -> Lot:
        self._of(account)
        known = self._known[account.pk]
        lot = next((lot for lot in known if lot.pk == pk), None)
        if lot is None:
            lot = Lot.objects.select_for_update(no_key=True).get(pk=pk, account=account)
            known.append(lot)
        return lot


def _in_order(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots as they are spent: what expires first, then the oldest; those of this book last among equals."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.available_at, lot.pk or 2**63))
