"""What a decision asks of the database: counts, budget and values, as they are at that moment."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from referrals.conditions import Value
from referrals.judgement import COUNTED, EARNING
from referrals.models import Event, Offer, Program, Referral
from referrals.queries.conditions import customer_values, event_values
from referrals.terms import terms_from_json
from rewards.deciding import MILESTONE
from rewards.limits import period_bounds
from rewards.models import Reward
from rewards.queries.choices import chosen_points


class LiveWorld:
    """The world of a referral whose advocate's accounts are locked, so that decisions about one follow each other."""

    def __init__(self, referral: Referral) -> None:
        self._referral = referral
        self._values: dict[int, Mapping[str, Value]] = {}

    def values_of(self, event_pk: int) -> Mapping[str, Value]:
        """Return what conditions may ask of an event of the friend."""
        if event_pk not in self._values:
            event = Event.objects.filter(pk=event_pk).first()
            self._values[event_pk] = event_values(event, self._referral) if event else {}
        return self._values[event_pk]

    def advocate_values(self) -> Mapping[str, Value]:
        """Return what a tier's condition may ask of the advocate."""
        return customer_values(self._referral.advocate)

    def _others(self, states: frozenset[str]) -> QuerySet[Referral]:
        own = self._referral
        others = Referral.objects.filter(advocate=own.advocate_id, program=own.program_id, state__in=states)
        return others.exclude(pk=own.pk)

    def referrals_counted(self, since: datetime, until: datetime) -> int:
        """Return how many other referrals count for the tier, their qualifying event in [since, until]."""
        return self._others(COUNTED).filter(qualified_at__gte=since, qualified_at__lte=until).count()

    def referrals_rewarded(self, at: datetime, period: str) -> int:
        """Return how many other referrals count against the limit in the period of `at`."""
        start, end = period_bounds(at, period, ZoneInfo(settings.TIME_ZONE))
        within = self._others(EARNING).exclude(settlement__limited=True)
        if start is not None and end is not None:
            within = within.filter(qualified_at__gte=start, qualified_at__lt=end)
        return within.count()

    def budget_left(self) -> int | None:
        """Return what is left of the program's current budget, its row locked until the transaction ends."""
        own = Q(referral=self._referral) & ~Q(moment=MILESTONE)
        return budget_left_of(self._referral.program_id, aside=own)


def budget_left_of(program: int, *, aside: Q | None = None) -> int | None:
    """Return what is left of a program's current budget (None: it has none), rewards `aside` not counted.

    The program's row stays locked until the transaction ends, so that decisions about its budget follow each other.
    """
    offer = Offer.objects.filter(program=program).order_by("-number").first()
    budget = terms_from_json(offer.terms).limits.budget_points if offer else None
    if budget is None:
        return None
    Program.objects.select_for_update(no_key=True).get(pk=program)
    standing = Reward.objects.filter(program=program, points__gt=0, state__in=Reward.STANDING)
    counted = standing if aside is None else standing.exclude(aside)
    return budget - (counted.aggregate(total=Sum("points"))["total"] or 0) - chosen_points(program)
