"""What people answer: clicks are evidence, only a person's press confirms."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from core.errors import Invalid, Refused
from surveys.answers import Trace, machine_signs
from surveys.models import Invitation, Response, ResponseRevision, SurveyClick
from surveys.queries import active_response, sent_at_of
from surveys.scales import SCALES

MAX_CLICKS = 200
MAX_COMMENT = 4000
_TELLING_HEADERS = (
    "Sec-Purpose",
    "Purpose",
    "X-Purpose",
    "X-Moz",
    "Sec-Fetch-Mode",
    "Sec-Fetch-User",
    "Sec-Fetch-Site",
    "User-Agent",
    "Via",
)
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class InvitationClosed(Refused):
    """The invitation has run out."""

    code = "invitation_closed"
    status = 410


class EditWindowOver(Refused):
    """The answer stands: the time to change it is over."""

    code = "edit_window_over"


def record_click(
    *,
    invitation: Invitation,
    score: int | None,
    method: str,
    headers: Mapping[str, str],
    at: datetime,
    trap: bool = False,
) -> SurveyClick | None:
    """Keep that a link was opened; never an answer. The first 200 of an invitation are kept, then None."""
    if invitation.clicks.count() >= MAX_CLICKS:
        return None
    telling = {name: headers[name][:200] for name in _TELLING_HEADERS if headers.get(name)}
    sent_at = sent_at_of(invitation)
    return SurveyClick.objects.create(
        invitation=invitation,
        at=at,
        method=method,
        score=score,
        seconds_since_sent=None if sent_at is None else max(0, int((at - sent_at).total_seconds())),
        trap=trap,
        prefetch=any("prefetch" in telling.get(name, "").lower() for name in _PREFETCH_HEADERS),
        headers=telling,
        waits=score is not None and method == "GET",
    )


@transaction.atomic
def confirm_answer(
    *,
    invitation: Invitation,
    score: int,
    comment: str,
    at: datetime,
    language: str = "",
    confirmed_by: str = Response.ConfirmedBy.BUTTON,
) -> Response:
    """Keep what a person answered; within the edit window a later answer replaces the earlier, all are kept.

    The same answer again changes nothing. `InvitationClosed` after the invitation has run out,
    `EditWindowOver` for another answer after the edit window, `Invalid` off the scale.
    """
    locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if locked.state == Invitation.State.NOT_ASKED or locked.is_over(at):
        raise InvitationClosed("This survey is closed.")
    scale = SCALES[locked.survey.kind]
    if score not in scale.steps():
        raise Invalid(f"expected a whole number from {scale.low} to {scale.high}", pointer="/score")
    comment = comment.strip()[:MAX_COMMENT]
    standing = active_response(locked)
    if standing is None:
        return _first_answer(locked, score=score, comment=comment, at=at, language=language, confirmed_by=confirmed_by)
    if standing.state == Response.State.CONFIRMED and (standing.score, standing.comment) == (score, comment):
        return standing
    if is_settled_for_good(standing, at):
        raise EditWindowOver("This answer can no longer be changed.")
    standing.language = language or standing.language
    return _revise(standing, score=score, comment=comment, at=at, confirmed_by=confirmed_by)


def edit_ends_at(response: Response) -> datetime:
    """Return the moment from which the answer can no longer be changed."""
    return response.first_at + timedelta(hours=response.survey.edit_hours)


def is_settled_for_good(response: Response, at: datetime) -> bool:
    """Return whether the time to change an answer is over; a tap that nobody confirmed is none yet."""
    return bool(response.confirmed_by) and at >= edit_ends_at(response)


def _first_answer(
    invitation: Invitation, *, score: int, comment: str, at: datetime, language: str, confirmed_by: str
) -> Response:
    response = Response.objects.create(
        invitation=invitation,
        survey=invitation.survey,
        version=invitation.version,
        customer=invitation.customer,
        kind=invitation.survey.kind,
        score=score,
        comment=comment,
        language=language,
        state=_state(invitation, at),
        confirmed_by=confirmed_by,
        first_at=at,
        at=at,
    )
    Invitation.objects.filter(pk=invitation.pk, state__in=Invitation.OPEN).update(
        state=Invitation.State.ANSWERED, answered_at=at
    )
    keep_revision(response)
    return response


def _state(invitation: Invitation, at: datetime) -> str:
    """A press counts at once, unless a machine is at work already: then it waits until it is judged."""
    return Response.State.PROVISIONAL if machine_signs(at, traces_of(invitation)) else Response.State.CONFIRMED


def _revise(response: Response, *, score: int, comment: str, at: datetime, confirmed_by: str) -> Response:
    if not response.confirmed_by:
        response.first_at = at
        Invitation.objects.filter(pk=response.invitation_id, state__in=Invitation.OPEN).update(
            state=Invitation.State.ANSWERED, answered_at=at
        )
    response.score = score
    response.comment = comment
    response.state = _state(response.invitation, at)
    response.confirmed_by = confirmed_by
    response.at = at
    response.revision += 1
    response.settled_at = None
    response.save()
    keep_revision(response)
    return response


def keep_revision(response: Response) -> None:
    """Keep the answer as it stands now beside those before it."""
    ResponseRevision.objects.create(
        response=response,
        number=response.revision,
        score=response.score,
        comment=response.comment,
        state=response.state,
        confirmed_by=response.confirmed_by,
        at=response.at,
    )


def traces_of(invitation: Invitation) -> list[Trace]:
    """Return all that was seen of an invitation, oldest first; a HEAD alone is none, but of the hidden link."""
    return [
        Trace(
            at=click.at,
            score=click.score,
            after=None if click.seconds_since_sent is None else timedelta(seconds=click.seconds_since_sent),
            trap=click.trap,
            prefetch=click.prefetch,
            posted=click.method == "POST",
        )
        for click in invitation.clicks.order_by("at", "pk")
        if click.method != "HEAD" or click.trap
    ]
