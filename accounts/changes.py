"""Changes that need a second person: asked by one, decided by another, done exactly as asked.

Each kind (`config/change_kinds.py`) says who may decide, what differs, and how it is done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.events import ChangeAsked
from accounts.models import ChangeRequest, User
from core.dispatch import publish
from core.errors import NotFound, Refused

State = ChangeRequest.State


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeKind:
    """A kind of change.

    `permission` is what whoever decides must have; `lines` tells the difference in words; `conflict` says what
    changed since it was asked, or nothing; `do` does it, in the name of `actor`, and may raise `Refused`.
    """

    label: str
    permission: str
    lines: Callable[[ChangeRequest], list[str]]
    conflict: Callable[[ChangeRequest], str]
    do: Callable[[ChangeRequest, str, datetime], Any]


class ChangeDecided(Refused):
    """The change was decided before; the detail says how."""

    code = "change_decided"


class SamePerson(Refused):
    """Whoever asks for a change does not approve it, and nobody else withdraws it."""

    code = "same_person"


class MayNotDecide(Refused):
    """The person lacks the permission that this kind of change asks for."""

    code = "may_not_decide"
    status = 403


class ChangedMeanwhile(Refused):
    """What the change was asked about is no longer as it was then; it has to be asked anew."""

    code = "changed_meanwhile"


@cache
def _kinds() -> Mapping[str, ChangeKind]:
    found: Mapping[str, ChangeKind] = import_string(settings.CHANGE_KINDS)
    return found


def kind_of(change: ChangeRequest) -> ChangeKind:
    """Return what the change's kind does; `NotFound` where it is gone from the list."""
    kind = _kinds().get(change.kind)
    if kind is None:
        raise NotFound(f"there is no kind of change {change.kind!r} any more")
    return kind


@transaction.atomic
def ask_change(
    *,
    kind: str,
    subject: str,
    title: str,
    payload: Mapping[str, Any],
    before: Mapping[str, Any],
    reason: str,
    actor: str,
    asker: User | None,
    at: datetime,
) -> ChangeRequest:
    """Keep what somebody wants done until a second person decides; tell those who may."""
    change = ChangeRequest.objects.create(
        kind=kind,
        subject=subject,
        title=title[:200],
        payload=dict(payload),
        before=dict(before),
        reason=reason.strip()[:200],
        asked_by=actor[:100],
        asker=asker,
        asked_at=at,
    )
    publish(ChangeAsked(subject=f"change:{change.pk}", change=change.pk))
    return change


@transaction.atomic
def approve_change(*, change: ChangeRequest, by: User, note: str, at: datetime) -> ChangeRequest:
    """Do exactly what was asked, in the names of both.

    Raises `SamePerson`, `MayNotDecide`, `ChangeDecided`, `ChangedMeanwhile`, and what the doing itself refuses.
    """
    _may_decide(change, by)
    _refuse_same_person(change, by)
    change = _decide(change, State.APPROVED, by=str(by), note=note, at=at)
    kind = kind_of(change)
    if conflict := kind.conflict(change):
        raise ChangedMeanwhile(f"{conflict}; refuse or withdraw this one and ask anew")
    kind.do(change, f"{change.asked_by}, approved by {by}"[:100], at)
    return change


@transaction.atomic
def refuse_change(*, change: ChangeRequest, by: User, note: str, at: datetime) -> ChangeRequest:
    """Refuse what was asked: nothing is done. Raises `MayNotDecide`, `ChangeDecided`."""
    _may_decide(change, by)
    return _decide(change, State.REFUSED, by=str(by), note=note, at=at)


@transaction.atomic
def withdraw_change(*, change: ChangeRequest, by: User, note: str, at: datetime) -> ChangeRequest:
    """Take back what one asked oneself. Raises `SamePerson` for anybody else, `ChangeDecided`."""
    if change.asker_id != by.pk:
        raise SamePerson("only who asked for it withdraws it; others refuse it")
    return _decide(change, State.WITHDRAWN, by=str(by), note=note, at=at)


@transaction.atomic
def record_change(
    *,
    kind: str,
    subject: str,
    title: str,
    payload: Mapping[str, Any],
    before: Mapping[str, Any],
    actor: str,
    at: datetime,
) -> ChangeRequest:
    """Keep a change that was done at once by whoever rules the machine itself, for others to see."""
    return ChangeRequest.objects.create(
        kind=kind,
        subject=subject,
        title=title[:200],
        payload=dict(payload),
        before=dict(before),
        reason="done on the command line",
        asked_by=actor[:100],
        asked_at=at,
        state=State.APPROVED,
        decided_by=actor[:100],
        decided_at=at,
        note="done on the command line, without a second person",
    )


def approvers_of(change: ChangeRequest) -> list[User]:
    """Return the staff who may approve the change: everybody with its permission but who asked."""
    staff = User.objects.filter(is_staff=True, is_active=True).exclude(pk=change.asker_id or 0).order_by("pk")
    permission = kind_of(change).permission
    return [user for user in staff if user.has_perm(permission)]


def _refuse_same_person(change: ChangeRequest, by: User) -> None:
    if change.asker_id == by.pk or change.asked_by == str(by):
        raise SamePerson("somebody else than who asked has to approve")


def _may_decide(change: ChangeRequest, by: User) -> None:
    if not by.has_perm(kind_of(change).permission):
        raise MayNotDecide("your role does not include this decision")


def _decide(change: ChangeRequest, state: str, *, by: str, note: str, at: datetime) -> ChangeRequest:
    moved = ChangeRequest.objects.filter(pk=change.pk, state=State.OPEN).update(
        state=state, decided_by=by[:100], note=note.strip()[:200], decided_at=at
    )
    change = ChangeRequest.objects.get(pk=change.pk)
    if moved != 1:
        raise ChangeDecided(f"this is already {change.state} (by {change.decided_by})")
    return change
