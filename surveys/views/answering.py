"""The survey as its recipient sees it. Only a press of the button answers; opening a link never does.

The token in the address is the whole permission and no cookie adds to it, so there is nothing for a
foreign site to forge: the pages are exempt from the CSRF check and work where cookies are blocked.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import NotFound
from referrals.models import Placement
from referrals.services.experiments import show_share_cards
from referrals.services.links import ensure_links
from surveys.access import invitation_of_token
from surveys.answers import may_submit_itself
from surveys.forms import AnswerForm, MoreForm
from surveys.models import Invitation, Response
from surveys.queries import active_response, sent_at_of
from surveys.scales import NPS, SCALES, Level, score_of_text
from surveys.services.answers import (
    EditWindowOver,
    InvitationClosed,
    confirm_answer,
    edit_ends_at,
    is_settled_for_good,
    record_click,
)
from surveys.services.invitations import NoFreshLink, renew_invitation
from surveys.words import follow_up, shown_question

Page = Callable[[HttpRequest, Invitation, str], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]


def survey_page(view: Page) -> View:
    """Hand the view the invitation behind the token; kind pages for a token that leads nowhere (any more)."""

    @wraps(view)
    @never_cache
    @csrf_exempt
    def load(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, invitation_of_token(token), token)
        except NotFound:
            response = _page(request, "unknown", {}, status=404)
        except InvitationClosed:
            response = _page(request, "closed", {"token": token}, status=410)
        except EditWindowOver:
            response = _page(request, "stands", {"token": token}, status=409)
        response["X-Robots-Tag"] = "noindex"
        return response

    return load


@require_http_methods(["GET", "HEAD", "POST"])
@survey_page
def answer_survey(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Show the question with the score of the link chosen; POST confirms the answer."""
    if request.method == "POST":
        return _confirm(request, invitation, token)
    now = timezone.now()
    score = score_of_text(request.GET.get("score", ""), invitation.survey.kind)
    _note_click(request, invitation, score=score, at=now)
    return _open(request, invitation, token, score=score, at=now)


@require_safe
@survey_page
def open_hidden_link(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The link that mails hide from people: keep that a machine opened it, and show the page as ever."""
    now = timezone.now()
    _note_click(request, invitation, score=None, at=now, trap=True)
    return _open(request, invitation, token, score=None, at=now)


@require_safe
@survey_page
def thank(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Thank for the answer that stands: promoters see how to refer, the others are asked one thing more."""
    standing = active_response(invitation)
    if standing is None or standing.score is None:
        return redirect("surveys:answer", token=token)
    level = SCALES[standing.kind].level_of(standing.score)
    context = {
        "token": token,
        "survey": invitation.survey,
        "first_name": invitation.customer.first_name,
        "response": standing,
        "told": "told" in request.GET,
        "asked": follow_up(standing.version, level),
        "editable_until": _editable_until(standing),
        "shares": show_share_cards(
            links=ensure_links(customer=invitation.customer), placement=Placement.SURVEY, at=timezone.now()
        )
        if standing.kind == NPS and level is Level.HIGH
        else [],
    }
    return _page(request, f"thanks_{level}", context)


@require_POST
@survey_page
def tell_more(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Add what a person says after the thanks to the comment of their answer."""
    standing = active_response(invitation)
    form = MoreForm(request.POST)
    if standing is None or standing.score is None or not form.is_valid():
        return redirect("surveys:thanks", token=token)
    comment = "\n\n".join(filter(None, [standing.comment, form.cleaned_data["more"]]))
    confirm_answer(invitation=invitation, score=standing.score, comment=comment, at=timezone.now())
    return redirect(f"{_thanks_of(token)}?told=1")


@require_http_methods(["GET", "HEAD", "POST"])
@survey_page
def request_fresh_link(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """POST mails a fresh link to the same customer if one may be sent; the page says the same either way."""
    if request.method != "POST":
        return _page(request, "fresh_link", {})
    with suppress(NoFreshLink):  # whoever holds an old link learns nothing
        renew_invitation(invitation=invitation, at=timezone.now())
    return redirect("surveys:fresh_link", token=token)


def _confirm(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    now = timezone.now()
    if invitation.is_over(now):
        raise InvitationClosed("This survey is closed.")
    form = AnswerForm(request.POST, kind=invitation.survey.kind)
    if not form.is_valid():
        return _question(request, invitation, token, form=form, status=422)
    answer = form.cleaned_data
    _note_click(request, invitation, score=answer["score"], at=now)
    standing = active_response(invitation)
    confirm_answer(
        invitation=invitation,
        score=answer["score"],
        comment=answer["comment"] or (standing.comment if standing and answer["itself"] else ""),
        at=now,
        language=get_language() or "",
        confirmed_by=_confirmed_by(answer, standing),
    )
    return redirect("surveys:thanks", token=token)


def _confirmed_by(answer: dict[str, Any], standing: Response | None) -> Response.ConfirmedBy:
    by = Response.ConfirmedBy
    if standing is not None and standing.confirmed_by and standing.score != answer["score"]:
        return by.CHANGE
    if answer["comment"]:
        return by.COMMENT
    return by.LATE_OPEN if answer["itself"] else by.BUTTON


def _open(request: HttpRequest, invitation: Invitation, token: str, *, score: int | None, at: datetime) -> HttpResponse:
    if invitation.is_over(at):
        raise InvitationClosed("This survey is closed.")
    standing = active_response(invitation)
    if standing is not None and is_settled_for_good(standing, at):
        return redirect("surveys:thanks", token=token)
    before = {} if standing is None else {"score": standing.score, "comment": standing.comment}
    chosen = {} if score is None else {"score": score}
    form = AnswerForm(initial=before | chosen, kind=invitation.survey.kind)
    itself = (
        score is not None and (standing is None or standing.score != score) and may_submit_itself(_age(invitation, at))
    )
    return _question(request, invitation, token, form=form, standing=standing, itself=itself)


def _age(invitation: Invitation, at: datetime) -> timedelta | None:
    sent_at = sent_at_of(invitation)
    return None if sent_at is None else at - sent_at


def _question(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    *,
    form: AnswerForm,
    standing: Response | None = None,
    itself: bool = False,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "token": token,
        "form": form,
        **shown_question(invitation.survey, invitation.version, chosen=str(form["score"].value())),
        "standing": standing if standing and standing.confirmed_by else None,
        "itself": itself,
        "editable_until": _editable_until(standing) if standing else None,
    }
    return _page(request, "question", context, status=status)


def _note_click(
    request: HttpRequest, invitation: Invitation, *, score: int | None, at: datetime, trap: bool = False
) -> None:
    record_click(
        invitation=invitation, score=score, method=request.method or "", headers=request.headers, at=at, trap=trap
    )


def _editable_until(standing: Response) -> datetime | None:
    ends_at = edit_ends_at(standing)
    return ends_at if timezone.now() < ends_at else None


def _thanks_of(token: str) -> str:
    return reverse("surveys:thanks", kwargs={"token": token})


def _page(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, f"surveys/public/{name}.html", context, status=status)
