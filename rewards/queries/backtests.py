"""Reading what a back-test replays: facts, people, evidence, staff's decisions, and what was really granted."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects
from django.utils import timezone

from referrals.attribution import Visit
from referrals.codes import canonical_code
from referrals.conditions import Value
from referrals.freshness import IMPORTED
from referrals.judgement import EARNING, UNDONE
from referrals.models import Click, Code, Customer, Event, Offer, Program, Referral, Takeover
from referrals.program_file import ProgramDocument
from referrals.queries.conditions import customer_values, event_values
from referrals.queries.existing import listed_of
from referrals.queries.programs import program_runs_at
from referrals.services.binding import METHOD_OF_SOURCE
from rewards.models import Reward
from rewards.simulation.facts import Case, Fact, Link, Named, Person
from rewards.simulation.friends import BINDS
from rewards.simulation.report import Granted

T = TypeVar("T")

MANY = 5_000
BY_LINK, BY_CODE = "link", "code"
RULINGS = ("fraud", "manual", "blocked")
_REPLAYED = ("signup", "qualified", "purchase", "assist", "milestone")
_FACTS = ("signup", "purchase", "refund", "lead", "lead_stage", "custom")
_COLUMNS = (
    *("pk", "event_id", "type", "name", "occurred_at", "received_at", "customer_id", "order_id", "amount_minor"),
    *("currency", "lead_id", "lead_stage", "channel", "body"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A case with its facts in the order in which they arrived, and what was really granted."""

    case: Case
    facts: list[Fact]
    real: list[Granted]
    qualified: list[datetime]


def _chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    given = list(values)
    for start in range(0, len(given), size):
        yield given[start : start + size]


class _Charge:
    """Which program was in charge of a link's new friends, by the takeovers as recorded."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[datetime, datetime | None, int]]] = defaultdict(list)
        for program, start, end, to in Takeover.objects.values_list("program_id", "at", "until", "to_id"):
            self._rows[program].append((start, end, to))

    def of(self, program: int, at: datetime) -> int:
        """Return the program in charge at a moment."""
        seen: set[int] = set()
        while program not in seen:
            seen.add(program)
            for start, end, to in self._rows.get(program, ()):
                if start <= at and (end is None or at < end):
                    program = to
        return program

    def all_for(self, program: int) -> set[int]:
        """Return the programs whose links may lead to the program, itself included."""
        found = {program}
        while more := {start for start, rows in self._rows.items() for *_, to in rows if to in found} - found:
            found |= more
        return found


def load_material(*, program: Program, document: ProgramDocument, at: datetime) -> Material:
    """Return all that a back-test of the document over the program's past needs, as known at `at`."""
    named = _evidence(program, at)
    _add_recorded(named, program)
    carriers = _customers_of(named)
    friends = carriers | set(Referral.objects.filter(program=program).values_list("friend_id", flat=True))
    advocates = {one.advocate for found in named.values() for one in found}
    advocates |= {owner for found in named.values() for one in found for owner, _ in one.by_visit.values()}
    people = _people(friends | advocates)
    namesakes = _namesakes(people[pk].email_normalized for pk in friends if pk in people)
    people |= namesakes
    facts = _facts(friends | set(namesakes), at)
    referrals = Referral.objects.filter(program=program)
    case = Case(
        terms=document.terms,
        zone=ZoneInfo(timezone.get_default_timezone_name()),
        people=people,
        named={pk: tuple(found) for pk, found in named.items()},
        runs_at=_runs_at(program, document),
        values=_values,
        advocate_values=lambda person: customer_values(cast(Customer, person)),
        ruled={
            (advocate, friend): reason
            for advocate, friend, reason in referrals.filter(
                state=Referral.State.VOIDED, reason__in=RULINGS, pardoned_at=None
            ).values_list("advocate_id", "friend_id", "reason")
        },
        pardoned=frozenset(
            referrals.exclude(pardoned_at=None)
            .exclude(state=Referral.State.VOIDED)
            .values_list("advocate_id", "friend_id")
        ),
        held=frozenset(referrals.filter(state=Referral.State.FLAGGED).values_list("advocate_id", "friend_id")),
        elsewhere=_elsewhere(program),
        listed=listed_of((pk, person.email) for pk, person in people.items()),
    )
    moments = referrals.filter(state__in=EARNING, qualified_at__lte=at).values_list("qualified_at", flat=True)
    return Material(case=case, facts=facts, real=_real(program), qualified=[one for one in moments if one])


