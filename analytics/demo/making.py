"""Making the demo company: all of it or nothing, once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.utils import timezone

from analytics.demo.furnishing import furnish
from analytics.demo.plan import DAYS, FEWEST, plan_story
from analytics.demo.sign_ins import make_sign_ins
from analytics.demo.telling import SOURCE, Teller, open_programs
from analytics.services.rollups import refresh_rollups
from core.clocks import clock_at
from core.errors import Invalid, Refused
from core.periods import DAY, local_day, start_of_day
from messaging.services import forget_contents
from referrals.models import Customer, Event

Progress = Callable[[int, int], None]


class OthersData(Refused):
    """There are customers who are no part of a demo."""

    code = "not_empty"


@dataclass(frozen=True, slots=True)
class Made:
    """What is there now; `fresh` unless it was there before."""

    fresh: bool
    sign_ins: str = ""


@transaction.atomic
def make_demo(*, customers: int, seed: int, at: datetime, on_progress: Progress) -> Made:
    """Make the demo company as of the day of `at`, or change nothing where one is already there.

    Raises `OthersData` where there are customers of another kind, `Invalid` for too few customers.
    """
    if Event.objects.filter(source=SOURCE).exists():
        return Made(fresh=False)
    if Customer.objects.exists():
        raise OthersData("This database already knows customers; the demo company needs one of its own.")
    if customers < FEWEST:
        raise Invalid(f"expected at least {FEWEST} customers", pointer="/customers")
    zone = timezone.get_default_timezone()
    today = local_day(at, zone)
    end = start_of_day(today, zone)
    story = plan_story(customers=customers, seed=seed, end=end)
    start = min(end - timedelta(days=DAYS), story[0].at)
    with clock_at(start):
        teller = Teller(open_programs(at=start))
    told = 0
    nights = _nights(start, end)
    for day, happenings in groupby(story, key=lambda one: local_day(one.at, zone)):
        while nights and nights[0] <= start_of_day(day, zone):
            teller.pass_night(nights.pop(0))
        for happening in happenings:
            teller.tell(happening)
            told += 1
        on_progress(told, len(story))
    for night in nights:
        teller.pass_night(night)
    teller.give_links()
    with clock_at(end):
        furnish(program=teller.program, at=end)
    forget_contents(at=at)
    refresh_rollups(at=at, full=True)
    return Made(fresh=True, sign_ins=make_sign_ins())


def _nights(start: datetime, end: datetime) -> list[datetime]:
    zone = timezone.get_default_timezone()
    first = local_day(start, zone) + DAY
    count = (local_day(end, zone) - first).days + 1
    return [start_of_day(first + number * DAY, zone) for number in range(count)]
