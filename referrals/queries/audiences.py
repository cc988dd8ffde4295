"""Who is offered a program: everybody, or the members of the segment that it names as its audience."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from referrals.models import Customer, Program
from referrals.queries.programs import document_of, programs_with_audiences
from referrals.queries.segments import count_members, find_segment, is_member


def offered_programs(customer: Customer, *, at: datetime | None = None) -> list[Program]:
    """Return the programs that run at `at` (default: now) and are offered to the customer, by slug.

    A program whose audience names no segment that exists is offered to nobody.
    """
    return [program for program in programs_with_audiences(at) if _admits(program, customer, at)]


def offered_to_many(customers: Iterable[Customer]) -> list[tuple[Customer, list[Program]]]:
    """Return for each customer, once, the programs that `offered_programs` names now."""
    running = list(programs_with_audiences(None))
    once = {customer.pk: customer for customer in customers}
    return [(one, [program for program in running if _admits(program, one, None)]) for one in once.values()]


def public_programs(*, at: datetime | None = None) -> QuerySet[Program]:
    """Return the programs that run at `at` (default: now) and are offered to everybody, by slug."""
    return programs_with_audiences(at).filter(Q(audience="") | Q(audience=None))


def missing_audience(slug: str) -> str:
    """Return what staff should know of a program whose audience names no segment, or empty."""
    if not slug or find_segment(slug) is not None:
        return ""
    return f"nobody: there is no segment {slug!r}"


def audience_in_words(program: Program) -> str:
    """Return whom the program is offered to, with the number of people, or that its segment is missing."""
    slug = document_of(program).terms.audience
    if not slug:
        return "everybody"
    segment = find_segment(slug)
    if segment is None:
        return missing_audience(slug)
    return f"the segment {segment.title}: {count_members(segment):,} customers now"


def _admits(program: Program, customer: Customer, at: datetime | None) -> bool:
    slug: str = getattr(program, "audience", "")
    segment = find_segment(slug) if slug else None
    return not slug or (segment is not None and is_member(segment, customer, at=at))
