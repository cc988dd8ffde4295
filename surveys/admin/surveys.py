"""What is asked: surveys and their wordings."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import Refused
from surveys.admin.read_only import ReadOnly
from surveys.models import Survey, SurveyVersion
from surveys.queries import current_version
from surveys.services.surveys import (
    Wording,
    ensure_default_survey,
    publish_wording,
    require_usable_kind,
    wording_of,
)


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
