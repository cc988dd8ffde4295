"""Reading how a program's budget burns down, when it will be spent, and who takes over then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from core.periods import DAY, local_day
from referrals.models import Program, Takeover
from referrals.queries.programs import current_offer, terms_of
from referrals.terms import Limits, Terms
from rewards.budgeting import (
    SPENT,
    WINDOW_DAYS,
    RunOut,
    is_spent,
    project_run_out,
    stages_reached,
    typical_referral,
)
from rewards.models import Fulfilment, Reward, RewardStep

TYPICAL_OF = 50
"""How many of the latest rewarded referrals say what a referral usually takes."""


@dataclass(frozen=True, slots=True)
class Burn:
    """One day, or week named by its first day: points granted less points taken back, and all granted by its end."""

    day: date
    points: int
    granted: int
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A program's budget in points as it stands: `budget` None where there is none.

    `granted` is what was granted and not taken back; `run_out` None where that cannot be told yet; `typical` the
    points a referral usually takes; `stages` what staff should know ('80', '95', 'soon', 'spent').
    """

    program: Program
    limits: Limits
    granted: int
    typical: int
    run_out: RunOut | None
    as_of: date
    takeover: Takeover | None

    @property
    def budget(self) -> int | None:
        """The budget in points."""
        return self.limits.budget_points

    @property
    def left(self) -> int | None:
        """What may still be granted; 0 where more is granted than a lowered budget allows."""
        return None if self.budget is None else max(0, self.budget - self.granted)

    @property
    def share(self) -> float:
        """The share that is granted; 1 for a budget of 0."""
        if self.budget is None:
            return 0.0
        return self.granted / self.budget if self.budget else 1.0

    @property
    def is_spent(self) -> bool:
        """Whether a typical referral no longer fits."""
        return self.budget is not None and is_spent(self.budget, self.granted, self.typical)

    @property
    def stages(self) -> tuple[str, ...]:
        """What staff should know, in rising order."""
        if self.budget is None:
            return ()
        return stages_reached(self.budget, self.granted, self.run_out) + ((SPENT,) if self.is_spent else ())

    @property
    def run_out_day(self) -> date | None:
        """The day on which it is expected to be spent."""
        return self.as_of + timedelta(days=int(self.run_out.days)) if self.run_out else None

    @property
    def run_out_days(self) -> tuple[date, date | None] | None:
        """The 95 % interval of that day; its end is None where it may never come."""
        if self.run_out is None:
            return None
        latest = self.run_out.latest
        end = None if latest is None else self.as_of + timedelta(days=int(latest))
        return self.as_of + timedelta(days=int(self.run_out.earliest)), end


def budget_of(program: Program, *, at: datetime, project: bool = True) -> Budget:
    """Return the program's budget as it stands at `at`; without `project` its run-out is not told.

    Prefetch `offers` to ask often with fewer queries.
    """
    terms = terms_of(current_offer(program))
    today = local_day(at, timezone.get_default_timezone())
    granted = granted_points(program)
    limits = terms.limits
    left = 0 if limits.budget_points is None else max(0, limits.budget_points - granted)
    takeovers = Takeover.objects.filter(program=program, until=None).select_related("to", "program")
    return Budget(
        program=program,
        limits=limits,
        granted=granted,
        typical=typical_referral(_points_of_latest(program), promised_points(terms)),
        run_out=project_run_out(left, _complete_days(program, today)) if project else None,
        as_of=today,
        takeover=takeovers.first(),
    )


def granted_points(program: Program) -> int:
    """Return the points granted and not taken back in the program, milestones included (rule 11)."""
    standing = Reward.objects.filter(program=program, points__gt=0, state__in=Reward.STANDING)
    return int(standing.aggregate(total=Sum("points"))["total"] or 0) + chosen_points(program.pk)


def chosen_points(program: int) -> int:
    """Return the points that customers chose among several rewards of the program and that were not taken back."""
    chosen = Fulfilment.objects.filter(kind="points", state=Fulfilment.State.DONE, points__gt=0)
    standing = chosen.filter(reward__program=program, reward__kind="choice", reward__state__in=Reward.STANDING)
    return int(standing.aggregate(total=Sum("points"))["total"] or 0)


def promised_points(terms: Terms) -> int:
    """Return the fixed points that one qualifying referral takes, both sides together."""
    return sum(rule.points or 0 for rule in terms.rewards if rule.on in {"signup", "qualified"})


def _points_of_latest(program: Program) -> list[int]:
    latest = (
        Reward.objects.filter(program=program, state__in=Reward.STANDING, moment="qualified", referral__isnull=False)
        .values("referral")
        .annotate(total=Sum("points"))
        .order_by("-referral")[:TYPICAL_OF]
    )
    return [row["total"] for row in latest if row["total"]]


def _steps_by_day(program: Program) -> QuerySet[RewardStep, tuple[date, int]]:
    day = TruncDate("at", tzinfo=timezone.get_default_timezone())
    steps = RewardStep.objects.filter(reward__program=program).exclude(points=0)
    return steps.annotate(day=day).values("day").annotate(net=Sum("points")).order_by("day").values_list("day", "net")


def _complete_days(program: Program, today: date) -> list[int]:
    """Return the net points of the days before today, at most 28, from the first day on which any were granted."""
    net = {day: points for day, points in _steps_by_day(program) if day < today}
    if not net:
        return []
    first = max(min(net), today - timedelta(days=WINDOW_DAYS))
    return [net.get(first + timedelta(days=number), 0) for number in range((today - first).days)]


def burn_down(program: Program, *, budget: int | None, today: date, weekly: bool = False) -> list[Burn]:
    """Return every day, or week from Monday, from the first grant to today with what was granted by its end."""
    net: dict[date, int] = dict(_steps_by_day(program))
    if not net:
        return []
    first = min(net)
    days = [first + timedelta(days=number) for number in range((max(today, max(net)) - first).days + 1)]
    grouped: dict[date, int] = {}
    for day in days:
        start = day - DAY * day.weekday() if weekly else day
        grouped[start] = grouped.get(start, 0) + net.get(day, 0)
    return [
        Burn(day, points, granted, None if budget is None else max(0, budget - granted))
        for (day, points), granted in zip(grouped.items(), accumulate(grouped.values()), strict=True)
    ]


def budgeted_programs() -> list[Program]:
    """Return the programs with a budget, or whose new friends another has taken over, by name."""
    programs: Iterable[Program] = Program.objects.prefetch_related("offers").order_by("name", "pk")
    taken = set(Takeover.objects.filter(until=None).values_list("program_id", flat=True))
    return [
        program
        for program in programs
        if program.pk in taken or terms_of(current_offer(program)).limits.budget_points is not None
    ]
