"""/sandbox/: the clock of a sandbox, and what happened when it was moved. Routed there alone."""

from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from analytics.forms import ClockForm
from analytics.queries.happenings import happenings_between
from analytics.services.sandbox import move_clock, the_clock
from core.errors import Refused
from core.sandbox import Clock

PER_PAGE = 100
STEPS = [("+1 hour", "hours", 1), ("+1 day", "days", 1), ("+7 days", "days", 7), ("+14 days", "days", 14)]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def show_clock(request: HttpRequest) -> HttpResponse:
    """Show the clock and what happened in its last move; move it forward. For the sandbox's staff."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not request.user.is_staff or settings.SANDBOX_CLOCK is None:
        raise Http404
    clock = the_clock()
    form = ClockForm(request.POST if request.method == "POST" else None)
    failed: dict[str, str] = {}
    if request.method == "POST" and form.is_valid():
        try:
            failed = move_clock(to=form.target(clock.now())).failed
        except Refused as refusal:
            form.add_error(None, refusal.detail)
        else:
            if not failed:
                return redirect("sandbox")
    status = 422 if form.errors else 200
    return render(request, "analytics/staff/sandbox.html", _context(request, clock, form, failed), status=status)


def _context(request: HttpRequest, clock: Clock, form: ClockForm, failed: dict[str, str]) -> dict[str, object]:
    moves = clock.moves()
    number = _number(request, len(moves))
    shown = moves[number] if moves else None
    happened = happenings_between(shown.start, shown.end) if shown else []
    kind = request.GET.get("kind", "")
    listed = [one for one in happened if kind in ("", one.kind)]
    return {
        "here": "sandbox",
        "now": clock.now(),
        "lead_days": round(clock.lead() / timedelta(days=1)),
        "form": form,
        "failed": failed,
        "steps": STEPS,
        "moves": list(enumerate(moves)),
        "number": number,
        "shown": shown,
        "counts": sorted(Counter(one.kind for one in happened).items()),
        "kind": kind,
        "page": Paginator(listed, PER_PAGE).get_page(request.GET.get("page")),
        "time_zone": settings.TIME_ZONE,
        "soonest": clock.now() + timedelta(minutes=1),
    }


def _number(request: HttpRequest, count: int) -> int:
    text = request.GET.get("move", "0")
    return min(int(text), max(count - 1, 0)) if text.isdecimal() and len(text) < 4 else 0
