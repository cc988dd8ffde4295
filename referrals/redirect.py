"""The redirect of share links: `open_link` decides, `follow_link` speaks HTTP for it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.addresses import client_address
from referrals.bots import PERSON, PREVIEW, judge_visit
from referrals.landing import landing_problem, utm_of, with_query
from referrals.models import Link, Program
from referrals.queries.links import channel_of, link_of_code, placement_of
from referrals.queries.programs import current_offer, program_runs_at, terms_of
from referrals.queries.takeovers import program_in_charge
from referrals.services.clicks import Visit, may_visit, note_miss, record_click, seconds_left
from referrals.visitors import VISITOR_COOKIE, known_visitor, new_visitor, objects_to_cookies

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """One request for a share link; header names in lower case, of the query each name's first value."""

    code: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    visitor: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to answer: `status` 302 with `location`, 404, 410 or 429; `visitor` is the cookie to set, if any."""

    status: int
    location: str = ""
    visitor: str = ""
    visitor_days: int = 0
    forget_visitor: bool = False
    program: Program | None = None


@transaction.atomic
def open_link(knock: Knock, *, at: datetime) -> Outcome:
    """Decide on one visit and store its click, where it counts as one (a HEAD never does)."""
    link = link_of_code(knock.code)
    if link is None:
        return Outcome(status=404 if note_miss(address=knock.address, at=at) else 429)
    if not may_visit(address=knock.address, at=at):
        return Outcome(status=429)
    program = program_in_charge(link.program, at)
    if not program_runs_at(program, at):
        return Outcome(status=410 if program.status == Program.Status.ENDED else 404, program=program)
    problem = landing_problem(program.landing_url, program.allowed_landing_hosts)
    if problem:
        logger.error("program %s has a landing page that is not allowed: %s", program.slug, problem)
        return Outcome(status=404, program=program)
    return _send_on(link, program, knock, at)


def _send_on(link: Link, program: Program, knock: Knock, at: datetime) -> Outcome:
    verdict = judge_visit(knock.headers)
    utm = utm_of(knock.query)
    if not knock.counts:
        return Outcome(status=302, location=with_query(program.landing_url, utm | {"ref": link.code}))
    days = _visitor_days(program, knock) if verdict.kind == PERSON else 0
    visitor = (known_visitor(knock.visitor) or new_visitor()) if days else ""
    visit = Visit(
        verdict=verdict,
        agent=knock.headers.get("user-agent", "")[:512],
        address=knock.address,
        channel=channel_of(knock.query),
        placement=placement_of(knock.query),
        utm=utm,
        visitor=visitor,
    )
    click = record_click(link=link, visit=visit, at=at)
    if verdict.kind == PREVIEW and settings.GREETING_PREVIEWS:  # an app looks what to show before it is sent
        return Outcome(status=302, location=f"{settings.PUBLIC_BASE_URL}{reverse('hello', args=[link.code])}")
    ours = {} if verdict.embedded else {"ref": link.code, "click": click.click_id}
    return Outcome(
        status=302,
        location=with_query(program.landing_url, utm | ours),
        visitor=visitor,
        visitor_days=days,
        forget_visitor=bool(knock.visitor) and _objects(knock),
    )


def _objects(knock: Knock) -> bool:
    """Tell whether the browser asks not to be followed (Global Privacy Control, Do Not Track)."""
    return objects_to_cookies(knock.headers)


def _visitor_days(program: Program, knock: Knock) -> int:
    """Return for how many days the visitor may be recognised: the attribution window, or 0 for not at all."""
    if not settings.VISITOR_COOKIE or _objects(knock):
        return 0
    return terms_of(current_offer(program)).attribution_window_days


@require_safe
def follow_link(request: HttpRequest, code: str) -> HttpResponse:
    """Send a visitor of a share link to the program's landing page, or answer with a friendly page."""
    at = timezone.now()
    knock = Knock(
        code=code,
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: values[0] for name, values in request.GET.lists() if values},
        address=client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT),
        visitor=request.COOKIES.get(VISITOR_COOKIE, ""),
        counts=request.method == "GET",
    )
    outcome = open_link(knock, at=at)
    response = _answer(request, outcome, at)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _answer(request: HttpRequest, outcome: Outcome, at: datetime) -> HttpResponse:
    if outcome.status != 302:
        page = "too_many_codes" if outcome.status == 429 else "unknown_code"
        context = {"not_running": outcome.program is not None}
        refusal = render(request, f"referrals/public/{page}.html", context, status=outcome.status)
        if outcome.status == 429:
            refusal["Retry-After"] = str(seconds_left(at))
        return refusal
    response = HttpResponseRedirect(outcome.location)
    if outcome.visitor:
        response.set_cookie(
            VISITOR_COOKIE,
            outcome.visitor,
            max_age=timedelta(days=outcome.visitor_days),
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    elif outcome.forget_visitor:
        response.delete_cookie(VISITOR_COOKIE, samesite="Lax")
    return response
