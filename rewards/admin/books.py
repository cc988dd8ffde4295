"""The books for staff: what is owed by month, breakage, the trial balance, seals; all of it to take away as CSV."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from core.admin import ReadOnlyAdmin, shown_money
from core.csv_cells import safe_cells
from core.money import UnitValue, read_unit_value
from rewards.models import Seal
from rewards.queries.books import Breakage, Month, all_breakage, books_by_month, journal_of, trial_balance

COLUMNS = (
    *("month", "opening", "granted", "released", "revoked", "redeemed", "expired", "adjusted", "closing"),
    *("available", "pending", "debt", "liability"),
)
BREAKAGE = ("lots_ended", "points_usable", "points_unused", "breakage_rate")


class _Line:
    """What the CSV writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def books_urls(site_view: Any) -> list[URLPattern]:
    """Return the addresses of the books, each behind the admin's sign-in."""
    return [
        path("books/", site_view(show_books), name="rewards_books"),
        path("books/months.csv", site_view(months_csv), name="rewards_books_months"),
        path("books/balance.csv", site_view(balance_csv), name="rewards_books_balance"),
        path("books/journal-<int:year>-<int:month>.csv", site_view(journal_csv), name="rewards_books_journal"),
    ]


def _only_readers(request: HttpRequest) -> None:
    if not request.user.has_perm("rewards.view_transfer"):
        raise PermissionDenied


def show_books(request: HttpRequest) -> HttpResponse:
    """Show the months, the trial balance and how far the ledger is sealed."""
    _only_readers(request)
    months = books_by_month(at=timezone.now())
    worth = read_unit_value(settings.POINT_VALUE)
    sides = trial_balance()
    context = {
        **admin.site.each_context(request),
        "title": "The books",
        "months": _months_table(months, worth),
        "now": months[-1] if months else None,
        "owed": shown_money(worth.minor(months[-1].liability), worth.currency) if worth and months else "",
        "breakage": _rate(all_breakage(months)),
        "lots": all_breakage(months).lots,
        "balance": {
            "headers": ["Account", "Points by transfers", "Balances kept", ""],
            "rows": [
                [side.kind, f"{side.points:,}", "–" if side.kept is None else f"{side.kept:,}", _word(side.agrees)]
                for side in sides
            ],
        },
        "total": sum(side.points for side in sides),
        "balanced": sum(side.points for side in sides) == 0 and all(side.agrees for side in sides),
        "seal": Seal.objects.order_by("-to_id").defer("marks").first(),
        "journals": [(month.month, _journal_address(month.month)) for month in reversed(months[-24:])],
    }
    return render(request, "rewards/staff/books.html", context)


def _word(agrees: bool) -> str:
    return "" if agrees else "differs: run audit_ledger"


def _journal_address(month: date) -> str:
    return reverse("admin:rewards_books_journal", args=[month.year, month.month])


def _rate(breakage: Breakage) -> str:
    if breakage.rate is None:
        return f"not enough yet (n = {breakage.lots})"
    return f"{breakage.rate:.1%} (n = {breakage.lots})"


SHOWN = tuple(name for name in COLUMNS if name not in ("available", "pending", "liability"))
HEADERS = (*(name.capitalize() for name in SHOWN), "Owed", "Breakage")


def _months_table(months: list[Month], worth: UnitValue | None) -> dict[str, Any]:
    return {
        "headers": [*HEADERS, *(["In money"] if worth else [])],
        "rows": [_month_row(month, worth) for month in reversed(months)],
    }


def _month_row(month: Month, worth: UnitValue | None) -> list[str]:
    row = [f"{month.month:%b %Y}", *(f"{getattr(month, name):,}" for name in (*SHOWN[1:], "liability"))]
    row.append(_rate(month.breakage) if month.breakage.lots else "–")
    return row + ([shown_money(worth.minor(month.liability), worth.currency)] if worth else [])


def _csv(rows: Iterable[Iterable[object]], filename: str) -> StreamingHttpResponse:
    writer = csv.writer(_Line())
    lines: Iterator[str] = (writer.writerow(safe_cells(row)) for row in rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def months_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the months as CSV."""
    _only_readers(request)
    worth = read_unit_value(settings.POINT_VALUE)
    rows: list[list[object]] = [[*COLUMNS, *BREAKAGE, "liability_minor", "currency"]]
    for month in books_by_month(at=timezone.now()):
        ended = month.breakage
        rate = "" if ended.rate is None else f"{ended.rate:.4f}"
        money = [worth.minor(month.liability), worth.currency] if worth else ["", ""]
        numbers = [getattr(month, name) for name in COLUMNS[1:]]
        rows.append([month.month.isoformat(), *numbers, ended.lots, ended.usable, ended.expired, rate, *money])
    return _csv(rows, "books.csv")


def balance_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the trial balance as CSV."""
    _only_readers(request)
    rows: list[list[object]] = [["account", "points", "kept"]]
    rows += [[side.kind, side.points, "" if side.kept is None else side.kept] for side in trial_balance()]
    return _csv(rows, "trial-balance.csv")


def journal_csv(request: HttpRequest, year: int, month: int) -> StreamingHttpResponse:
    """Give every transfer of a calendar month as CSV."""
    _only_readers(request)
    try:
        first = date(year, month, 1)
    except ValueError:
        raise Http404 from None
    columns = ("pk", "event_at", "kind", "amount", "debit__kind", "from_customer", "credit__kind", "to_customer")
    transfers = journal_of(first).values_list(*columns, "actor", "cause", "key")

    def rows() -> Iterator[list[object]]:
        yield ["id", "at", "kind", "points", "from", "from_customer", "to", "to_customer", "by", "why", "key"]
        for pk, at, kind, amount, debit, giver, credit, taker, actor, cause, key in transfers.iterator(2000):
            why = cause.get("reason") or cause.get("why") or cause.get("item") or cause.get("rule", "")
            yield [pk, at.isoformat(), kind, amount, debit, giver or "", credit, taker or "", actor, why, key]

    return _csv(rows(), f"journal-{first:%Y-%m}.csv")


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The hash chain over the ledger, one seal a day."""

    list_display = ("day", "from_id", "to_id", "sha256", "sealed_at")
    ordering = ("-to_id",)
    date_hierarchy = "day"
    fields = ("day", "from_id", "to_id", "sha256", "prev_sha256", "sealed_at")
