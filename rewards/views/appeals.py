"""The customer's page to ask that somebody look again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import Invalid, Refused
from referrals.access import NoCustomer, SeveralCustomers, customer_of
from referrals.models import Customer, Referral
from rewards.models import Appeal, Reward
from rewards.queries.appeals import may_appeal
from rewards.services.appeals import LONGEST, TooManyAppeals, file_appeal


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_appeal(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Ask for the customer's reasons, and keep them; whoever is neither side of the referral gets 404."""
    try:
        customer = customer_of(request)
    except SeveralCustomers:
        return redirect("choose_customer")
    except NoCustomer:
        raise Http404 from None
    referral = _referral_of(customer, referral_id)
    text = request.POST.get("text", "")
    problem = ""
    if request.method == "POST":
        try:
            file_appeal(referral=referral, customer=customer, text=text, at=timezone.now())
        except Refused as refusal:
            problem = _problem(refusal)
        else:
            messages.success(request, _("Thank you. Somebody will look at it and answer you by email."))
            return redirect("portal")
    return render(request, "rewards/portal/appeal.html", _context(customer, referral, text, problem))


def _referral_of(customer: Customer, public_id: str) -> Referral:
    related = Referral.objects.select_related("friend", "advocate", "program", "offer")
    found = related.filter(Q(advocate=customer) | Q(friend=customer), public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _problem(refusal: Refused) -> str:
    if isinstance(refusal, Invalid):
        return _("Please tell us why, in at most %(n)s characters.") % {"n": LONGEST}
    if isinstance(refusal, TooManyAppeals):
        return _("That is enough for today. Please come back tomorrow.")
    return _("There is nothing here to look at again, or you have asked already.")


def _context(customer: Customer, referral: Referral, text: str, problem: str) -> dict[str, object]:
    own = Reward.objects.filter(referral=referral, recipient=customer)
    appeals = Appeal.objects.filter(referral=referral, customer=customer)
    of_advocate = customer.pk == referral.advocate_id
    other = referral.friend if of_advocate else referral.advocate
    return {
        "who": (other.masked_name if of_advocate else other.first_name) if other.first_name else "",
        "referral": referral,
        "text": text,
        "problem": problem,
        "longest": LONGEST,
        "open": may_appeal(referral, own, appeals),
    }
