"""The customer's catalogue: what their points buy, buying it, and what came of it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import Refused
from core.ids import new_id
from referrals.access import CHOSEN, NoCustomer, SeveralCustomers, customer_of
from referrals.models import Customer
from rewards.forms.catalogue import RedeemForm
from rewards.models import CatalogueItem
from rewards.queries.catalogue import Offered, items_offered, offered_to, redemptions_of
from rewards.queries.portal import purse_of
from rewards.services.redeeming import RedemptionStands, Wish, cancel_redemption, place_redemption

PER_PAGE = 24
REDEMPTIONS_PER_PAGE = 20


def _customer(request: HttpRequest) -> Customer | None:
    try:
        return customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return None


def _common(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return {"purse": purse_of(customer), "on_catalogue": True, "several_customers": CHOSEN in request.session}


@require_safe
@never_cache
@login_required
def show_catalogue(request: HttpRequest) -> HttpResponse:
    """Show what the customer's points buy, cheapest first."""
    if (customer := _customer(request)) is None:
        return redirect("portal")
    page = Paginator(items_offered(at=timezone.now()), PER_PAGE).get_page(request.GET.get("page"))
    context = _common(request, customer) | {"page": page, "offers": offered_to(customer, list(page))}
    return render(request, "rewards/catalogue/catalogue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_item(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one item and ask whether the customer wants it; POST gives the points."""
    if (customer := _customer(request)) is None:
        return redirect("portal")
    offer = _offer(customer, slug)
    form = RedeemForm(request.POST or None, most=offer.most, initial={"quantity": 1, "key": new_id("form")})
    if request.method == "POST" and form.is_valid():
        wish = Wish(item=offer.item, quantity=form.cleaned_data["quantity"], key=form.cleaned_data["key"])
        if _redeem(request, customer, wish):
            return redirect("redemptions")
        return redirect("catalogue_item", slug=slug)
    context = _common(request, customer) | {"offer": offer, "form": form}
    return render(request, "rewards/catalogue/item.html", context)


def _offer(customer: Customer, slug: str) -> Offered:
    offers = offered_to(customer, items_offered(at=timezone.now()).filter(slug=slug))
    if not offers:
        raise Http404
    return offers[0]


def _redeem(request: HttpRequest, customer: Customer, wish: Wish) -> bool:
    try:
        redemption = place_redemption(customer=customer, wish=wish, actor=f"customer:{customer.pk}", at=timezone.now())
    except Refused as refusal:
        words = {
            "insufficient_points": _("You do not have enough points for that."),
            "out_of_stock": _("There are not that many left."),
            "limit_reached": _("That is more than one person can have."),
            "not_offered": _("This is no longer offered."),
        }
        messages.error(request, words.get(refusal.code, refusal.detail))
        return False
    if redemption.state == redemption.State.FULFILLED:
        messages.success(request, _("Done. It is yours."))
    else:
        messages.success(request, _("Done. We will let you know as soon as it is ready."))
    return True


@require_safe
@never_cache
@login_required
def show_redemptions(request: HttpRequest) -> HttpResponse:
    """Show what the customer gave points for, newest first."""
    if (customer := _customer(request)) is None:
        return redirect("portal")
    page = Paginator(redemptions_of(customer), REDEMPTIONS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "rewards/catalogue/redemptions.html", _common(request, customer) | {"page": page})


@require_POST
@never_cache
@login_required
def undo_redemption(request: HttpRequest, redemption_id: str) -> HttpResponse:
    """Give the points of an own redemption back that is not handed over yet."""
    customer = _customer(request)
    redemption = redemptions_of(customer).filter(public_id=redemption_id).first() if customer else None
    if customer is None or redemption is None:
        raise Http404
    try:
        cancel_redemption(redemption=redemption, reason="", actor=f"customer:{customer.pk}", at=timezone.now())
    except RedemptionStands:
        messages.error(request, _("That one can no longer be undone."))
    else:
        messages.success(request, _("Undone. Your points are back."))
    return redirect("redemptions")


@require_safe
@cache_control(max_age=300, public=True)
def show_picture(_request: HttpRequest, slug: str) -> HttpResponse:
    """Give the item's picture."""
    item = CatalogueItem.objects.filter(slug=slug, is_shown=True).only("picture", "picture_type").first()
    if item is None or not item.picture_type:
        raise Http404
    return HttpResponse(bytes(item.picture), content_type=item.picture_type)
