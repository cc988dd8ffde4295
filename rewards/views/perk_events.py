"""Perks and VIP events: what a customer has, where they are invited, and their answer.

The token in a mail's address is the whole permission to answer that one invitation and no cookie adds to it,
so these pages are exempt from the CSRF check. Opening a link changes nothing; pressing a button does.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import NotFound
from referrals.access import CHOSEN, NoCustomer, SeveralCustomers, customer_of
from rewards.access import invitation_of_token
from rewards.calendar_file import CalendarEvent, calendar_file
from rewards.invitation_tokens import invitation_url, token_of
from rewards.models import EventInvitation, PerkEvent
from rewards.queries.badges import perk_cards
from rewards.queries.perk_events import invitations_of, place_in_line
from rewards.queries.standing import perk_slugs_of
from rewards.services.perk_events import AnswersClosed, answer_invitation

PER_PAGE = 10
ANSWERS = {"yes": True, "no": False}
Page = Callable[[HttpRequest, EventInvitation, str], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]


def invitation_page(view: Page) -> View:
    """Hand the view the invitation behind the token; a kind page for a token that leads nowhere."""

    @wraps(view)
    @never_cache
    @csrf_exempt
    def load(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, invitation_of_token(token), token)
        except NotFound:
            response = render(request, "rewards/public/invitation_unknown.html", status=404)
        response["X-Robots-Tag"] = "noindex"
        return response

    return load


@require_http_methods(["GET", "HEAD", "POST"])
@invitation_page
def answer_event(request: HttpRequest, invitation: EventInvitation, token: str) -> HttpResponse:
    """Show the event with the answer that stands; POST `answer` yes or no."""
    now = timezone.now()
    coming = ANSWERS.get(request.POST.get("answer", ""))
    if coming is None:
        return _invitation(request, invitation, token)
    try:
        answer_invitation(invitation=invitation, coming=coming, at=now)
    except AnswersClosed:
        invitation.refresh_from_db()
        return _invitation(request, invitation, token, too_late=True, status=409)
    return redirect("event_invitation", token=token)


def _invitation(
    request: HttpRequest, invitation: EventInvitation, token: str, *, too_late: bool = False, status: int = 200
) -> HttpResponse:
    now, event = timezone.now(), invitation.event
    published = event.state == PerkEvent.State.PUBLISHED
    context = {
        "invitation": invitation,
        "event": event,
        "token": token,
        "too_late": too_late,
        "line": place_in_line(invitation),
        "can_say_yes": published and now < event.closes_at,
        "can_say_no": published and now < event.starts_at,
        "is_over": now >= event.ends_at,
    }
    return render(request, "rewards/public/invitation.html", context, status=status)


@require_safe
@invitation_page
def save_event(request: HttpRequest, invitation: EventInvitation, token: str) -> HttpResponse:
    """Answer the event as a calendar file."""
    event = invitation.event
    body = calendar_file(
        CalendarEvent(
            uid=f"perk-event-{event.pk}@{request.get_host()}",
            title=event.title,
            words=event.words,
            place=event.place,
            url=invitation_url(invitation.public_id),
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            stamped_at=invitation.invited_at,
            cancelled=event.state == PerkEvent.State.CANCELLED,
            sequence=1 if event.state == PerkEvent.State.CANCELLED else 0,
        )
    )
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response["Content-Disposition"] = 'attachment; filename="event.ics"'
    return response


@require_safe
@never_cache
@login_required
def show_perks(request: HttpRequest) -> HttpResponse:
    """Show the perks a customer has and the events they are invited to, the next first."""
    try:
        customer = customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return redirect("portal")
    page = Paginator(invitations_of(customer), PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    context = {
        "perks": perk_cards(perk_slugs_of(customer)),
        "page": page,
        "invitations": [(one, token_of(one.public_id), one.event.ends_at <= now) for one in page.object_list],
        "several_customers": CHOSEN in request.session,
    }
    return render(request, "rewards/portal/perks.html", context)
