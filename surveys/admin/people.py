"""Whom to ask, by hand."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from referrals.models import Segment
from referrals.queries.segments import find_segment, member_keys
from surveys.models import Respondent, Survey
from surveys.services.invitations import invite_customers
from surveys.services.surveys import ensure_default_survey


class SegmentFilter(admin.SimpleListFilter):
    """Members of a segment, as they are now."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the segments."""
        return list(Segment.objects.values_list("slug", "title"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Respondent]) -> QuerySet[Respondent]:
        """Keep the members of the chosen segment."""
        segment = find_segment(self.value() or "")
        return queryset.filter(pk__in=list(member_keys(segment))) if segment else queryset


@admin.register(Respondent)
class RespondentAdmin(ModelAdmin):  # type: ignore[misc]
    """Choose customers, then ask them; whom the rules protect is left out and counted."""

    list_display = ("name", "email", "external_id", "created_at")
    list_filter = (SegmentFilter,)
    search_fields = ("name", "email", "external_id")
    ordering = ("-pk",)
    list_display_links = None

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer one action for every active survey."""
        actions: dict[str, Any] = super().get_actions(request)
        if not request.user.has_perm("surveys.change_survey"):
            return actions
        ensure_default_survey()
        for survey in Survey.objects.filter(active=True):
            name = f"invite_to_{survey.slug}"
            actions[name] = (partial(_invite, survey=survey), name, f"Invite selected customers: {survey.name}")
        return actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers come by import and API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Customers are changed among the customers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Customers are erased, not deleted."""
        return False


def _invite(_admin: Any, request: HttpRequest, chosen: QuerySet[Respondent], *, survey: Survey) -> None:
    counts = invite_customers(survey=survey, customers=chosen.iterator(500), at=timezone.now())
    messages.success(request, f"{survey.name}: {counts}.")
