"""Which facts besides purchases may qualify a friend: leads that were won, custom events. Pure values."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from referrals.judgement import Happening


class Told(Protocol):
    """A reported fact, as far as it matters here; `type` is 'custom', 'lead' or 'lead_stage'."""

    @property
    def pk(self) -> int: ...
    @property
    def event_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def amount_minor(self) -> int | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def lead_id(self) -> str: ...
    @property
    def lead_stage(self) -> str: ...


def happenings_of(facts: Iterable[Told]) -> Iterator[Happening]:
    """Yield what may qualify, of facts in the order in which they occurred; a won lead has the value last told."""
    value: dict[str, tuple[int, str]] = {}
    for fact in facts:
        if fact.type == "custom":
            kind = f"custom:{fact.name}"
        else:
            if fact.amount_minor is not None:
                value[fact.lead_id] = (fact.amount_minor, fact.currency)
            if fact.lead_stage != "won":
                continue
            kind = "lead_won"
        minor, currency = value.get(fact.lead_id, (None, "")) if kind == "lead_won" else (None, "")
        yield Happening(
            pk=fact.pk,
            event_id=fact.event_id,
            occurred_at=fact.occurred_at,
            kind=kind,
            value_minor=minor,
            currency=currency,
        )
