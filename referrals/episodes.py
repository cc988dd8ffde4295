"""How one advocate's evidence binds a friend over time, as if it had all arrived in its natural order. Pure values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from referrals.judgement import REBINDABLE, Before, Binding, Doubts, History, judge
from referrals.terms import Terms


class Weighed(Protocol):
    """Evidence weighed against the friend: the binding it would make, and the reason that voids it ('' if none)."""

    @property
    def binding(self) -> Binding: ...

    @property
    def terms(self) -> Terms: ...

    @property
    def reason(self) -> str: ...


Evidence = TypeVar("Evidence", bound=Weighed)


def natural_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence by the moment it binds, ties by event id as bytes."""
    return sorted(evidence, key=lambda one: (one.binding.bound_at, one.binding.event_id.encode()))


def has_lapsed(one: Weighed, history: History, *, at: datetime) -> bool:
    """Return whether the binding has expired by `at` without ever having qualified (rules 4 and 15)."""
    return judge(one.terms, one.binding, history, Doubts(), before=Before(), at=at).state == "expired"


def episodes(evidence: Iterable[Evidence], history: History) -> list[Evidence]:
    """Return the evidence that binds: the first that holds, then the first after each binding that lapsed.

    Evidence for a friend who is bound changes nothing. A void that only staff can reopen ends the list.
    """
    bound: list[Evidence] = []
    for one in natural_order(evidence):
        if bound and not has_lapsed(bound[-1], history, at=one.binding.bound_at):
            continue
        if one.reason in REBINDABLE:
            continue
        bound.append(one)
        if one.reason:
            break
    return bound
