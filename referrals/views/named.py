"""Who told you of us? Asked of a visitor by name, of a customer by address or code, and of whom they named."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.addresses import client_address
from core.errors import Refused
from referrals.access import NoCustomer, SeveralCustomers, customer_of
from referrals.landing import with_query
from referrals.models import Customer, FriendClaim, Program
from referrals.person_names import LONGEST
from referrals.queries.audiences import offered_programs, public_programs
from referrals.services.clicks import may_visit, note_miss, seconds_left
from referrals.services.friend_claims import (
    AlreadyAnswered,
    CannotClaim,
    answer_claim,
    claim_advocate,
    claimable_since,
)
from referrals.services.naming import NotAName, search_name


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tell_name(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask a visitor who told them; the answer is the same whoever was named. How often is limited."""
    program = public_programs().filter(slug=slug).first()
    if program is None:
        raise Http404("There is no such program.")
    given = {name: request.POST.get(name, "").replace("\x00", "")[:254] for name in ("name", "email")}
    context = {"program": program, "given": given, "longest": LONGEST, "problem": ""}
    if request.method != "POST":
        return render(request, "referrals/public/tell_name.html", context)
    now = timezone.now()
    address = client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
    if not may_visit(address=address, at=now):
        refusal = render(request, "referrals/public/too_many_codes.html", status=429)
        refusal["Retry-After"] = str(seconds_left(now))
        return refusal
    try:
        search = search_name(program=program, name=given["name"], email=given["email"], at=now)
    except NotAName:
        context["problem"] = _("Please enter a first and a last name.")
        return render(request, "referrals/public/tell_name.html", context, status=400)
    note_miss(address=address, at=now)
    onward = with_query(program.landing_url, {"click": search.search_id})
    return render(request, "referrals/public/name_noted.html", {"program": program, "onward": onward})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def claim_friend(request: HttpRequest) -> HttpResponse:
    """Let a new customer say who told them, by address or code; whom they named is asked."""
    customer = _customer(request)
    if customer is None:
        return redirect("portal")
    now = timezone.now()
    open_to = [(program, _why_not(program, customer)) for program in offered_programs(customer)]
    problem = ""
    if request.method == "POST":
        program = next((one for one, why in open_to if one.slug == request.POST.get("program") and not why), None)
        given = request.POST.get("given", "").replace("\x00", "").strip()
        if program is not None and given:
            claim_advocate(program=program, friend=customer, given=given, at=now)
            messages.success(request, _("Thank you. We ask them, and you see here what they say."))
            return redirect("claim_friend")
        problem = _("Please enter an email address or a code.")
    claims = FriendClaim.objects.filter(friend=customer).select_related("program").order_by("-at", "-pk")
    context = {
        "programs": [program for program, why in open_to if not why],
        "why_not": next((why for _, why in open_to if why), ""),
        "claims": claims,
        "problem": problem,
        "given": request.POST.get("given", "")[:254],
    }
    return render(request, "referrals/portal/claim_friend.html", context, status=400 if problem else 200)


def _why_not(program: Program, customer: Customer) -> str:
    try:
        claimable_since(program=program, friend=customer, at=timezone.now())
    except CannotClaim as refusal:
        return refusal.detail
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def answer_friend(request: HttpRequest, claim_id: str) -> HttpResponse:
    """Ask whoever was named whether it is so; a POST keeps the answer."""
    customer = _customer(request)
    if customer is None:
        return redirect("portal")
    claim = get_object_or_404(FriendClaim.objects.select_related("program", "friend"), public_id=claim_id)
    if claim.advocate_id != customer.pk:
        raise Http404("Nobody asks you this.")
    if request.method == "POST" and request.POST.get("answer") in {"yes", "no"}:
        try:
            answer_claim(
                claim=claim,
                yes=request.POST["answer"] == "yes",
                ask_again="never" not in request.POST,
                at=timezone.now(),
            )
        except (AlreadyAnswered, Refused):
            messages.error(request, _("This question is closed."))
        return redirect("answer_claim", claim_id=claim.public_id)
    return render(request, "referrals/portal/answer_claim.html", {"claim": claim})


def _customer(request: HttpRequest) -> Customer | None:
    try:
        return customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return None
