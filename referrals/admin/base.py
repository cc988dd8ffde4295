"""What the pages of the admin have in common."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from core.money import to_text


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
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
