"""Who is asked: invitations, and the decisions not to ask, each kept with its reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from core.errors import Refused
from core.periods import start_of_day
from messaging.models import Message
from referrals.models import Customer
from surveys.eligibility import Limits, Reason, Verdict, judge
from surveys.models import Invitation, Survey
from surveys.queries import (
    LETTER_KIND,
    cause_of,
    contact_of,
    current_version,
    history_of,
    hours_of,
    mails_by_day,
    person_of,
    throttle_of,
    zone_of,
)
from surveys.services.letters import queue_invitation_letter

_WHY = {
    Reason.ERASED: "This person was erased.",
    Reason.NO_EMAIL: "This person has no email address.",
    Reason.SUPPRESSED: "Mail to this person's address is suppressed.",
    Reason.UNSUBSCRIBED: "This person does not want surveys.",
    Reason.THROTTLED: "This person was asked or has answered not long ago.",
    Reason.INACTIVE: "This survey is not active.",
    Reason.DAILY_CAP: "This survey may not mail more people in the next 30 days.",
}


_CHUNK = 500
CAP_DAYS = 30
_ON_ITS_WAY = (Message.State.QUEUED, Message.State.SENDING, Message.State.FAILED)


class NotAsked(Refused):
    """The rules say not to ask this person now; `next_at` is when they may be asked, if that is known."""

    code = "not_asked"
    status = 409

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(_WHY.get(invitation.reason, "This person is not asked."))
        self.code = invitation.reason  # type: ignore[misc]  # the reason is the code
        self.next_at = invitation.next_at
        self.invitation = invitation


class NoFreshLink(Refused):
    """This invitation needs no fresh link, or had one already."""

    code = "no_fresh_link"


@dataclass(frozen=True, slots=True)
class InviteCounts:
    """What became of asking many: how many were asked, and how many not, by reason."""

    asked: int = 0
    not_asked: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{self.asked} asked"]
        parts += [f"{count} not asked: {reason}" for reason, count in sorted(self.not_asked.items())]
        return ", ".join(parts)


def invite_customer(
    *,
    survey: Survey,
    customer: Customer,
    at: datetime,
    send_at: datetime | None = None,
    force: bool = False,
    cause: str = "api",
) -> Invitation:
    """Ask one person, now or at `send_at`; `NotAsked` where the rules are against it, which is kept too.

    `force` lifts the throttle, never what the person wants. Not atomic as a whole, so that the kept
    refusal outlives the exception.
    """
    limits = Limits.NONE if force else Limits.ALL
    invitation = plan_invitation(survey=survey, customer=customer, at=at, send_at=send_at, limits=limits, cause=cause)
    if invitation.state == Invitation.State.NOT_ASKED:
        raise NotAsked(invitation)
    return invitation


def invite_customers(
    *, survey: Survey, customers: Iterable[Customer], at: datetime, force: bool = False, cause: str = "staff"
) -> InviteCounts:
    """Ask many, each in a transaction of its own; return how many were asked and why the others were not."""
    limits = Limits.NONE if force else Limits.ALL
    reasons: Counter[str] = Counter()
    for customer in customers:
        reasons[plan_invitation(survey=survey, customer=customer, at=at, limits=limits, cause=cause).reason] += 1
    asked = reasons.pop("", 0)
    return InviteCounts(asked, dict(reasons))


@transaction.atomic
def plan_invitation(
    *,
    survey: Survey,
    customer: Customer,
    at: datetime,
    cause: str,
    send_at: datetime | None = None,
    limits: Limits = Limits.ALL,
) -> Invitation:
    """Decide whether to ask, keep the decision, and queue the mail with it; a `send_at` that has passed means now."""
    list(person_of(customer).order_by("pk").select_for_update(no_key=True))  # two at once decide one after the other
    customer.refresh_from_db()
    wanted = hours_of(survey).next_open(max(send_at or at, at), zone_of(customer))
    verdict = judge_customer(survey, customer, limits=limits, at=wanted)
    when = wanted
    if verdict.asked and limits is not Limits.NONE and survey.daily_cap:
        when, verdict = _within_cap(survey, customer, wanted)
    invitation = Invitation.objects.create(
        survey=survey,
        version=current_version(survey),
        customer=customer,
        state=Invitation.State.PLANNED if verdict.asked else Invitation.State.NOT_ASKED,
        reason=verdict.reason,
        next_at=verdict.next_at,
        cause=cause,
        forced=limits is Limits.NONE,
        decided_at=at,
        send_at=when,
        expires_at=when + timedelta(days=survey.open_days),
    )
    if verdict.asked:
        _note_outcome(invitation, queue_invitation_letter(invitation=invitation))
    return invitation


def _within_cap(survey: Survey, customer: Customer, wanted: datetime) -> tuple[datetime, Verdict]:
    """Return the first moment from `wanted` on whose day has room; a refusal where none of the next 30 days has."""
    Survey.objects.select_for_update().get(pk=survey.pk)  # two at once count one after the other
    zone = ZoneInfo(settings.TIME_ZONE)
    taken = mails_by_day(survey, start=wanted - timedelta(days=1), zone=zone)
    when = wanted
    for ahead in range(1, CAP_DAYS + 1):
        if taken[when.astimezone(zone).date()] < (survey.daily_cap or 0):
            return when, Verdict()
        next_day = start_of_day(wanted.astimezone(zone).date() + timedelta(days=ahead), zone)
        when = hours_of(survey).next_open(next_day, zone_of(customer))
    return wanted, Verdict(Reason.DAILY_CAP, when)


def keep_refusal(*, survey: Survey, customer: Customer, at: datetime, cause: str, reason: str) -> Invitation:
    """Keep the decision not to ask somebody for a reason of whoever wanted to ask."""
    return Invitation.objects.create(
        survey=survey,
        version=current_version(survey),
        customer=customer,
        state=Invitation.State.NOT_ASKED,
        reason=reason,
        cause=cause,
        decided_at=at,
        send_at=at,
        expires_at=at,
    )


def judge_customer(
    survey: Survey, customer: Customer, *, limits: Limits, at: datetime, leaving: Invitation | None = None
) -> Verdict:
    """Return whether a survey may ask a customer at `at`, for one that is `leaving` already."""
    if not survey.active:
        return Verdict(Reason.INACTIVE)
    return judge(
        contact=contact_of(customer),
        history=history_of(customer, leaving=leaving, at=at),
        throttle=throttle_of(survey),
        limits=limits,
        at=at,
    )


@transaction.atomic
def renew_invitation(*, invitation: Invitation, at: datetime) -> Invitation:
    """Send a fresh link for an unanswered invitation that has run out, once and only to the same customer.

    `NoFreshLink` where that is not so; the returned row is `not_asked` where nothing may be sent now.
    """
    locked = Invitation.objects.select_for_update().select_related("survey", "customer").get(pk=invitation.pk)
    cause = f"renewal:{locked.public_id}"
    if locked.answered_at or not locked.is_over(at) or _sent_ones().filter(cause=cause).exists():
        raise NoFreshLink("There is no fresh link for this invitation.")
    return plan_invitation(survey=locked.survey, customer=locked.customer, at=at, cause=cause, limits=Limits.PAUSE)


def _sent_ones() -> QuerySet[Invitation]:
    return Invitation.objects.exclude(state=Invitation.State.NOT_ASKED)


def note_sent_invitations(*, at: datetime) -> int:
    """Take over from the mails due by `at` whether they were sent; return how many had news."""
    planned = Invitation.objects.filter(state=Invitation.State.PLANNED, send_at__lte=at).order_by("pk")
    rows = planned.iterator(_CHUNK)
    return sum(_note_chunk(chunk) for chunk in iter(lambda: list(islice(rows, _CHUNK)), []))


def _note_chunk(invitations: list[Invitation]) -> int:
    by_cause = {cause_of(invitation): invitation for invitation in invitations}
    letters = Message.objects.filter(kind=LETTER_KIND, cause__in=by_cause).exclude(state__in=_ON_ITS_WAY)
    return sum(_note_outcome(by_cause[letter.cause], letter) for letter in letters)


def _note_outcome(invitation: Invitation, letter: Message) -> bool:
    """Move a planned invitation to what became of its mail; one that was not sent counts as not asked."""
    if letter.state in _ON_ITS_WAY:
        return False
    gone = letter.state in (Message.State.SENT, Message.State.UNKNOWN)
    news: dict[str, Any] = (
        {"state": Invitation.State.SENT, "sent_at": letter.sent_at}
        if gone
        else {"state": Invitation.State.NOT_ASKED, "reason": letter.reason or Reason.UNDELIVERED}
    )
    moved = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.PLANNED).update(**news)
    for name, value in news.items():
        setattr(invitation, name, value)
    return moved == 1


def expire_invitations(*, at: datetime) -> int:
    """Close the unanswered invitations that can no longer be answered at `at`; return how many."""
    return Invitation.objects.filter(state__in=Invitation.OPEN, expires_at__lte=at).update(
        state=Invitation.State.EXPIRED
    )
