"""A code that a friend was told: typed in as heard, it leads to the greeting and on to the shop."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.addresses import client_address
from referrals.codes import ALPHABET, LENGTH, canonical_code, is_checked
from referrals.queries.audiences import public_programs
from referrals.queries.links import link_of_code
from referrals.services.clicks import may_visit, note_miss, seconds_left


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code; a POST leads on, or says what may be wrong with it. Guessing is limited."""
    given = request.POST.get("code", "")
    if request.method != "POST":
        return render(
            request, "referrals/public/enter_code.html", {"given": "", "problem": "", "programs": public_programs()}
        )
    now = timezone.now()
    address = client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
    if not may_visit(address=address, at=now):
        refusal = render(request, "referrals/public/too_many_codes.html", status=429)
        refusal["Retry-After"] = str(seconds_left(now))
        return refusal
    link = link_of_code(given)
    if link is not None:
        return redirect("hello", code=link.code)
    if given.strip():
        note_miss(address=address, at=now)
    context = {"given": given[:64], "problem": _problem(given), "programs": public_programs()}
    return render(request, "referrals/public/enter_code.html", context, status=404 if given.strip() else 400)


def _problem(given: str) -> str:
    """Return in words what may be wrong; the last character of a code tells whether it was misheard."""
    code = canonical_code(given)
    if not given.strip():
        return _("Please enter the code you were told.")
    if unread := sorted(set(code) - set(ALPHABET)):
        words = _("We do not know this code. Was it heard right? Our own codes have no %(letters)s.")
        return words % {"letters": ", ".join(unread)}
    if len(code) == LENGTH and not is_checked(code):
        return _("We do not know this code: one of its characters seems to be misheard.")
    return _("We do not know this code. Please ask your friend again.")
