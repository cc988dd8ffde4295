"""Surveys in the admin: wordings, who was asked or not and why, and the answers, which nobody edits."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import Refused
from surveys.answers import IN_WORDS
from surveys.models import Invitation, Respondent, Response, ResponseRevision, Survey, SurveyClick, SurveyVersion
from surveys.queries import current_version
from surveys.services.invitations import invite_customers
from surveys.services.settling import judge_again
from surveys.services.surveys import (
    Wording,
    ensure_default_survey,
    publish_wording,
    require_usable_kind,
    wording_of,
)

Action = Callable[..., None]


class ReadOnly:
    """Rows that are looked at, never written here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted by hand."""
        return False


class SurveyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A survey with the words it says from now on."""

    question = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="{brand} stands for the company's name"
    )
    low_label = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget, label="Label of the lowest score")
    high_label = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget, label="Label of the highest score")
    why = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, label="Comment question")

    class Meta:
        model = Survey
        fields = (
            "name",
            "slug",
            "kind",
            "active",
            "days_after_answer",
            "days_after_silence",
            "hours_between",
            "open_days",
            "edit_hours",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = wording_of(current_version(self.instance)) if self.instance.pk else Wording()
        for name, value in asdict(words).items():
            self.fields[name].initial = value

    def clean_kind(self) -> str:
        """Refuse what cannot be asked yet."""
        kind: str = self.cleaned_data["kind"]
        try:
            require_usable_kind(kind)
        except Refused as error:
            raise forms.ValidationError(error.detail) from None
        return kind


class VersionInline(ReadOnly, TabularInline):  # type: ignore[misc]
    """What the survey said before; answers keep the wording they answered."""

    model = SurveyVersion
    fields = ("number", "question", "low_label", "high_label", "why", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    verbose_name_plural = "wordings so far"


@admin.register(Survey)
class SurveyAdmin(ModelAdmin):  # type: ignore[misc]
    """The questions the company asks."""

    form = SurveyForm
    list_display = ("name", "slug", "kind", "active")
    list_filter = ("kind", "active")
    search_fields = ("name", "slug")
    inlines = (VersionInline,)
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "active")}),
        ("What it says", {"fields": ("question", "low_label", "high_label", "why")}),
        (
            "Whom it leaves in peace",
            {"fields": ("days_after_answer", "days_after_silence", "hours_between", "open_days", "edit_hours")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        """List every survey; the default one is always there."""
        ensure_default_survey()
        found: QuerySet[Survey] = super().get_queryset(request)
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Survey | None = None) -> tuple[str, ...]:
        """Keep slug and kind once answers may hang on them."""
        return ("slug", "kind") if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Survey | None = None) -> dict[str, tuple[str, ...]]:
        """Make the slug from the name of a new survey only."""
        return {} if obj else {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        """Surveys are switched off, not deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Survey, form: SurveyForm, change: bool) -> None:
        """Save, and publish the wording where it changed."""
        super().save_model(request, obj, form, change)
        words = {name: form.cleaned_data[name] for name in asdict(Wording())}
        publish_wording(survey=obj, wording=Wording(**words))


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


@admin.register(Respondent)
class RespondentAdmin(ModelAdmin):  # type: ignore[misc]
    """Choose customers, then ask them; whom the rules protect is left out and counted."""

    list_display = ("name", "email", "external_id", "created_at")
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
