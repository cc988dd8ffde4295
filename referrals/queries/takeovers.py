"""Reading which program's offer new friends get: their link's own, or that of one which has taken over."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from referrals.models import Program, Takeover
from referrals.queries.programs import program_runs_at


def programs_in_charge(programs: Iterable[Program], instant: datetime) -> dict[int, Program]:
    """Return, by primary key of each program, the one whose offer new friends get at `instant`.

    That is the program itself unless it is taken over then by one that runs; takeovers chain, and a chain
    never leads back. One query, and two more where anything is taken over at all.
    """
    given = list(programs)
    in_force = (
        Takeover.objects.filter(at__lte=instant)
        .filter(Q(until=None) | Q(until__gt=instant))
        .select_related("to")
        .prefetch_related("to__offers", "to__statuses")
        .order_by("pk")
    )
    next_of = {row.program_id: row.to for row in in_force}
    return {program.pk: _end_of_chain(program, next_of, instant) for program in given}


def program_in_charge(program: Program, instant: datetime) -> Program:
    """Return the program whose offer new friends of `program` get at `instant`."""
    return programs_in_charge([program], instant)[program.pk]


def _end_of_chain(program: Program, next_of: dict[int, Program], instant: datetime) -> Program:
    seen = {program.pk}
    current = program
    while (following := next_of.get(current.pk)) is not None:
        if following.pk in seen or not program_runs_at(following, instant):
            break
        seen.add(following.pk)
        current = following
    return current
