"""Leaderboards as they are shown: ranks by approved referrals, names only of those who chose one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from core.periods import local_day, start_of_day
from referrals.models import Customer, Offer, Referral
from rewards.leaderboard import period_of, shared_ranks
from rewards.models import DisplayName, Leaderboard, LeaderboardPlace, LeaderboardResult

MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """One customer's count and rank."""

    customer: int
    rank: int
    count: int


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A line to show; `name` is empty for who chose none, `prize` what a closed period brought."""

    rank: int
    name: str
    count: int
    is_you: bool
    prize: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A leaderboard's running or closed period; `own` is the viewer's line where it is not among `rows`.

    `ends_at` is None for all time. `ahead` is how many referrals bring the viewer to the next better rank.
    """

    title: str
    program: str
    period: str
    starts_at: datetime
    ends_at: datetime | None
    rows: tuple[BoardRow, ...]
    own: BoardRow | None
    ahead: int
    prizes: tuple[str, ...]
    people: int


def running_period(board: Leaderboard, at: datetime) -> tuple[datetime, datetime | None]:
    """Return the instants between which referrals count now: the calendar's, after `starts_on` and the last closing."""
    zone = timezone.get_default_timezone()
    first, end = period_of(board.period, local_day(at, zone))
    start = start_of_day(max(first or board.starts_on, board.starts_on), zone)
    last = board.results.order_by("-ends_at").values_list("ends_at", flat=True).first()
    return max(start, last or start), start_of_day(end, zone) if end else None


def count_places(board: Leaderboard, start: datetime, end: datetime) -> list[Place]:
    """Return everybody with a referral approved in [start, end) and still so, by rank; ties share it."""
    rows = list(
        Referral.objects.filter(
            program=board.program_id, state=Referral.State.APPROVED, approved_at__gte=start, approved_at__lt=end
        )
        .exclude(offer__number=Offer.SETTLED)  # prizes are for what happened here
        .values_list("advocate")
        .annotate(n=Count("pk"))
        .order_by("-n", "advocate")
    )
    ranks = shared_ranks([count for _, count in rows])
    return [Place(customer, rank, count) for (customer, count), rank in zip(rows, ranks, strict=True)]


def show_board(board: Leaderboard, viewer: Customer, *, at: datetime) -> Board:
    """Return the running period as the viewer sees it."""
    start, end = running_period(board, at)
    places = count_places(board, start, at if end is None else min(end, at))
    return _board(board, places, viewer, start, end)


def show_result(result: LeaderboardResult, viewer: Customer) -> Board:
    """Return a closed period as the viewer sees it: ranks as they were, names as they are now."""
    rows = list(result.placed.order_by("rank", "customer"))
    places = [Place(row.customer_id, row.rank, row.count) for row in rows]
    won = {row.customer_id: row.prize for row in rows}
    return _board(result.leaderboard, places, viewer, result.starts_at, result.ends_at, won=won)


def _board(
    board: Leaderboard,
    places: list[Place],
    viewer: Customer,
    start: datetime,
    end: datetime | None,
    *,
    won: dict[int, str] | None = None,
) -> Board:
    shown = [place for place in places if place.rank <= board.shown][:MOST_ROWS]
    own = next((place for place in places if place.customer == viewer.pk), None)
    names = display_names([place.customer for place in shown])

    def row(place: Place) -> BoardRow:
        prize = won.get(place.customer, "") if won is not None else ""
        name = names.get(place.customer, "")
        return BoardRow(place.rank, name, place.count, place.customer == viewer.pk, prize)

    better = [place.count for place in places if own is not None and place.count > own.count]
    return Board(
        title=board.title,
        program=board.program.name,
        period=board.period,
        starts_at=start,
        ends_at=end,
        rows=tuple(row(place) for place in shown),
        own=row(own) if own is not None and own not in shown else None,
        ahead=min(better) - own.count + 1 if own is not None and better else 0,
        prizes=tuple(str(prize) for prize in board.prizes.order_by("first_rank", "pk")) if won is None else (),
        people=len(places),
    )


def display_names(customers: Iterable[int]) -> dict[int, str]:
    """Return the names chosen by those customers who are not erased."""
    rows = DisplayName.objects.filter(customer__in=list(customers), customer__erased_at=None)
    return dict(rows.values_list("customer_id", "name"))


def display_name_of(customer: Customer) -> str:
    """Return the name the customer chose, or ''."""
    return display_names([customer.pk]).get(customer.pk, "")


def boards_of(programs: Iterable[int]) -> QuerySet[Leaderboard]:
    """Return the leaderboards that customers of these programs see."""
    return Leaderboard.objects.filter(program__in=programs, active=True).select_related("program").order_by("pk")


def results_of(board: Leaderboard) -> QuerySet[LeaderboardResult]:
    """Return the closed periods, the latest first."""
    return board.results.select_related("leaderboard__program").order_by("-ends_at")


def places_with_people(result: LeaderboardResult) -> QuerySet[LeaderboardPlace]:
    """Return the places of a closed period with their customers, for staff."""
    return result.placed.select_related("customer").order_by("rank", "customer")
