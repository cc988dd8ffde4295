"""One program takes over the new friends of another whose budget has run out, and gives them back."""

from datetime import datetime

from django.db import transaction

from core.errors import Refused
from referrals.models import Program, Takeover
from referrals.queries.programs import program_runs_at


class TakeoverRefused(Refused):
    """The other program cannot take over: it does not run, or would be taken over in a circle."""

    code = "takeover_refused"
    status = 409


@transaction.atomic
def start_takeover(
    *, program: Program, to: Program, why: str, budget_points: int, granted_points: int, at: datetime
) -> Takeover:
    """Have `to` take over the new friends of `program` from `at` on; what is bound keeps its offer.

    Idempotent while the same takeover stands. Raises `TakeoverRefused` where `to` does not run at `at` or is
    itself, directly or through others, taken over by `program`.
    """
    # All programs are locked, in order, so that two takeovers cannot close a circle between them.
    list(Program.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    standing = Takeover.objects.filter(program=program, until=None).select_related("to").first()
    if standing is not None and standing.to_id == to.pk:
        return standing
    if not program_runs_at(to, at):
        raise TakeoverRefused(f"{to.slug} does not run and cannot take over {program.slug}")
    if _leads_to(to.pk, program.pk):
        raise TakeoverRefused(f"{to.slug} is itself taken over by {program.slug}: a circle")
    if standing is not None:
        Takeover.objects.filter(pk=standing.pk, until=None).update(until=at, ended_why=f"{to.slug} takes its place")
    return Takeover.objects.create(
        program=program, to=to, at=at, why=why, budget_points=budget_points, granted_points=granted_points
    )


def _leads_to(start: int, goal: int) -> bool:
    next_of = dict(Takeover.objects.filter(until=None).values_list("program_id", "to_id"))
    seen: set[int] = set()
    current: int | None = start
    while current is not None and current not in seen:
        if current == goal:
            return True
        seen.add(current)
        current = next_of.get(current)
    return False


@transaction.atomic
def end_takeover(*, takeover: Takeover, why: str, at: datetime) -> bool:
    """Give new friends back to the program's own offer from `at` on; return whether this call ended it."""
    return Takeover.objects.filter(pk=takeover.pk, until=None).update(until=at, ended_why=why) == 1
