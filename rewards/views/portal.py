"""The customer's own pages: what they and their friends get, how to share, where the rewards are."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from referrals.access import CHOSEN, NoCustomer, SeveralCustomers, choose_customer, customer_of, customers_of_user
from referrals.models import Customer, Placement
from referrals.queries.audiences import public_programs
from referrals.queries.claims import questions_to
from referrals.queries.sharing import offer_cards
from referrals.services.experiments import show_share_cards
from referrals.services.links import ensure_links
from rewards.queries.gifts import latest_gifts
from rewards.queries.leaderboards import boards_of
from rewards.queries.perk_events import invitations_of
from rewards.queries.portal import (
    SHOWN,
    assists_of,
    points_lines,
    purse_of,
    referral_counts,
    referral_items,
    referrals_shown,
    transfers_of,
    welcomes_of,
)
from rewards.queries.standing import perk_slugs_of
from rewards.queries.standing_cards import earned_badges, standing_cards

PER_PAGE = 10
POINTS_PER_PAGE = 25
GIFTS_SHOWN = 3


@require_safe
@never_cache
def show_portal(request: HttpRequest) -> HttpResponse:
    """Show a customer their portal, and everybody else what the programs give and how to sign in."""
    if not request.user.is_authenticated:
        return _show_welcome(request)
    try:
        customer = customer_of(request)
    except SeveralCustomers:
        return redirect("choose_customer")
    except NoCustomer:
        return render(request, "rewards/portal/unknown_customer.html")
    return render(request, "rewards/portal/portal.html", _portal_context(request, customer))


def _show_welcome(request: HttpRequest) -> HttpResponse:
    offers = offer_cards(public_programs().prefetch_related("offers"), at=timezone.now())
    return render(request, "rewards/portal/welcome.html", {"offers": offers})


def _portal_context(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    show = request.GET.get("show", "")
    show = show if show in SHOWN else ""
    page = Paginator(referrals_shown(customer, show), PER_PAGE).get_page(request.GET.get("page"))
    links = ensure_links(customer=customer)
    programs = [link.program for link in links]
    prefetch_related_objects(programs, "offers", "share_texts")
    now = timezone.now()
    return {
        "customer": customer,
        "shares": show_share_cards(links=links, placement=Placement.PORTAL, at=now),
        "purse": purse_of(customer),
        "welcomes": welcomes_of(customer),
        "standings": standing_cards(customer, programs, at=now),
        "badges": earned_badges(customer),
        "has_perks": bool(perk_slugs_of(customer)) or invitations_of(customer).exists(),
        "has_leaderboards": boards_of([program.pk for program in programs]).exists(),
        "assists": assists_of(customer),
        "questions": questions_to(customer),
        "gifts": latest_gifts(customer, at=timezone.now(), count=GIFTS_SHOWN),
        "counts": referral_counts(customer),
        "show": show,
        "page": page,
        "query": f"show={show}&" if show else "",
        "referrals": referral_items(page.object_list),
        "lines": points_lines(transfers_of(customer)[:5]),
        "several_customers": CHOSEN in request.session,
    }


@require_safe
@never_cache
@login_required
def show_points(request: HttpRequest) -> HttpResponse:
    """Show every movement of the customer's points, newest first."""
    try:
        customer = customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return redirect("portal")
    page = Paginator(transfers_of(customer), POINTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "purse": purse_of(customer),
        "page": page,
        "lines": points_lines(page.object_list),
        "several_customers": CHOSEN in request.session,
    }
    return render(request, "rewards/portal/points.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_choice(request: HttpRequest) -> HttpResponse:
    """Let a person with several customers under one email choose; the choice lasts for the session."""
    if request.method == "POST":
        try:
            choose_customer(request, public_key=request.POST.get("customer", ""))
        except NoCustomer:
            raise Http404 from None
        return redirect("portal")
    customers = list(customers_of_user(request.user))
    return render(request, "rewards/portal/choose_customer.html", {"customers": customers})
