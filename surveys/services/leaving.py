"""One reminder to those who have not answered, and what is asked once more when a survey mail is about to leave."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from messaging.gates import Objection
from messaging.models import Message
from surveys.eligibility import Limits, Reason
from surveys.models import Invitation, Response, Survey
from surveys.queries import active_response, cause_of, hours_of, zone_of
from surveys.services.invitations import judge_customer
from surveys.services.letters import queue_reminder

State = Invitation.State
LATEST = timedelta(days=7)
"""Who could not be reminded in time is not reminded so long after it: nor when reminders are switched on later."""


def remind_due(*, at: datetime) -> int:
    """Put the reminders on their way that are due at `at`; return how many."""
    surveys = Survey.objects.filter(active=True, reminder_days__isnull=False)
    return sum(_remind(pk, at) for survey in surveys for pk in list(_silent(survey, at)))


def _silent(survey: Survey, at: datetime) -> QuerySet[Invitation, int]:
    """Return the invitations of a survey that nobody has touched; a tap that waits to be judged is an answer."""
    standing = (Response.State.PROVISIONAL, Response.State.CONFIRMED)
    answers = Response.objects.filter(invitation=OuterRef("pk"), state__in=standing)
    due = at - timedelta(days=survey.reminder_days or 0)
    found = survey.invitations.filter(state=State.SENT, reminded_at=None, expires_at__gt=at)
    found = found.filter(~Exists(answers), sent_at__lte=due, sent_at__gt=due - LATEST)
    return found.exclude(clicks__waits=True).values_list("pk", flat=True)


@transaction.atomic
def _remind(pk: int, at: datetime) -> bool:
    claimed = Invitation.objects.filter(pk=pk, state=State.SENT, reminded_at=None).update(reminded_at=at)
    if claimed:
        invitation = Invitation.objects.select_related("survey", "version", "customer").get(pk=pk)
        queue_reminder(
            invitation=invitation, at=hours_of(invitation.survey).next_open(at, zone_of(invitation.customer))
        )
    return bool(claimed)


def object_to_letter(letter: Message, at: datetime) -> Objection | None:
    """Say what speaks against an invitation's mail as it is about to leave; why and when next is kept."""
    invitation = _invitation_of(letter)
    if invitation is None or invitation.state == State.SENT:
        return None
    if invitation.state != State.PLANNED:
        return Objection(Message.Reason.WITHDRAWN)
    verdict = judge_customer(
        invitation.survey, invitation.customer, limits=_limits_of(invitation), at=at, leaving=invitation
    )
    if not verdict.asked:
        Invitation.objects.filter(pk=invitation.pk).update(next_at=verdict.next_at)
        return Objection(verdict.reason)
    return _too_early(invitation, at)


def object_to_reminder(letter: Message, at: datetime) -> Objection | None:
    """Say what speaks against a reminder: an answer, a survey that is off; soon after another question it waits."""
    invitation = _invitation_of(letter)
    if invitation is None:
        return None
    if invitation.state != State.SENT or active_response(invitation):
        return Objection(Message.Reason.ANSWERED)
    verdict = judge_customer(invitation.survey, invitation.customer, limits=Limits.PAUSE, at=at, leaving=invitation)
    if not verdict.asked:
        return Objection(verdict.reason, until=verdict.next_at if verdict.reason == Reason.THROTTLED else None)
    return _too_early(invitation, at)


def _invitation_of(letter: Message) -> Invitation | None:
    named = letter.cause.removeprefix(cause_of(Invitation(public_id="")))
    return Invitation.objects.select_related("survey", "customer").filter(public_id=named).first()


def _limits_of(invitation: Invitation) -> Limits:
    if invitation.forced:
        return Limits.NONE
    return Limits.PAUSE if invitation.cause.startswith("renewal:") else Limits.ALL


def _too_early(invitation: Invitation, at: datetime) -> Objection | None:
    opens = hours_of(invitation.survey).next_open(at, zone_of(invitation.customer))
    return Objection(Message.Reason.QUIET_HOURS, until=opens) if opens > at else None
