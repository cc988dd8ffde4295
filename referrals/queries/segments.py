"""Segments, for whoever wants to address some customers: programs, surveys, campaigns, dashboards.

    segment = find_segment("loyal")
    count_members(segment), member_keys(segment), members_page(segment, page), is_member(segment, customer)

Membership is read from the stored facts at that moment, in chunks, with a fixed number of queries a chunk.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice

from django.conf import settings
from django.utils.module_loading import import_string

from core import clocks
from referrals.conditions import Condition, parse_condition
from referrals.models import Customer, Program, Segment
from referrals.queries.people import living_customers
from referrals.queries.programs import document_of
from referrals.segments import Registered, grammar_of, matching

CHUNK = 1000
Users = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Preview:
    """How many customers a definition means now, of how many, and the first of them."""

    count: int
    of: int
    sample: list[Customer]


@cache
def segment_fields() -> tuple[Registered, ...]:
    """Return every field that an app has registered (`config/segments.py`), by name."""
    found: Sequence[Registered] = import_string(settings.SEGMENT_FIELDS)
    return tuple(sorted(found, key=lambda field: field.name))


@cache
def _users() -> tuple[Users, ...]:
    found: Sequence[Users] = import_string(settings.SEGMENT_USERS)
    return tuple(found)


def find_segment(slug: str) -> Segment | None:
    """Return the segment with that slug, or None."""
    return Segment.objects.filter(slug=slug).first()


def condition_of(segment: Segment) -> Condition:
    """Return the segment's checked condition; `BadCondition` where a field it names is gone."""
    return parse_condition(segment.when, grammar_of(segment_fields()))


def keys_matching(condition: Condition, *, at: datetime | None = None) -> Iterator[int]:
    """Return the primary keys of all customers the condition means at `at` (default: now), oldest first.

    Who was erased is in no segment.
    """
    moment = at or clocks.now()
    last = 0
    while True:
        customers = living_customers().filter(pk__gt=last).order_by("pk")
        pks = list(customers.values_list("pk", flat=True)[:CHUNK])
        if not pks:
            return
        yield from matching(condition, segment_fields(), pks, at=moment)
        last = pks[-1]


def member_keys(segment: Segment, *, at: datetime | None = None) -> Iterator[int]:
    """Return the primary keys of the segment's members at `at` (default: now), oldest customer first."""
    return keys_matching(condition_of(segment), at=at)


def members_of(segment: Segment, *, at: datetime | None = None) -> Iterator[Customer]:
    """Return the segment's members at `at` (default: now), oldest first, loaded in chunks."""
    keys = member_keys(segment, at=at)
    while chunk := list(islice(keys, CHUNK)):
        yield from Customer.objects.filter(pk__in=chunk).order_by("pk")


def count_members(segment: Segment, *, at: datetime | None = None) -> int:
    """Return how many customers are in the segment at `at` (default: now)."""
    return sum(1 for _ in member_keys(segment, at=at))


def is_member(segment: Segment, customer: Customer, *, at: datetime | None = None) -> bool:
    """Tell whether the customer is in the segment at `at` (default: now)."""
    if customer.erased_at is not None:
        return False
    moment = at or clocks.now()
    return any(matching(condition_of(segment), segment_fields(), [customer.pk], at=moment))


def members_among(segment: Segment, customers: Iterable[Customer], *, at: datetime | None = None) -> set[int]:
    """Return the primary keys of those of the customers who are in the segment at `at` (default: now)."""
    pks = [customer.pk for customer in customers if customer.erased_at is None]
    return set(matching(condition_of(segment), segment_fields(), pks, at=at or clocks.now()))


def preview(condition: Condition, *, sample: int = 10) -> Preview:
    """Return how many customers a condition means now, with the first `sample` of them."""
    keys = list(keys_matching(condition))
    shown = Customer.objects.filter(pk__in=keys[:sample]).order_by("pk")
    return Preview(count=len(keys), of=living_customers().count(), sample=list(shown))


def used_by(segment: Segment) -> list[str]:
    """Return in words what uses the segment, from every app that names segments (`config/segments.py`)."""
    return [words for user in _users() for words in user(segment.slug)]


def programs_with_audience(slug: str) -> list[str]:
    """Return the programs that are offered to this segment alone."""
    programs = Program.objects.prefetch_related("offers").order_by("slug")
    return [f"program {one.slug} (audience)" for one in programs if document_of(one).terms.audience == slug]
