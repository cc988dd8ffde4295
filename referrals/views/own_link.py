"""A customer's own link: the word they choose for it, and how it greets their friends."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.addresses import client_address
from core.errors import Refused
from referrals.access import NoCustomer, SeveralCustomers, customer_of
from referrals.models import Link
from referrals.queries.links import link_of_code
from referrals.services.clicks import may_visit, note_miss
from referrals.services.links import LONGEST_NOTE, CodeTaken, NoteRefused, greet_friends, rename_own_code
from referrals.services.naming import NotAName, be_found_by_name
from referrals.views.hello import headline_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_own_link(request: HttpRequest, code: str) -> HttpResponse:
    """Show a customer their link's settings; POST chooses a word for the code, or how the link greets."""
    try:
        customer = customer_of(request)
    except (NoCustomer, SeveralCustomers):
        return redirect("portal")
    link = link_of_code(code)
    if link is None or link.customer_id != customer.pk:
        raise Http404("This is not a link of yours.")
    problems: dict[str, str] = {}
    if request.method == "POST":
        problems = _change(request, link)
        if not problems:
            return redirect("own_link", code=link.code)
    context = {
        "link": link,
        "headline": headline_of(link),
        "problems": problems,
        "longest_note": LONGEST_NOTE,
        "given_code": request.POST.get("code", ""),
        "given_note": request.POST.get("note", link.note),
    }
    return render(request, "referrals/portal/own_link.html", context)


def _change(request: HttpRequest, link: Link) -> dict[str, str]:
    """Do what the form asks; return in words what is wrong, by field."""
    if request.POST.get("action") == "found":
        try:
            be_found_by_name(link=link, found="found" in request.POST)
        except NotAName:
            return {"found": _("We do not know your full name.")}
        messages.success(request, _("Saved."))
        return {}
    if request.POST.get("action") == "greet":
        try:
            greet_friends(link=link, greets="greets" in request.POST, note=request.POST.get("note", ""))
        except NoteRefused as refusal:
            return {"note": _note_problem(refusal.detail)}
        messages.success(request, _("Saved. This is how your link greets from now on."))
        return {}
    problem = _rename(request, link)
    return {"code": problem} if problem else {}


def _rename(request: HttpRequest, link: Link) -> str:
    now = timezone.now()
    address = client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
    if not may_visit(address=address, at=now):
        return _("Too many words were tried from here. Please try again in ten minutes.")
    try:
        rename_own_code(link=link, code=request.POST.get("code", ""), at=now)
    except CodeTaken:
        note_miss(address=address, at=now)
        return _("Somebody has this word already. Please choose another one.")
    except Refused as refusal:
        words = {
            "too_many_renames": _("You have chosen three new words within 30 days. Please wait a little."),
            "code_refused": _("Please choose 4 to 20 letters A to Z and digits; some words are taken by us."),
        }
        return words.get(refusal.code, refusal.detail)
    messages.success(request, _("Your code is changed. The ones before keep working."))
    return ""


def _note_problem(why: str) -> str:
    return {
        "too_long": _("Please write at most %(n)s characters.") % {"n": LONGEST_NOTE},
        "no_address": _("Please write without addresses, links or special characters."),
        "rude": _("Please find friendlier words."),
    }[why]
