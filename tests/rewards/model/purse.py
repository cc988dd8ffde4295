"""One customer's points, counted by hand: pending, lots in the order in which they are spent, debt."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

GRACE = timedelta(days=30)
NEVER = datetime.max.replace(tzinfo=UTC)


class NotEnough(Exception):
    """Refused: more points asked for than are available."""


@dataclass
class Lot:
    """Points that became available together. `gone` expired from it and was not taken back since."""

    number: int
    remaining: int
    expires_at: datetime | None
    gone: int = 0

    def turn(self) -> tuple[datetime, int]:
        """Return what orders lots: the one that expires first, then the oldest."""
        return self.expires_at or NEVER, self.number


@dataclass
class Spending:
    """What a redemption took, lot by lot, until it is cancelled."""

    points: int
    taken: list[tuple[Lot, int]]
    cancelled: bool = False


@dataclass
class Purse:
    """What one customer has."""

    pending: int = 0
    debt: int = 0
    lots: list[Lot] = field(default_factory=list)
    numbers: int = 0

    @property
    def available(self) -> int:
        return sum(lot.remaining for lot in self.lots)

    def add(self, points: int, expires_at: datetime | None) -> Lot:
        """Make points available; a debt is paid off first (rule 8)."""
        paid = min(points, self.debt)
        self.debt -= paid
        self.numbers += 1
        lot = Lot(self.numbers, points - paid, expires_at)
        self.lots.append(lot)
        return lot

    def take(self, points: int) -> list[tuple[Lot, int]]:
        """Take up to `points` from the lots that expire first (rule 12)."""
        taken = []
        for lot in sorted(self.lots, key=Lot.turn):
            part = min(points, lot.remaining)
            if part:
                lot.remaining -= part
                points -= part
                taken.append((lot, part))
        return taken

    def spend(self, points: int) -> Spending:
        """Take points by hand or for a redemption; refused beyond what is available."""
        if points > self.available:
            raise NotEnough
        return Spending(points, self.take(points))

    def give_back(self, spending: Spending, now: datetime) -> None:
        """Cancel a redemption: the same lots get their points back, an expired one 30 days; a debt is paid first."""
        spending.cancelled = True
        for lot, part in spending.taken:
            lot.remaining += part
            if lot.expires_at and lot.expires_at < now:
                lot.expires_at = now + GRACE
        paid = min(self.debt, self.available)
        self.debt -= paid
        self.take(paid)

    def take_back(self, points: int, own: Lot) -> None:
        """Take a reward's points back: its own unspent ones, what expired of it, other lots, then debt (rule 8)."""
        part = min(points, own.remaining)
        own.remaining -= part
        points -= part
        lapsed = min(points, own.gone)
        own.gone -= lapsed
        points -= lapsed
        points -= sum(part for _, part in self.take(points))
        self.debt += points

    def expire(self, now: datetime) -> None:
        """Let go of what is past its last instant, which itself is still inside (rule 17)."""
        for lot in self.lots:
            if lot.expires_at and lot.expires_at < now:
                lot.gone += lot.remaining
                lot.remaining = 0