def _evidence(program: Program, at: datetime) -> dict[int, list[Named]]:
    """Return, by event, what names an advocate in the program, strongest first: clicks, then codes."""
    charge = _Charge()
    relevant = charge.all_for(program.pk)
    owners = {
        code: (link_program, owner)
        for code, link_program, owner in Code.objects.filter(link__program__in=relevant).values_list(
            "code", "link__program_id", "link__customer_id"
        )
    }
    carrying = Event.objects.filter(type__in=BINDS, received_at__lte=at).exclude(code="", click_id="")
    carrying = carrying.exclude(source=IMPORTED)  # those that bind are added as recorded
    rows = list(carrying.order_by("pk").values_list("pk", "code", "click_id", "occurred_at", "source"))
    clicks = _Clicks({click for _, _, click, *_ in rows if click}, relevant)
    found: dict[int, list[Named]] = {}
    for pk, code, click_id, occurred_at, source in rows:
        named = []
        click = clicks.named(click_id)
        if click is not None and charge.of(click.program, click.at) == program.pk:
            named.append(click.evidence)
        owner = owners.get(canonical_code(code)) if code else None
        if owner is not None and charge.of(owner[0], occurred_at) == program.pk:
            named.append(Named(advocate=owner[1], method=METHOD_OF_SOURCE.get(source, BY_CODE)))
        if named:
            found[pk] = named
    return found


@dataclass(frozen=True, slots=True)
class _Click:
    program: int
    at: datetime
    evidence: Named


class _Clicks:
    """The clicks that events name, each with all human clicks of its visitor in the program."""

    _COLUMNS = ("pk", "click_id", "at", "visitor", "program_id", "link_id", "link__customer_id", "channel", "verdict")

    def __init__(self, ids: set[str], programs: set[int]) -> None:
        in_programs = Click.objects.filter(program__in=programs)
        self._named = {
            row[1]: row
            for some in _chunks(sorted(ids), MANY)
            for row in in_programs.filter(click_id__in=some).values_list(*self._COLUMNS)
        }
        visitors = sorted({row[3] for row in self._named.values() if row[3]})
        self._of_visitor: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for some in _chunks(visitors, MANY):
            people = in_programs.filter(visitor__in=some, verdict=Click.Verdict.PERSON)
            for row in people.order_by("pk").values_list(*self._COLUMNS):
                self._of_visitor[row[3], row[4]].append(row)

    def named(self, click_id: str) -> _Click | None:
        """Return the click an event names, with what it is evidence of, or None."""
        row = self._named.get(click_id)
        if row is None:
            return None
        _, _, at, visitor, program, _, owner, _, verdict = row
        same = self._of_visitor[visitor, program] if visitor else []
        if not visitor and verdict == Click.Verdict.PERSON:
            same = [row]
        visits = tuple(Visit(pk=one[0], at=one[2], link_pk=one[5]) for one in same)
        by_visit = {one[0]: (one[6], one[7]) for one in same}
        named = Named(advocate=owner, method=BY_LINK, named_at=at, visits=visits, by_visit=by_visit)
        return _Click(program, at, named)


def _add_recorded(named: dict[int, list[Named]], program: Program) -> None:
    """Add the bindings as recorded that rest on other evidence than a click or a code."""
    rows = Referral.objects.filter(program=program).exclude(method__in=(BY_LINK, BY_CODE)).exclude(binding_event=None)
    columns = ("binding_event_id", "advocate_id", "method", "offer__number")
    for event, advocate, method, offer in rows.exclude(reason=UNDONE).order_by("pk").values_list(*columns):
        named.setdefault(event, []).append(Named(advocate=advocate, method=method, settled=offer == Offer.SETTLED))


