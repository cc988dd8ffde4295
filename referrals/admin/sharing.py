"""What links are passed on with, in the company's words."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from referrals.forms import ShareTextForm
from referrals.models import ShareText
from referrals.queries.experiments import is_text_tried


@admin.register(ShareText)
class ShareTextAdmin(ModelAdmin):  # type: ignore[misc]
    """Texts by program, language and channel; without one the usual words are used."""

    form = ShareTextForm
    list_display = ("program", "language", "channel", "subject", "text")
    list_filter = ("program", "language", "channel")
    list_select_related = ("program",)
    search_fields = ("subject", "text")
    ordering = ("program__name", "language", "channel")

    def has_delete_permission(self, request: HttpRequest, obj: ShareText | None = None) -> bool:
        """Keep a text while an experiment compares others with it."""
        deletes: bool = super().has_delete_permission(request, obj)
        return deletes and (obj is None or not is_text_tried(obj.program))

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer no deleting of many: some may be in use."""
        return {}
