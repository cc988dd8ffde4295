"""What came of an experiment's variants, counted from the facts each time it is asked."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from analytics.queries.collecting import SUCCESSFUL, exposed_by_then
from analytics.statistics import is_enough
from core.proportions import split_p_value, wilson_interval
from referrals.models import Click, Event, Experiment, Exposure, Referral, Share, Variant

MINIMUM_EXPOSED = 100
"""Fewer advocates in any variant are too few to say anything."""
UNEVEN = 0.001
"""A split this improbable is a fault of the machinery, not chance (the usual bound for a sample ratio)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How often something happened, and to how many of the exposed advocates at least once."""

    times: int
    people: int
    exposed: int

    @property
    def share(self) -> float | None:
        """The part of the advocates, None where none were exposed."""
        return self.people / self.exposed if self.exposed else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the part (Wilson): advocates were drawn by chance, what they cause was not."""
        return wilson_interval(self.people, self.exposed)

    @property
    def enough(self) -> bool:
        """Whether it may be read without greying it."""
        return is_enough(self.people, self.exposed, minimum=MINIMUM_EXPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """One variant: how many advocates were shown it, and what came of their links from then on."""

    variant: Variant
    exposed: int
    expected: float
    shares: Reach
    clicks: Reach
    friends: Reach
    qualified: Reach
    orders: int

    @property
    def reaches(self) -> tuple[Reach, Reach, Reach, Reach]:
        """The steps in their order."""
        return (self.shares, self.clicks, self.friends, self.qualified)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentResult:
    """An experiment with its variants, the control first; `split_p` tells whether the split fits the weights."""

    experiment: Experiment
    variants: tuple[VariantResult, ...]
    split_p: float | None

    @property
    def smallest(self) -> int:
        """How many advocates the least shown variant has."""
        return min((one.exposed for one in self.variants), default=0)

    @property
    def too_early(self) -> bool:
        """Whether there are too few advocates to say anything."""
        return self.smallest < MINIMUM_EXPOSED

    @property
    def uneven(self) -> bool:
        """Whether the split is so improbable that something is broken."""
        return self.split_p is not None and self.split_p < UNEVEN


Tally = dict[int, tuple[int, int]]
"""By variant: how often, and to how many advocates."""


def experiments_begun() -> QuerySet[Experiment]:
    """Return the experiments that run or ran, the newest first, with how many advocates each has."""
    rows = Experiment.objects.exclude(state=Experiment.State.DRAFT).select_related("program")
    return rows.annotate(exposed=Count("exposures")).order_by("-started_at", "-pk")


def result_of(experiment: Experiment) -> ExperimentResult:
    """Return what came of each variant.

    What happens to a link counts from its owner's exposure until the experiment ends; what friends do later counts
    with the friend. Eight queries, however many advocates.
    """
    variants = list(Variant.objects.filter(experiment=experiment).defer("picture"))
    shown = Exposure.objects.filter(experiment=experiment).order_by().values_list("variant").annotate(Count("pk"))
    exposed: Counter[int] = Counter(dict(shown))
    on_link = exposed_by_then() & Q(link__exposures__experiment=experiment)
    shares = _tally(Share.objects.filter(on_link), "link__exposures__variant")
    clicks = _tally(Click.objects.filter(on_link, verdict=Click.Verdict.PERSON), "link__exposures__variant")
    friends, qualified, orders = _friends(experiment)
    weights = [one.weight for one in variants]
    total = sum(exposed.values())

    def reach(tally: Tally, variant: Variant) -> Reach:
        times, people = tally.get(variant.pk, (0, 0))
        return Reach(times=times, people=people, exposed=exposed[variant.pk])

    return ExperimentResult(
        experiment=experiment,
        variants=tuple(
            VariantResult(
                variant=one,
                exposed=exposed[one.pk],
                expected=total * one.weight / sum(weights),
                shares=reach(shares, one),
                clicks=reach(clicks, one),
                friends=reach(friends, one),
                qualified=reach(qualified, one),
                orders=orders[one.pk],
            )
            for one in variants
        ),
        split_p=split_p_value([exposed[one.pk] for one in variants], weights),
    )


def _tally(rows: QuerySet[Any], column: str) -> Tally:
    counted = rows.order_by().values_list(column).annotate(times=Count("pk"), people=Count("link", distinct=True))
    return {variant: (times, people) for variant, times, people in counted}


def _friends(experiment: Experiment) -> tuple[Tally, Tally, Counter[int]]:
    """Return the friends who came by the links, those who qualified, and the orders of the latter."""
    path = "advocate__exposures__"
    by_link = Q(instead_of=None, program=F(f"{path}link__program")) | Q(instead_of=F(f"{path}link__program"))
    then = exposed_by_then("bound_at", "advocate__") & Q(**{f"{path}experiment": experiment})
    rows = Referral.objects.filter(by_link & then).exclude(state=Referral.State.VOIDED)
    columns = ("pk", f"{path}variant", "advocate_id", "state", "qualified_at")
    bound: dict[int, list[int]] = defaultdict(list)
    stand: dict[int, list[int]] = defaultdict(list)
    variant_of: dict[int, int] = {}
    for pk, variant, advocate, state, qualified_at in rows.order_by().values_list(*columns):
        bound[variant].append(advocate)
        if state in SUCCESSFUL and qualified_at is not None:
            stand[variant].append(advocate)
            variant_of[pk] = variant
    return _tally_of(bound), _tally_of(stand), _orders(rows, variant_of)


def _tally_of(advocates: dict[int, list[int]]) -> Tally:
    return {variant: (len(found), len(set(found))) for variant, found in advocates.items()}


def _orders(referrals: QuerySet[Referral], variant_of: dict[int, int]) -> Counter[int]:
    """Count the purchases of qualified friends from the qualifying one on; a tie goes by the event's id."""
    received = "customer__referrals_received"
    rows = Event.objects.filter(
        type=Event.Type.PURCHASE,
        **{f"{received}__in": referrals.values("pk"), f"{received}__qualified_at__lte": F("occurred_at")},
    )
    cause = f"{received}__qualifying_event"
    columns = (received, "event_id", "occurred_at", f"{received}__qualified_at", f"{cause}__event_id", f"{cause}__type")
    counted: Counter[int] = Counter()
    for referral, event_id, at, since, first, kind in rows.order_by().values_list(*columns):
        if referral not in variant_of:
            continue
        if at == since and kind == Event.Type.PURCHASE and event_id.encode() < first.encode():
            continue
        counted[variant_of[referral]] += 1
    return counted
