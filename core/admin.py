"""What the pages of the admin have in common."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from core import clocks
from core.dispatch import make_due
from core.errors import Refused
from core.models import Delivery, JobRun
from core.money import to_text


class ActsWithReason(ModelAdmin):  # type: ignore[misc]
    """Actions that ask why before they do anything."""

    def act_with_reason(
        self,
        request: HttpRequest,
        rows: "QuerySet[Any]",
        work: Callable[[Any, str], Any],
        *,
        action: str,
        title: str,
        warning: str,
        done: str,
        choices: tuple[tuple[str, str, tuple[str, ...]], ...] = (),
        number: str = "",
        number_start: str = "",
        question: str = "Why?",
    ) -> HttpResponse | None:
        """Ask why on a page that names what will happen, then do `work(row, reason)` for each row.

        `choices` are (name, label, options) and `number` the label of a whole number to ask for besides, which
        begins with `number_start`; `said` is the label of the reason; a row that is refused is told and leaves
        the others alone.
        """
        reason = request.POST.get("reason", "").strip()
        if not reason:
            page = {**self.admin_site.each_context(request), "title": title, "chosen": rows, "action": action}
            page |= {"warning": warning, "choices": choices, "number": number, "number_start": number_start}
            page |= {"question": question}
            return render(request, "admin_actions/ask_reason.html", page)
        self._do_each(request, rows, work, reason, done)
        return None

    def act_on_one(
        self, request: HttpRequest, object_id: str, work: Callable[[Any, str], Any], **words: Any
    ) -> HttpResponse:
        """Do the same for the one row that is shown, and go back to it; `words` are those of `act_with_reason`."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        chosen = self.get_queryset(request).filter(pk=row.pk)
        page = self.act_with_reason(request, chosen, work, action="", **words)
        return page or redirect(request.path.rstrip("/").rpartition("/")[0] + "/change/")

    def _do_each(
        self, request: HttpRequest, rows: "QuerySet[Model]", work: Callable[[Any, str], Any], reason: str, done: str
    ) -> None:
        count = 0
        for row in rows:
            try:
                work(row, reason)
                count += 1
            except Refused as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.WARNING)
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)


class ReadOnlyAdmin(ActsWithReason):
    """Facts and decisions: to look at; what changes them are services."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Rows that belong to the one shown, to look at."""

    extra = 0
    hide_title = True
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the rows with what their columns name, in one query."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def shown_json(value: Any) -> str:
    """Return JSON to read, indented and escaped."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))


def shown_money(minor: int | None, currency: str) -> str:
    """Return an amount with its currency, or a dash."""
    return "–" if minor is None or not currency else f"{to_text(minor, currency)} {currency}"


def link_to(row: Any) -> str:
    """Return a link to the row's own page in the admin."""
    meta = row._meta
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]), row
    )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Who was told what: done, due for another try, or dead after eight of them."""

    list_display = ("subject", "handler", "state", "attempts", "due_at", "last_error")
    list_filter = ("state", "handler")
    search_fields = ("subject",)
    ordering = ("-pk",)
    actions = ("try_again_action",)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        """Only those who may change deliveries."""
        return request.user.has_perm("core.change_delivery")

    @admin.action(description="Try again now", permissions=["try_again"])
    def try_again_action(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Give the subjects of the chosen deliveries a new set of tries."""
        subjects = set(queryset.values_list("subject", flat=True))
        count = sum(make_due(subject=subject, at=clocks.now()) for subject in subjects)
        self.message_user(request, f"{count} deliveries are tried again within the minute.", messages.SUCCESS)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """What the schedule has run, and how it went."""

    list_display = ("job", "period", "started_at", "finished_at", "outcome")
    list_filter = ("job",)
    ordering = ("-pk",)
