"""The friend's gift before any order: a page behind a share link where a coupon can be had, once."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.addresses import client_address
from core.errors import Refused
from referrals.bots import PERSON, judge_visit
from referrals.landing import landing_problem, with_query
from referrals.models import Claim, Click, Link, Program
from referrals.queries.links import link_of_code
from referrals.queries.programs import offer_live_at, program_runs_at, terms_of
from referrals.services.claims import Claimant, holder_of
from referrals.services.clicks import Visit, may_visit, note_miss, record_click, seconds_left
from referrals.visitors import VISITOR_COOKIE, known_visitor, new_visitor, objects_to_cookies
from rewards.models import Coupon, CouponPool
from rewards.services.claiming import claim_gift, gift_rule
from rewards.services.coupons import coupon_problem

_STATUS = {"": 200, "too_many_claims": 429, "no_gift": 404}


@require_http_methods(["GET", "HEAD", "POST"])
def show_gift(request: HttpRequest, code: str) -> HttpResponse:
    """Show the gift behind a share link; a POST hands out its coupon, and asking again shows the same one."""
    at = timezone.now()
    address = client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
    link = link_of_code(code)
    if link is None:
        response = _unknown(request, 404) if note_miss(address=address, at=at) else _too_many(request, at)
    elif not may_visit(address=address, at=at):
        response = _too_many(request, at)
    elif not program_runs_at(link.program, at):
        ended = link.program.status == Program.Status.ENDED
        response = _unknown(request, 410 if ended else 404, not_running=True)
    else:
        response = _gift(request, link, address, at)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"  # not less: a form's origin check needs it
    response["X-Robots-Tag"] = "noindex"
    return response


def _unknown(request: HttpRequest, status: int, *, not_running: bool = False) -> HttpResponse:
    return render(request, "referrals/public/unknown_code.html", {"not_running": not_running}, status=status)


def _too_many(request: HttpRequest, at: datetime) -> HttpResponse:
    response = render(request, "referrals/public/too_many_codes.html", status=429)
    response["Retry-After"] = str(seconds_left(at))
    return response


def _gift(request: HttpRequest, link: Link, address: str, at: datetime) -> HttpResponse:
    terms = terms_of(offer_live_at(link.program, at))
    claimant = _claimant(request, link, address)
    claim = _claimed(claimant, at)
    rule = gift_rule(terms, {"channel": "", "method": "code"}, at=at)
    if claim is None and not terms.rules_on("claim"):
        return redirect("follow_link", code=link.code)
    problem = ""
    if claim is None and request.method == "POST":
        try:
            return _hand_out(request, claimant, at)
        except Refused as refusal:
            problem = refusal.code
    coupon = Coupon.objects.select_related("pool").filter(key=claim.key).first() if claim else None
    pool = coupon.pool if coupon else CouponPool.objects.filter(name=rule.what if rule else "").first()
    context = {
        "program": link.program,
        "advocate": link.customer.first_name,
        "gives": pool.gives if pool else "",
        "claim": claim,
        "over": coupon_problem(coupon, at=at) if coupon else "",
        "problem": problem,
        "shop_url": _shop_url(claim) if claim else "",
    }
    return render(request, "rewards/public/gift.html", context, status=_STATUS.get(problem, 409))


def _claimant(request: HttpRequest, link: Link, address: str) -> Claimant:
    visitor = known_visitor(request.COOKIES.get(VISITOR_COOKIE, ""))
    own = Click.objects.filter(visitor=visitor, link=link, verdict=Click.Verdict.PERSON).order_by("-at", "-pk")
    return Claimant(
        link=link,
        click=own.first() if visitor else None,
        visitor=visitor,
        address=address,
        agent=request.headers.get("user-agent", "")[:512],
    )


def _claimed(claimant: Claimant, at: datetime) -> Claim | None:
    holder = holder_of(claimant, at=at)
    mine = Claim.objects.select_related("program", "link", "click").filter(program=claimant.link.program)
    return mine.filter(holder=holder).first() if holder else None


def _hand_out(request: HttpRequest, claimant: Claimant, at: datetime) -> HttpResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    allowed = settings.VISITOR_COOKIE and not objects_to_cookies(headers)
    visitor = claimant.visitor or (new_visitor() if allowed else "")
    click = claimant.click or _visit(claimant, headers, visitor, at)
    given = Claimant(link=claimant.link, click=click, visitor=visitor, address=claimant.address, agent=claimant.agent)
    if not visitor:  # known by the day's hash alone, which a click of its own would hide
        given = Claimant(link=claimant.link, address=claimant.address, agent=claimant.agent)
    claim_gift(claimant=given, at=at)
    response = HttpResponseRedirect(request.path)
    if visitor and visitor != claimant.visitor:
        days = terms_of(offer_live_at(claimant.link.program, at)).attribution_window_days
        response.set_cookie(
            VISITOR_COOKIE,
            visitor,
            max_age=timedelta(days=max(days, 1)),
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _visit(claimant: Claimant, headers: dict[str, str], visitor: str, at: datetime) -> Click | None:
    """Keep that a person came to the gift itself, so that the touch behind it is known; None for a machine."""
    verdict = judge_visit(headers)
    if verdict.kind != PERSON or not visitor:
        return None
    visit = Visit(verdict=verdict, agent=claimant.agent, address=claimant.address, visitor=visitor)
    return record_click(link=claimant.link, visit=visit, at=at)


def _shop_url(claim: Claim) -> str:
    """Return the landing page with all that binds the friend there, or '' where it may not be linked."""
    program = claim.program
    if landing_problem(program.landing_url, program.allowed_landing_hosts):
        return ""
    told = {"ref": claim.link.code, "coupon": claim.coupon}
    if claim.click is not None:
        told["click"] = claim.click.click_id
    return with_query(program.landing_url, told)
