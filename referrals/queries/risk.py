"""Reading the facts around a referral in the shape that the risk rules look at."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from referrals.models import BlockEntry, Click, Customer, Referral
from referrals.queries.blocks import entries_on
from referrals.risk import Brought, Context, Person, Visit

SIBLINGS = 500
"""How many of an advocate's friends, those bound nearest in time first, are looked at."""
ABOVE = 4
"""How many steps up, from the advocate to those who brought them, are looked at."""
_DAY = timedelta(days=1)
_CLICK = ("click__at", "click__visitor", "click__day_hash", "click__utm")


def load_risk_context(referral: Referral, *, converted_at: datetime | None) -> Context:
    """Return the facts around a referral, saved or not, that qualified at `converted_at` (None: not yet)."""
    friend, advocate = referral.friend, referral.advocate
    visit = _visit_of(referral.click)
    above, visits = _above(advocate)
    watching = entries_on(friend, advocate, effect=BlockEntry.Effect.WATCH, at=referral.bound_at)
    return Context(
        friend=_person(friend),
        advocate=_person(advocate),
        bound_at=referral.bound_at,
        converted_at=converted_at,
        visit=visit,
        siblings=_siblings(referral),
        above=above,
        advocate_visits=visits,
        returns=_returns(friend, advocate, above),
        network_advocates=_network_advocates(visit, advocate) if visit else 0,
        day_visitors=_day_visitors(referral.click) if referral.click else 0,
        watched=tuple(entry.reason for entry in watching),
    )


def _person(customer: Customer) -> Person:
    return Person(pk=customer.pk, email=customer.email, name=customer.name)


def _visit_of(click: Click | None) -> Visit | None:
    return _visit(click.at, click.visitor, click.day_hash, click.utm) if click else None


def _visit(at: datetime | None, visitor: str, trace: str, utm: dict[str, Any]) -> Visit | None:
    if at is None:
        return None
    return Visit(at=at, browser=visitor, trace=trace, source=" ".join(str(value) for value in utm.values()))


def _siblings(referral: Referral) -> tuple[Brought, ...]:
    """Return the advocate's other friends, of all programs, each once: what a person binds twice is no series."""
    others = Referral.objects.filter(advocate=referral.advocate).exclude(friend=referral.friend)
    columns = ("friend_id", "friend__email", "friend__name", "bound_at", "state", *_CLICK)
    later = others.filter(bound_at__gte=referral.bound_at).order_by("bound_at", "pk")
    earlier = others.filter(bound_at__lt=referral.bound_at).order_by("-bound_at", "-pk")
    rows = [*earlier.values_list(*columns)[:SIBLINGS], *later.values_list(*columns)[:SIBLINGS]]
    found: dict[int, Brought] = {}
    for pk, email, name, bound_at, state, *click in rows:
        found.setdefault(
            pk,
            Brought(person=Person(pk=pk, email=email, name=name), bound_at=bound_at, state=state, visit=_visit(*click)),
        )
    return tuple(found.values())


def _above(advocate: Customer) -> tuple[tuple[Person, ...], tuple[Visit, ...]]:
    """Return who brought the advocate, and who brought those, and the clicks that bound the advocate."""
    people: dict[int, Person] = {}
    visits: list[Visit] = []
    level = {advocate.pk}
    for step in range(ABOVE):
        rows = Referral.objects.filter(friend_id__in=level).order_by("pk")
        level = set()
        columns = ("advocate_id", "advocate__email", "advocate__name", *_CLICK)
        for pk, email, name, *click in rows.values_list(*columns):
            visit = _visit(*click)
            visits += [visit] if visit and step == 0 else []
            if pk not in people and pk != advocate.pk:
                people[pk] = Person(pk=pk, email=email, name=name)
                level.add(pk)
        if not level:
            break
    return tuple(people.values()), tuple(visits)


def _returns(friend: Customer, advocate: Customer, above: Iterable[Person]) -> bool:
    circle = [advocate.pk, *(person.pk for person in above)]
    back = Referral.objects.filter(advocate=friend, friend_id__in=circle).exclude(friend=friend)
    return back.exists()


def _network_advocates(visit: Visit, advocate: Customer) -> int:
    if not visit.trace:
        return 0
    same = Referral.objects.filter(
        click__day_hash=visit.trace, click__at__gt=visit.at - _DAY, click__at__lt=visit.at + _DAY
    )
    return same.exclude(advocate=advocate).values("advocate").distinct().count()


def _day_visitors(click: Click) -> int:
    """Count who followed the link in the 24 hours around the click: by browser, or by the day's hash without one."""
    people = Click.objects.filter(
        link_id=click.link_id, verdict=Click.Verdict.PERSON, at__gte=click.at - _DAY / 2, at__lte=click.at + _DAY / 2
    ).values_list("visitor", "day_hash")
    return len({visitor or trace for visitor, trace in people.distinct()[:1000] if visitor or trace})
