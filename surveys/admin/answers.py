"""Who was asked or not and why, and what they answered, which nobody edits."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from surveys.admin.read_only import ReadOnly
from surveys.answers import IN_WORDS
from surveys.models import Invitation, Response, ResponseRevision, Survey, SurveyClick
from surveys.services.settling import judge_again


class ClickInline(ReadOnly, TabularInline):  # type: ignore[misc]
    """Which links were opened: evidence, not answers."""

    model = SurveyClick
    fields = ("at", "method", "score", "seconds_since_sent", "prefetch", "trap")
    readonly_fields = fields
    ordering = ("at",)
    extra = 0


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Who was asked, and who was not and why."""

    list_display = ("customer", "survey", "state", "reason", "send_at", "answered_at", "next_at")
    list_filter = ("state", "reason", "survey")
    search_fields = ("customer__name", "customer__email", "customer__external_id", "public_id")
    list_select_related = ("customer", "survey")
    date_hierarchy = "send_at"
    ordering = ("-pk",)
    exclude = ("token_id",)
    inlines = (ClickInline,)


class BandFilter(admin.SimpleListFilter):
    """Promoters, passives, detractors."""

    title = "score band"
    parameter_name = "band"
    _BANDS = {"promoter": Q(score__gte=9), "passive": Q(score__in=(7, 8)), "detractor": Q(score__lte=6)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the bands."""
        return [("promoter", "promoters (9–10)"), ("passive", "passives (7–8)"), ("detractor", "detractors (0–6)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Response]) -> QuerySet[Response]:
        """Keep the chosen band of the 0–10 scale."""
        chosen = self._BANDS.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen, kind=Survey.Kind.NPS)


class RevisionInline(ReadOnly, TabularInline):  # type: ignore[misc]
    """Every answer the person gave to this invitation."""

    model = ResponseRevision
    fields = ("number", "at", "score", "comment", "state", "confirmed_by")
    readonly_fields = fields
    ordering = ("number",)
    extra = 0


@admin.register(Response)
class ResponseAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """What people answered."""

    list_display = ("at", "customer", "survey", "score", "comment", "state", "because")
    list_filter = (BandFilter, "state", "survey", "confirmed_by")
    actions = ("judge_again_action",)
    search_fields = ("comment", "customer__name", "customer__email", "customer__external_id")
    list_select_related = ("customer", "survey")
    date_hierarchy = "at"
    ordering = ("-at",)
    inlines = (RevisionInline,)

    @admin.display(description="because")
    def because(self, response: Response) -> str:
        """What the state rests on, in words."""
        return ", ".join(IN_WORDS.get(reason, reason) for reason in response.reasons) or "–"

    @admin.action(description="Judge again by the rules as they are now", permissions=["judge"])
    def judge_again_action(self, request: HttpRequest, chosen: QuerySet[Response]) -> None:
        """Judge answers once more, person or machine."""
        changed = judge_again(responses=chosen, at=timezone.now())
        self.message_user(request, f"{changed} of {len(chosen)} are judged otherwise now.", messages.SUCCESS)

    def has_judge_permission(self, request: HttpRequest) -> bool:
        """Those who may change surveys."""
        return request.user.has_perm("surveys.change_survey")
