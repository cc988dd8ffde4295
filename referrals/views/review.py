"""/review/: the queue of referrals that wait for staff, one pair with everything about it, and the rules' record."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import staff_may
from core import clocks
from core.errors import Refused
from referrals.access import DECIDE, LOOK
from referrals.forms import DecisionForm, QueueForm
from referrals.models import Referral
from referrals.queries.review import decided_reviews, pair_of, review_queue, rule_precision, seen_signals
from referrals.risk import RISK_VERSION
from referrals.services.lifecycle import void_referral
from referrals.services.review import approve_referral, hold_referral, undo_review

PAGE_SIZE = 25
WAITING, DECIDED = "waiting", "decided"

Work = Callable[[Referral, str, str], Referral]


def _void(kind: str) -> Work:
    def work(referral: Referral, reason: str, actor: str) -> Referral:
        return void_referral(referral=referral, reason=kind, note=reason, actor=actor, at=clocks.now())

    return work


def _by(service: Callable[..., Referral]) -> Work:
    def work(referral: Referral, reason: str, actor: str) -> Referral:
        return service(referral=referral, note=reason, actor=actor, at=clocks.now())

    return work


WORK: dict[str, Work] = {
    "approve": _by(approve_referral),
    "fraud": _void("fraud"),
    "manual": _void("manual"),
    "hold": _by(hold_referral),
    "undo": _by(undo_review),
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_may(LOOK, post=DECIDE)
def queue(request: HttpRequest) -> HttpResponse:
    """List what waits for staff, oldest first, or what was decided; decide on many at once."""
    if request.method == "POST":
        return _decide_many(request)
    form = QueueForm(request.GET)
    asked = form.asked()
    tab = DECIDED if request.GET.get("tab") == DECIDED else WAITING
    if tab == DECIDED:
        rows = decided_reviews(program=asked["program"], search=asked["q"])
    else:
        rows = review_queue(
            program=asked["program"], signal=asked["signal"], search=asked["q"], order=asked["order"] or "oldest"
        )
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    items = [(row, seen_signals(getattr(row, "signals", None) or [])) for row in page]
    kept = {key: value for key, value in asked.items() if value}
    context = {
        "here": "review",
        "form": form,
        "tab": tab,
        "page": page,
        "items": items,
        "asked": any(asked[key] for key in ("program", "signal", "q")),
        "query": urlencode({**kept, "tab": tab}) + "&",
        "now": clocks.now(),
        "may_decide": request.user.has_perm(DECIDE),
    }
    return render(request, "referrals/staff/review.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_may(LOOK, post=DECIDE)
def pair(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Show one pair: both people, what the rules saw, the history; decide on it."""
    related = ("program", "offer", "advocate", "friend", "click", "qualifying_event")
    referral = Referral.objects.select_related(*related).filter(public_id=referral_id).first()
    if referral is None:
        raise Http404
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        done = _decide(request, [referral], form.cleaned_data["decision"], form.cleaned_data["reason"])
        if done:
            messages.success(request, _("Decided. You can take it back below."))
        return redirect("review_pair", referral_id=referral_id)
    context = {
        "here": "review",
        "pair": pair_of(referral),
        "form": form,
        "may_decide": request.user.has_perm(DECIDE),
    }
    return render(request, "referrals/staff/pair.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
@staff_may(LOOK, post=DECIDE)
def rules(request: HttpRequest) -> HttpResponse:
    """Say what each rule looks at, what it weighs, and how often reviewers agreed."""
    context = {"here": "review", "rules": rule_precision(), "version": RISK_VERSION}
    return render(request, "referrals/staff/rules.html", context)


def _decide_many(request: HttpRequest) -> HttpResponse:
    form = DecisionForm(request.POST)
    chosen = request.POST.getlist("chosen")[:PAGE_SIZE]
    if not form.is_valid() or not chosen:
        messages.error(request, _("Choose at least one referral, a decision, and say why."))
        return redirect("review")
    rows = list(Referral.objects.filter(public_id__in=chosen).order_by("held_at", "pk"))
    done = _decide(request, rows, form.cleaned_data["decision"], form.cleaned_data["reason"])
    if done:
        words = ngettext("%(n)s referral decided.", "%(n)s referrals decided.", done) % {"n": done}
        messages.success(request, words)
    return redirect("review")


def _decide(request: HttpRequest, rows: list[Referral], decision: str, reason: str) -> int:
    """Decide on each; one that is refused is told and leaves the others alone."""
    done = 0
    for referral in rows:
        try:
            WORK[decision](referral, reason, str(request.user))
            done += 1
        except Refused as refusal:
            messages.warning(request, f"{referral}: {refusal.detail}")
    return done
