"""The customer's coupons, credits, cards and perks, and the rewards they may choose between."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.errors import Refused
from referrals.access import CHOSEN, NoCustomer, SeveralCustomers, customer_of
from referrals.models import Customer
from rewards.models import ChoiceOption
from rewards.queries.gifts import SHOWS, gift_items, gifts_of
from rewards.services.choosing import BudgetExhausted, choose_reward

PER_PAGE = 20


@require_safe
@never_cache
@login_required
def show_gifts(request: HttpRequest) -> HttpResponse:
    """Show what the customer has of rewards other than points, newest first."""
    try:
        customer = customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return redirect("portal")
    now, show = timezone.now(), request.GET.get("show", "")
    show = show if show in SHOWS else ""
    page = Paginator(gifts_of(customer, show=show, at=now), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "show": show,
        "query": f"show={show}&" if show else "",
        "gifts": gift_items(page.object_list, at=now),
        "several_customers": CHOSEN in request.session,
    }
    return render(request, "rewards/portal/gifts.html", context)


@require_POST
@never_cache
@login_required
def choose_gift(request: HttpRequest, reward_id: str) -> HttpResponse:
    """Give the customer the option they chose, once."""
    customer = _customer(request)
    reward = gifts_of(customer).filter(public_id=reward_id, kind="choice").first()
    if reward is None:
        raise Http404
    chosen = request.POST.get("option", "")
    offered = ChoiceOption.objects.select_related("group").filter(group__name=str(reward.detail.get("what", "")))
    option = (
        offered.filter(pk=int(chosen)).first() if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    )
    if option is None:
        messages.warning(request, _("Please choose one of the rewards first."))
        return redirect("gifts")
    try:
        choose_reward(reward=reward, option=option, at=timezone.now(), actor="the customer")
    except BudgetExhausted:
        messages.warning(request, _("There are not enough points left for that one. Please choose another."))
    except Refused:
        messages.warning(request, _("This reward was chosen already, or is not there to choose from any more."))
    else:
        messages.success(request, _("Good choice! “%(gift)s” is yours.") % {"gift": option.name})
    return redirect("gifts")


def _customer(request: HttpRequest) -> Customer:
    try:
        return customer_of(request)
    except (NoCustomer, SeveralCustomers):
        raise Http404 from None
