"""Watching budgets: telling staff in time, and handing new friends to a cheaper program when one is spent."""

from datetime import datetime

from django.db import transaction

from core.dispatch import publish
from referrals.models import Program, Takeover
from referrals.services.takeovers import TakeoverRefused, end_takeover, start_takeover
from rewards.budgeting import SPENT, is_ample
from rewards.events import BudgetStageReached
from rewards.models import BudgetAlert
from rewards.queries.budgets import Budget, budget_of, budgeted_programs


def watch_budgets(*, at: datetime) -> int:
    """Look at every budget: start and end takeovers, alert staff once a stage; return how many of these it did.

    A budget that is only projected to run out soon is `project_budgets`' business.
    """
    return sum(watch_budget(program=program, project=False, at=at) for program in budgeted_programs())


def project_budgets(*, at: datetime) -> int:
    """Look at every budget like `watch_budgets`, and ahead as well; return how much it did."""
    return sum(watch_budget(program=program, project=True, at=at) for program in budgeted_programs())


@transaction.atomic
def watch_budget(*, program: Program, project: bool, at: datetime) -> int:
    """Do for one program's budget what is due at `at`; return how many takeovers and alerts that made."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    seen = budget_of(program, at=at, project=project)
    if seen.takeover is None and seen.budget is None:
        return 0
    return _hand_over(seen, at) + _alert(seen, at)


def _hand_over(seen: Budget, at: datetime) -> int:
    """Start, move or end the takeover as the budget and `then_offer` say now."""
    takeover = seen.takeover
    if takeover is not None and (why := _reason_to_end(seen, takeover)):
        return int(end_takeover(takeover=takeover, why=why, at=at))
    if takeover is not None or not seen.is_spent or not seen.limits.then_offer:
        return 0
    to = Program.objects.filter(slug=seen.limits.then_offer).first()
    if to is None or to.pk == seen.program.pk:
        return 0
    try:
        start_takeover(
            program=seen.program,
            to=to,
            why=f"{seen.left} points are left; a referral usually takes {seen.typical}",
            budget_points=seen.budget or 0,
            granted_points=seen.granted,
            at=at,
        )
    except TakeoverRefused:
        return 0
    return 1


def _reason_to_end(seen: Budget, takeover: Takeover) -> str:
    """Return why the takeover ends, or empty: a refund or two does not end it, a raised budget does."""
    if seen.limits.then_offer != takeover.to.slug:
        return "then_offer was changed" if seen.limits.then_offer else "then_offer was removed"
    if seen.budget is None:
        return "the budget was removed"
    if seen.budget > takeover.budget_points and not seen.is_spent:
        return f"the budget was raised to {seen.budget} points"
    if is_ample(seen.budget, seen.granted, seen.typical):
        return f"points came back: {seen.left} are left"
    return ""


def _alert(seen: Budget, at: datetime) -> int:
    """Keep each stage reached that staff were not told of yet, and tell of the gravest."""
    if seen.budget is None or not seen.stages:
        return 0
    known = set(
        BudgetAlert.objects.filter(program=seen.program, budget_points=seen.budget).values_list("stage", flat=True)
    )
    fresh = [stage for stage in seen.stages if stage not in known]
    if not fresh:
        return 0
    rows = [
        BudgetAlert(program=seen.program, stage=stage, budget_points=seen.budget, granted_points=seen.granted, at=at)
        for stage in fresh
    ]
    BudgetAlert.objects.bulk_create(rows)
    gravest = SPENT if SPENT in fresh else fresh[-1]
    publish(BudgetStageReached(subject=f"program:{seen.program.pk}", program=seen.program.pk, stage=gravest))
    return len(fresh)
