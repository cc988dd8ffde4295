"""What becomes of taps and presses: judged by a job from all their traces, with reasons, and again when asked."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from core.dispatch import publish
from surveys.answers import SETTLE, WAIT, Trace, Verdict, judge_press, judge_tap
from surveys.events import ResponseConfirmed
from surveys.models import Invitation, Response, ResponseRevision, SurveyClick
from surveys.services.answers import keep_revision, traces_of

State = Response.State
_ACTIVE = (State.PROVISIONAL, State.CONFIRMED)


def take_up_taps(*, at: datetime) -> int:
    """Make of scores that were tapped and not confirmed provisional answers; return how many."""
    waiting = SurveyClick.objects.filter(waits=True, at__lte=at).order_by("invitation")
    return sum(_take_up(pk, at) for pk in list(waiting.values_list("invitation", flat=True).distinct()))


@transaction.atomic
def _take_up(pk: int, at: datetime) -> bool:
    """Take up the latest tap of an invitation, unless there is an answer, or one was judged since."""
    invitation = Invitation.objects.select_for_update(of=("self",)).select_related("survey").get(pk=pk)
    waiting = invitation.clicks.filter(waits=True, at__lte=at)
    tap = waiting.order_by("-at", "-pk").first()
    waiting.update(waits=False)
    if tap is None or invitation.state == Invitation.State.NOT_ASKED:
        return False
    known = Response.objects.filter(invitation=invitation)
    if known.filter(Q(state__in=_ACTIVE) | Q(at__gte=tap.at)).exists():
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
    return sum(_settle(pk, _is_due, at) for pk in list(_due(at).values_list("pk", flat=True)))


def judge_again(*, responses: Iterable[Response], at: datetime) -> int:
    """Judge settled answers once more by the rules as they are now; return how many changed."""
    return sum(_settle(response.pk, _may_change, at) for response in responses)


def _due(at: datetime) -> QuerySet[Response]:
    tapped, pressed = Q(confirmed_by="", at__lte=at - WAIT), ~Q(confirmed_by="") & Q(at__lte=at - SETTLE)
    return Response.objects.filter(tapped | pressed, state__in=_ACTIVE, settled_at=None)


def _is_due(response: Response, at: datetime) -> bool:
    return _due(at).filter(pk=response.pk).exists()


def _may_change(response: Response, _at: datetime) -> bool:
    return response.settled_at is not None and not (response.state == State.DISCARDED and _has_another(response))


@transaction.atomic
def _settle(pk: int, may: Callable[[Response, datetime], bool], at: datetime) -> bool:
    """Judge an answer under its invitation's lock, as it is answered; return whether that changed its state or is new.

    What a machine sent after a person's answer does not replace it: the latest revision of a person stands.
    """
    Invitation.objects.select_for_update().get(responses=pk)
    response = Response.objects.select_related("invitation").get(pk=pk)
    if not may(response, at):
        return False
    before, first = response.state, response.settled_at is None
    verdict, answer = _judge(response)
    response.reasons = list(verdict.reasons)
    response.state = State.CONFIRMED if verdict.human else State.DISCARDED
    if verdict.human:
        response.score, response.comment, response.at = answer.score, answer.comment, answer.at
        response.confirmed_by = answer.confirmed_by or Response.ConfirmedBy.LATE_CLICK
    response.settled_at = at
    response.save(update_fields=["reasons", "state", "score", "comment", "at", "confirmed_by", "settled_at"])
    _move_invitation(response)
    if verdict.human and (first or before != State.CONFIRMED):
        publish(ResponseConfirmed(subject=f"response:{response.pk}", response=response.pk))
    return first or before != response.state


def _has_another(response: Response) -> bool:
    others = Response.objects.filter(invitation=response.invitation, state__in=_ACTIVE)
    return others.exclude(pk=response.pk).exists()


def _judge(response: Response) -> tuple[Verdict, ResponseRevision]:
    """Return the verdict on the latest revision that is a person's; where none is, on the latest."""
    traces = traces_of(response.invitation)
    judged = [(_verdict(one, traces), one) for one in response.revisions.order_by("-number")]
    return next((pair for pair in judged if pair[0].human), judged[0])


def _verdict(answer: ResponseRevision, traces: Sequence[Trace]) -> Verdict:
    if answer.confirmed_by:
        return judge_press(answer.at, traces)
    tap = next((one for one in traces if one.at == answer.at and one.score == answer.score and not one.posted), None)
    return judge_tap(tap, traces) if tap else Verdict(human=False, reasons=())


def _move_invitation(response: Response) -> None:
    """An invitation whose answer was a machine's is unanswered again."""
    mine = Invitation.objects.filter(pk=response.invitation_id)
    states = Invitation.State
    if response.state == State.CONFIRMED:
        mine.filter(state__in=Invitation.OPEN).update(state=states.ANSWERED, answered_at=response.first_at)
    elif not _has_another(response):
        mine.filter(state=states.ANSWERED).update(state=states.SENT, answered_at=None)
