"""What if…: the staff's pages for back-tests."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import staff_may
from core.periods import DAY, local_day
from referrals.access import keep_program_draft
from referrals.models import Customer, Program
from referrals.program_text import render_program
from referrals.queries.programs import document_of
from rewards.access import CHANGE_PROGRAMS, SEE_PROGRAMS
from rewards.forms.simulations import WhatIfForm
from rewards.models import Simulation
from rewards.services.simulations import SimulationOver, cancel_simulation, last_quarter, request_simulation

PER_PAGE = 20
HERE = {"here": "forecast"}


@require_safe
@never_cache
@staff_may(SEE_PROGRAMS)
def show_simulations(request: HttpRequest) -> HttpResponse:
    """Show the back-tests, the newest first, and the programs that can be tried."""
    rows = Simulation.objects.select_related("program", "asked_by").order_by("-pk")
    chosen = request.GET.get("program", "")
    if chosen:
        rows = rows.filter(program__slug=chosen)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "programs": Program.objects.order_by("name"),
        "chosen": chosen,
        "query": f"program={chosen}&" if chosen else "",
        "may_change": request.user.has_perm(CHANGE_PROGRAMS),
    }
    return render(request, "rewards/staff/what_ifs.html", HERE | context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_may(CHANGE_PROGRAMS)
def new_simulation(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the program's file be edited and the days be chosen; start the back-test."""
    program = get_object_or_404(Program.objects.prefetch_related("offers"), slug=slug)
    if request.method == "POST":
        form = WhatIfForm(request.POST, slug=slug)
        if form.is_valid():
            simulation = request_simulation(
                program=program,
                text=form.cleaned_data["file"],
                days=form.days,
                user=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
            return redirect("what_if", simulation.public_id)
    else:
        form = WhatIfForm(slug=slug, initial=_initial(request, program))
    status = 422 if form.errors else 200
    return render(request, "rewards/staff/what_if_new.html", HERE | {"form": form, "program": program}, status=status)


def _initial(request: HttpRequest, program: Program) -> dict[str, Any]:
    """Return the file of an earlier back-test where one is named, else the program's own, and the last quarter."""
    earlier = Simulation.objects.filter(program=program, public_id=request.GET.get("again", "")).first()
    if earlier is not None:
        return {"file": earlier.text, "first": earlier.first_day, "last": earlier.last_day}
    days = last_quarter(local_day(timezone.now(), timezone.get_default_timezone()))
    return {"file": render_program(document_of(program)), "first": days.start, "last": days.end - DAY}


@require_safe
@never_cache
@staff_may(SEE_PROGRAMS)
def show_simulation(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Show how far a back-test is, or what came out of it; customers are masked."""
    found = Simulation.objects.select_related("program", "asked_by")
    simulation = get_object_or_404(found, public_id=simulation_id)
    result = simulation.result
    context = {
        "simulation": simulation,
        "program": simulation.program,
        "result": result,
        "affected": _affected(result),
        "rules": list(result.get("by_rule", {}).items()),
        "is_open": simulation.state in Simulation.OPEN,
        "may_change": request.user.has_perm(CHANGE_PROGRAMS),
    }
    return render(request, "rewards/staff/what_if.html", HERE | context)


def _affected(result: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    rows: list[dict[str, int]] = result.get("affected", [])
    people = Customer.objects.in_bulk([row["customer"] for row in rows])
    return [
        (people[row["customer"]].masked_name, row | {"difference": row["would"] - row["really"]})
        for row in rows
        if row["customer"] in people
    ]


@require_POST
@staff_may(CHANGE_PROGRAMS)
def use_simulation(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Go to the program's own form with the file that was tried; nothing is published before that is saved."""
    simulation = get_object_or_404(Simulation.objects.select_related("program"), public_id=simulation_id)
    keep_program_draft(request, slug=simulation.program.slug, text=simulation.text)
    address = reverse("admin:referrals_program_change", args=[simulation.program_id])
    messages.info(request, _("This is the file that was tried. It is published when you save it."))
    return redirect(f"{address}?draft=1")


@require_POST
@staff_may(CHANGE_PROGRAMS)
def stop_simulation(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Cancel a back-test that waits or runs."""
    simulation = get_object_or_404(Simulation, public_id=simulation_id)
    try:
        cancel_simulation(simulation=simulation, at=timezone.now())
    except SimulationOver:
        messages.info(request, _("It had already ended."))
    return redirect("what_if", simulation.public_id)
