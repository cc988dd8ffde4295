"""The leaderboards as a customer sees them, and the name they choose to be shown by."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from referrals.access import CHOSEN, NoCustomer, SeveralCustomers, customer_of
from referrals.models import Customer
from referrals.services.links import ensure_links
from rewards.display_names import LONGEST, BadDisplayName
from rewards.queries.leaderboards import boards_of, display_name_of, results_of, show_board, show_result
from rewards.services.leaderboards import choose_display_name, leave_leaderboards

RESULTS_SHOWN = 3


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_leaderboards(request: HttpRequest) -> HttpResponse:
    """Show the leaderboards of the customer's programs; POST chooses or drops the name shown on them."""
    try:
        customer = customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return redirect("portal")
    problem, given = "", display_name_of(customer)
    if request.method == "POST":
        given = request.POST.get("name", "")
        problem = _change_name(request, customer, given)
        if not problem:
            return redirect("leaderboards")
    return _page(request, customer, problem=problem, given=given)


def _change_name(request: HttpRequest, customer: Customer, given: str) -> str:
    """Do what the form asks; return in words why not, or ''."""
    if request.POST.get("action") == "leave":
        leave_leaderboards(customer=customer)
        messages.success(request, _("Done. Your name is no longer shown anywhere."))
        return ""
    try:
        choose_display_name(customer=customer, name=given, at=timezone.now())
    except BadDisplayName as refusal:
        return _problem(refusal.detail)
    messages.success(request, _("Done. This is how others see you now."))
    return ""


def _problem(code: str) -> str:
    words = {
        "too_long": _("Please choose a name of at most %(n)s characters.") % {"n": LONGEST},
        "too_short": _("Please choose a name with at least two letters."),
        "no_address": _("Please choose a name without addresses, numbers to call or special characters."),
        "posing": _("This name could be mistaken for us. Please choose another one."),
        "rude": _("Please choose a friendlier name."),
    }
    return words[code]


def _page(request: HttpRequest, customer: Customer, *, problem: str, given: str) -> HttpResponse:
    now = timezone.now()
    boards = list(boards_of([link.program_id for link in ensure_links(customer=customer)]))
    shown = [
        (show_board(board, customer, at=now), [show_result(one, customer) for one in results_of(board)[:RESULTS_SHOWN]])
        for board in boards
    ]
    context = {
        "boards": shown,
        "name": display_name_of(customer),
        "given": given,
        "problem": problem,
        "longest": LONGEST,
        "several_customers": CHOSEN in request.session,
    }
    return render(request, "rewards/portal/leaderboards.html", context, status=422 if problem else 200)
