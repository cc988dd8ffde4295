"""How a program works, for everybody: steps, promises, conditions and answers, all from the offer itself."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.models import Offer, Program
from referrals.queries.programs import offer_live_at, program_runs_at, terms_of
from referrals.queries.sharing import card_of
from referrals.queries.takeovers import program_in_charge


@require_safe
def show_how_it_works(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the program promises now, or promised by `?version=`; 404 for a draft or a version there is not."""
    program = Program.objects.prefetch_related("offers", "statuses").filter(slug=slug).first()
    if program is None or program.status == Program.Status.DRAFT:
        raise Http404("There is no such program.")
    now = timezone.now()
    live = offer_live_at(program, now)
    offer = _version(program, request.GET["version"]) if "version" in request.GET else live
    terms = terms_of(offer)
    in_charge = program_in_charge(program, now)
    context = {
        "program": program,
        "terms": terms,
        "offer": card_of(program, terms),
        "version": offer,
        "is_live": offer == live,
        "versions": sorted(_versions(program), key=lambda one: -one.number),
        "runs": program_runs_at(program, now),
        "instead": in_charge if in_charge.pk != program.pk else None,
    }
    return render(request, "referrals/public/how_it_works.html", context)


def _versions(program: Program) -> list[Offer]:
    return [offer for offer in program.offers.all() if not offer.is_settled]


def _version(program: Program, number: str) -> Offer:
    found = next((offer for offer in _versions(program) if str(offer.number) == number), None)
    if found is None:
        raise Http404("There is no such version.")
    return found
