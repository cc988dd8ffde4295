"""Leaderboards: choosing to be shown by a name, and closing a period for good."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from core.dispatch import publish
from core.errors import Refused
from referrals.models import Customer
from rewards.display_names import check_display_name
from rewards.events import LeaderboardClosed
from rewards.leaderboard import prizes_for
from rewards.models import DisplayName, Leaderboard, LeaderboardPlace, LeaderboardResult
from rewards.queries.leaderboards import count_places, running_period
from rewards.standing import TICK


class NothingToClose(Refused):
    """The running period has only just begun."""

    code = "nothing_to_close"


@transaction.atomic
def choose_display_name(*, customer: Customer, name: str, at: datetime) -> DisplayName:
    """Show the customer under this name on leaderboards from now on. Raises `BadDisplayName`."""
    checked = check_display_name(name, brand=settings.BRAND_NAME)
    row, _ = DisplayName.objects.update_or_create(customer=customer, defaults={"name": checked, "at": at})
    return row


@transaction.atomic
def leave_leaderboards(*, customer: Customer) -> bool:
    """Take the customer's name off every leaderboard at once, closed ones included; return whether there was one."""
    return DisplayName.objects.filter(customer=customer).delete()[0] > 0


@transaction.atomic
def schedule_leaderboard(*, leaderboard: Leaderboard, at: datetime) -> Leaderboard:
    """Set when the running period closes by the calendar (never for one of all time)."""
    _, end = running_period(leaderboard, at)
    leaderboard.closes_at = end
    leaderboard.save(update_fields=["closes_at"])
    return leaderboard


def close_leaderboards_due(*, at: datetime) -> int:
    """Close the periods that have ended by `at`, each as one result for good; return how many."""
    due = Leaderboard.objects.filter(active=True, closes_at__lte=at).values_list("pk", flat=True)
    return sum(_close_ended(pk, at=at) for pk in list(due))


@transaction.atomic
def _close_ended(pk: int, *, at: datetime) -> int:
    """Close every period that has ended, one after the other; moving `closes_at` claims each."""
    board = Leaderboard.objects.select_for_update(of=("self",)).select_related("program").get(pk=pk)
    closed = 0
    while board.closes_at is not None and board.closes_at <= at:
        end = board.closes_at
        start, _ = running_period(board, end - TICK)
        if start < end:
            _freeze(board, start, end, at=at, actor="")
            closed += 1
        schedule_leaderboard(leaderboard=board, at=end)
    return closed


@transaction.atomic
def close_leaderboard(*, leaderboard: Leaderboard, actor: str, at: datetime) -> LeaderboardResult:
    """Close the running period now by hand; what is approved from now on counts for the next one.

    Raises `NothingToClose` where the last one was closed at this very moment.
    """
    board = Leaderboard.objects.select_for_update(of=("self",)).select_related("program").get(pk=leaderboard.pk)
    start, _ = running_period(board, at)
    if start >= at:
        raise NothingToClose("the running period has not begun yet")
    return _freeze(board, start, at, at=at, actor=actor)


def _freeze(board: Leaderboard, start: datetime, end: datetime, *, at: datetime, actor: str) -> LeaderboardResult:
    result = LeaderboardResult.objects.create(
        leaderboard=board, starts_at=start, ends_at=end, closed_at=at, closed_by=actor
    )
    ranges = [(one.first_rank, one.last_rank, one.prize) for one in board.prizes.order_by("first_rank", "pk")]
    LeaderboardPlace.objects.bulk_create(
        LeaderboardPlace(
            result=result,
            customer_id=place.customer,
            rank=place.rank,
            count=place.count,
            prize=", ".join(prizes_for(place.rank, ranges))[:300],
        )
        for place in count_places(board, start, end)
    )
    publish(LeaderboardClosed(subject=f"leaderboard_result:{result.pk}", result=result.pk))
    return result
