"""What becomes of taps and presses: judged by a job from all their traces, with reasons, and again when asked."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core.dispatch import publish
from surveys.answers import SETTLE, WAIT, Verdict, judge_press, judge_tap
from surveys.events import ResponseConfirmed
from surveys.models import Invitation, Response, SurveyClick
from surveys.services.answers import keep_revision, traces_of

State = Response.State
_MANY = 500


def take_up_taps(*, at: datetime) -> int:
    """Make of scores that were tapped and not confirmed provisional answers; return how many."""
    answered = Response.objects.filter(invitation=OuterRef("invitation")).filter(
        Q(state__in=[State.PROVISIONAL, State.CONFIRMED]) | Q(at__gte=OuterRef("at"))
    )
    taps = SurveyClick.objects.filter(
        ~Exists(answered), score__isnull=False, method="GET", at__lte=at, at__gt=at - 2 * WAIT
    ).exclude(invitation__state=Invitation.State.NOT_ASKED)
    invitations = taps.order_by("invitation").values_list("invitation", flat=True).distinct()
    return sum(_take_up(pk, at) for pk in list(invitations[:_MANY]))


@transaction.atomic
def _take_up(pk: int, at: datetime) -> bool:
    invitation = Invitation.objects.select_for_update(of=("self",)).select_related("survey").get(pk=pk)
    if Response.objects.filter(invitation=invitation, state__in=[State.PROVISIONAL, State.CONFIRMED]).exists():
        return False
    tap = invitation.clicks.filter(score__isnull=False, method="GET", at__lte=at).order_by("-at", "-pk").first()
    if tap is None:
        return False
    response = Response.objects.create(
        invitation=invitation,
        survey=invitation.survey,
        version_id=invitation.version_id,
        customer_id=invitation.customer_id,
        kind=invitation.survey.kind,
        score=tap.score,
        state=State.PROVISIONAL,
        first_at=tap.at,
        at=tap.at,
    )
    keep_revision(response)
    return True


def settle_answers(*, at: datetime) -> int:
    """Judge the taps that waited for a day, and the pressed answers that stood for 15 minutes; return how many."""
    taps = Response.objects.filter(state=State.PROVISIONAL, confirmed_by="", at__lte=at - WAIT)
    pressed = Response.objects.filter(state__in=[State.PROVISIONAL, State.CONFIRMED], settled_at=None)
    pressed = pressed.exclude(confirmed_by="").filter(at__lte=at - SETTLE)
    return _each(taps.values_list("pk", flat=True), at) + _each(pressed.values_list("pk", flat=True), at)


def judge_again(*, responses: Iterable[Response], at: datetime) -> int:
    """Judge answers once more by the rules as they are now; return how many changed."""
    return _each([response.pk for response in responses], at, again=True)


def _each(pks: Iterable[int], at: datetime, *, again: bool = False) -> int:
    return sum(_settle(pk, at, again=again) for pk in list(pks))


@transaction.atomic
def _settle(pk: int, at: datetime, *, again: bool) -> bool:
    response = Response.objects.select_for_update(of=("self",)).select_related("invitation").get(pk=pk)
    if not again and (response.state == State.DISCARDED or response.settled_at is not None):
        return False
    if again and response.state == State.DISCARDED and _has_another(response):
        return False
    before = response.state
    verdict = _verdict(response)
    response.reasons = list(verdict.reasons)
    response.state = State.CONFIRMED if verdict.human else State.DISCARDED
    if verdict.human and not response.confirmed_by:
        response.confirmed_by = Response.ConfirmedBy.LATE_CLICK
    first = response.settled_at is None
    response.settled_at = at
    response.save(update_fields=["reasons", "state", "confirmed_by", "settled_at"])
    _move_invitation(response)
    if verdict.human and (first or before != State.CONFIRMED):
        publish(ResponseConfirmed(subject=f"response:{response.pk}", response=response.pk))
    return before != response.state if again else True


def _has_another(response: Response) -> bool:
    active = Response.objects.filter(invitation=response.invitation, state__in=[State.PROVISIONAL, State.CONFIRMED])
    return active.exclude(pk=response.pk).exists()


def _verdict(response: Response) -> Verdict:
    traces = traces_of(response.invitation)
    by_form = {choice for choice in Response.ConfirmedBy.values if choice != Response.ConfirmedBy.LATE_CLICK}
    if response.confirmed_by in by_form:
        return judge_press(response.at, traces)
    taps = [one for one in traces if one.score is not None and not one.posted]
    return judge_tap(max(taps, key=lambda one: one.at), traces) if taps else Verdict(human=False, reasons=())


def _move_invitation(response: Response) -> None:
    """An invitation whose answer was a machine's is unanswered again."""
    mine = Invitation.objects.filter(pk=response.invitation_id)
    states = Invitation.State
    if response.state == State.CONFIRMED:
        mine.filter(state__in=Invitation.OPEN).update(state=states.ANSWERED, answered_at=response.first_at)
    elif not _has_another(response):
        mine.filter(state=states.ANSWERED).update(state=states.SENT, answered_at=None)
