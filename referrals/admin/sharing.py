"""What links are passed on with, in the company's words."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from referrals.forms import ShareTextForm
from referrals.models import ShareText


@admin.register(ShareText)
class ShareTextAdmin(ModelAdmin):  # type: ignore[misc]
    """Texts by program, language and channel; without one the usual words are used."""

    form = ShareTextForm
    list_display = ("program", "language", "channel", "subject", "text")
    list_filter = ("program", "language", "channel")
    list_select_related = ("program",)
    search_fields = ("subject", "text")
    ordering = ("program__name", "language", "channel")