def _customers_of(events: Iterable[int]) -> set[int]:
    return {
        customer
        for some in _chunks(sorted(events), MANY)
        for customer in Event.objects.filter(pk__in=some).values_list("customer_id", flat=True)
    }


def _people(pks: Iterable[int]) -> dict[int, Person]:
    return {
        person.pk: person
        for some in _chunks(sorted(pks), MANY)
        for person in _persons(Customer.objects.filter(pk__in=some).values_list(*_PERSON))
    }


_PERSON = ("pk", "email", "email_normalized", "locale", "attributes")


def _persons(rows: Iterable[tuple[Any, ...]]) -> Iterator[Person]:
    for pk, email, normalized, locale, attributes in rows:
        yield Person(pk=pk, email=email, email_normalized=normalized, locale=locale, attributes=attributes)


def _namesakes(emails: Iterable[str]) -> dict[int, Person]:
    """Return everybody with one of the addresses: their purchases count as the friend's."""
    return {
        person.pk: person
        for some in _chunks(sorted({email for email in emails if email}), MANY)
        for person in _persons(Customer.objects.filter(email_normalized__in=some).values_list(*_PERSON))
    }


def _facts(customers: Iterable[int], at: datetime) -> list[Fact]:
    """Return the customers' facts and the refunds of their orders, in the order in which they arrived."""
    known = Event.objects.filter(type__in=_FACTS, received_at__lte=at)
    found: dict[int, Fact] = {}
    for some in _chunks(sorted(customers), MANY):
        for row in known.filter(customer__in=some).values_list(*_COLUMNS).iterator(chunk_size=MANY):
            found[row[0]] = _fact(row)
    orders = sorted(fact.order_id for fact in found.values() if fact.type == "purchase")
    for some_orders in _chunks(orders, MANY):
        refunds = known.filter(type=Event.Type.REFUND, order_id__in=some_orders)
        for row in refunds.values_list(*_COLUMNS).iterator(chunk_size=MANY):
            found[row[0]] = _fact(row)
    return [found[pk] for pk in sorted(found)]


def _fact(row: tuple[Any, ...]) -> Fact:
    return Fact(**dict(zip(_COLUMNS, row, strict=True)))


def _values(fact: Fact, link: Link) -> Mapping[str, Value]:
    return event_values(cast(Event, fact), cast(Referral, link))


def _runs_at(program: Program, document: ProgramDocument) -> "_Running":
    edited = copy(program)
    edited.starts, edited.ends = document.starts, document.ends
    prefetch_related_objects([edited], "statuses")
    return _Running(edited)


@dataclass(frozen=True, slots=True)
class _Running:
    program: Program

    def __call__(self, instant: datetime) -> bool:
        return program_runs_at(self.program, instant)


def _elsewhere(program: Program) -> dict[int, frozenset[int]]:
    live = Referral.objects.filter(state__in=Referral.LIVE).exclude(program=program)
    found: dict[int, set[int]] = defaultdict(set)
    for friend, advocate in live.values_list("friend_id", "advocate_id"):
        found[friend].add(advocate)
    return {friend: frozenset(advocates) for friend, advocates in found.items()}


def _real(program: Program) -> list[Granted]:
    columns = ("recipient_id", "side", "rule", "moment", "kind", "points", "occurred_at")
    standing = Reward.objects.filter(program=program, state__in=Reward.STANDING, moment__in=_REPLAYED)
    rows = standing.values_list(*columns)
    return [
        Granted(
            recipient=row[0], side=row[1], rule=row[2], moment=row[3], kind=row[4], points=row[5], occurred_at=row[6]
        )
        for row in rows.iterator(chunk_size=MANY)
    ]
