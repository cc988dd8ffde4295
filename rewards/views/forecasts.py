"""Staff pages that look ahead: budgets burning down, and what a shorter hold risks."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import staff_may
from referrals.models import Program, Takeover
from referrals.queries.programs import current_offer, terms_of
from rewards.access import SEE_PROGRAMS
from rewards.charting import chart_line, chart_payload
from rewards.holds import HoldAdvice
from rewards.models import BudgetAlert
from rewards.queries.budgets import Budget, Burn, budget_of, budgeted_programs, burn_down
from rewards.queries.refunds import hold_advice, order_currencies

PER_PAGE = 20
WEEKLY_FROM = 120


@require_safe
@never_cache
@staff_may(SEE_PROGRAMS)
def show_budgets(request: HttpRequest) -> HttpResponse:
    """Show every program's budget: granted, left, when it will be spent, who takes over."""
    page = Paginator(budgeted_programs(), PER_PAGE).get_page(request.GET.get("page"))
    budgets = [budget_of(program, at=timezone.now()) for program in page.object_list]
    return render(request, "rewards/staff/budgets.html", {"here": "forecast", "page": page, "budgets": budgets})


@require_safe
@never_cache
@staff_may(SEE_PROGRAMS)
def show_budget(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how one program's budget burns down, by day or week, with its takeovers and alerts."""
    program = get_object_or_404(Program.objects.prefetch_related("offers"), slug=slug)
    budget = budget_of(program, at=timezone.now())
    asked = request.GET.get("by")
    weekly = asked == "week"
    burnt = burn_down(program, budget=budget.budget, today=budget.as_of, weekly=weekly)
    if asked is None and len(burnt) > WEEKLY_FROM:
        weekly, burnt = True, burn_down(program, budget=budget.budget, today=budget.as_of, weekly=True)
    page = Paginator(burnt[::-1], PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "here": "forecast",
        "budget": budget,
        "program": program,
        "weekly": weekly,
        "page": page,
        "query": "by=week&" if weekly else "by=day&",
        "payload": _burn_payload(budget, burnt) if burnt else None,
        "takeovers": Takeover.objects.filter(program=program).select_related("to").order_by("-at", "-pk"),
        "alerts": BudgetAlert.objects.filter(program=program).order_by("-at", "-pk"),
    }
    return render(request, "rewards/staff/budget.html", context)


def _burn_payload(budget: Budget, burnt: list[Burn]) -> dict[str, Any]:
    labels = [date_format(one.day, "j M") for one in burnt]
    if budget.budget is None:
        lines = [chart_line(_("Granted in all"), [one.granted for one in burnt])]
    else:
        lines = [chart_line(_("Left"), [one.left for one in burnt])]
    lines.append(chart_line(_("Granted"), [one.points for one in burnt], shape="bar", axis=1))
    return chart_payload(_("Budget"), labels, lines, axes=[_("Points left"), _("Granted")], unit="points")


@require_safe
@never_cache
@staff_may(SEE_PROGRAMS)
def show_hold_advice(request: HttpRequest) -> HttpResponse:
    """Show what each length of hold risks, told by the shop's own refunds."""
    currencies = order_currencies()
    currency = request.GET.get("currency") or (currencies[0] if currencies else "")
    if currency and currency not in currencies:
        raise Http404
    programs = _holds_now(currency)
    advice = hold_advice(currency, at=timezone.now(), holds=tuple(days for _, days in programs)) if currency else None
    context = {
        "here": "forecast",
        "currency": currency,
        "currencies": currencies,
        "advice": advice,
        "rows": list(zip(advice.by_count, advice.by_amount, strict=True)) if advice else [],
        "programs": [(name, days, advice.of(days) if advice else None) for name, days in programs],
        "payload": _hold_payload(advice) if advice and advice.enough else None,
    }
    return render(request, "rewards/staff/holds.html", context)


def _holds_now(currency: str) -> list[tuple[str, int]]:
    """Return name and hold in days of the programs that run in the currency."""
    programs = Program.objects.filter(status=Program.Status.ACTIVE).prefetch_related("offers").order_by("name")
    found = [(program.name, terms_of(current_offer(program))) for program in programs]
    return [(name, terms.hold_days) for name, terms in found if terms.currency == currency]


def _hold_payload(advice: HoldAdvice) -> dict[str, Any]:
    lines = [
        chart_line(
            name,
            [row.left for row in rows],
            bands=[row.left_interval for row in rows],
            enough=advice.enough,
        )
        for name, rows in ((_("Refunds still to come, by orders"), advice.by_count),)
    ]
    labels = [str(row.days) for row in advice.by_count]
    return chart_payload(
        _("Share of refunds still to come"),
        labels,
        lines,
        axes=[_("Share still to come, by days of hold")],
        unit="ratio",
    )
