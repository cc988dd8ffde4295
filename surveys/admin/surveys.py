"""What is asked: surveys and their wordings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import Invalid
from referrals.queries.segments import find_segment
from surveys.admin.read_only import ReadOnly
from surveys.models import Survey, SurveyVersion, Trigger
from surveys.queries import current_version
from surveys.scales import NPS, Level
from surveys.services.surveys import ensure_default_survey, publish_wording, require_fitting_look
from surveys.words import SHIPPED, Wording, wording_of

WORDS = {
    "question": (200, "Question"),
    "low_label": (60, "Label of the lowest score"),
    "high_label": (60, "Label of the highest score"),
    "why": (200, "Comment question"),
}
LEVELS = {Level.HIGH: "glad", Level.MIDDLE: "in between", Level.LOW: "not glad"}
OTHER_LANGUAGES = [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE[:2]]


def word_fields(language: str = "") -> dict[str, forms.CharField]:
    """Return the fields of a wording; those of another language may stay empty."""
    end = f"_{language}" if language else ""
    fields = {f"{name}{end}": _text(longest, label, required=not language) for name, (longest, label) in WORDS.items()}
    asked = {f"follow_{level}{end}": _text(200, f"Second question, {words}") for level, words in LEVELS.items()}
    return fields | asked


def _text(longest: int, label: str, *, required: bool = False) -> forms.CharField:
    return forms.CharField(max_length=longest, label=label, required=required, widget=UnfoldAdminTextInputWidget)


class _WordedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A survey with the words it says from now on, in every language of the house."""

    class Meta:
        model = Survey
        fields = (
            "name",
            "slug",
            "kind",
            "style",
            "accent",
            "active",
            "days_after_answer",
            "days_after_silence",
            "hours_between",
            "open_days",
            "edit_hours",
            "reminder_days",
            "daily_cap",
            "write_from",
            "write_until",
            "weekdays_only",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WORDS:
            self.fields[name].required = bool(self.instance.pk)
        if not self.instance.pk:
            self.fields["why"].initial = SHIPPED[NPS].why
            return
        words = wording_of(current_version(self.instance))
        self._fill(asdict(words), "")
        for language, _name in OTHER_LANGUAGES:
            self._fill(words.translations.get(language, {}), f"_{language}")

    def _fill(self, said: Mapping[str, Any], end: str) -> None:
        for name in WORDS:
            self.fields[f"{name}{end}"].initial = said.get(name, "")
        for level in LEVELS:
            self.fields[f"follow_{level}{end}"].initial = said.get("follow_ups", {}).get(level, "")

    def clean(self) -> dict[str, Any]:
        """Refuse a look that does not fit the scale, and hours in which nothing could ever leave."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("write_from", 0) < cleaned.get("write_until", 24) <= 24:
            self.add_error("write_until", "Expected an hour after the first one, at most 24.")
        kind = cleaned.get("kind") or self.instance.kind
        try:
            require_fitting_look(kind=kind, style=cleaned.get("style", ""), accent=cleaned.get("accent", ""))
        except Invalid as error:
            self.add_error((error.pointer or "/style").lstrip("/"), error.detail)
        return cleaned

    def wording(self) -> Wording:
        """Return what the survey is to say; the shipped words of its kind where a new one says nothing."""
        said = self._said("")
        shipped = SHIPPED[self.cleaned_data.get("kind") or self.instance.kind]
        texts = {name: said.get(name) or getattr(shipped, name) for name in WORDS}
        others = {language: self._said(f"_{language}") for language, _name in OTHER_LANGUAGES}
        translations = {language: words for language, words in others.items() if words}
        return Wording(**texts, follow_ups=said.get("follow_ups", {}), translations=translations)

    def _said(self, end: str) -> dict[str, Any]:
        texts = {name: self.cleaned_data.get(f"{name}{end}", "") for name in WORDS}
        asked = {str(level): self.cleaned_data.get(f"follow_{level}{end}", "") for level in LEVELS}
        found = {name: text for name, text in texts.items() if text}
        follow_ups = {level: text for level, text in asked.items() if text}
        return found | ({"follow_ups": follow_ups} if follow_ups else {})


def _all_word_fields() -> dict[str, Any]:
    found: dict[str, Any] = word_fields()
    for language, _name in OTHER_LANGUAGES:
        found |= word_fields(language)
    return found


SurveyForm = type("SurveyForm", (_WordedForm,), {**_all_word_fields(), "__doc__": _WordedForm.__doc__})


class VersionInline(ReadOnly, TabularInline):  # type: ignore[misc]
    """What the survey said before; answers keep the wording they answered."""

    model = SurveyVersion
    fields = ("number", "question", "low_label", "high_label", "why", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    verbose_name_plural = "wordings so far"


class TriggerForm(forms.ModelForm):  # type: ignore[type-arg]
    """When somebody is asked; a custom event needs its name, a segment has to exist."""

    class Meta:
        model = Trigger
        fields = ("after", "event_name", "delay_hours", "sample_percent", "segment", "active")

    def clean(self) -> dict[str, Any]:
        """Refuse a name where none belongs, a missing one, and a segment that does not exist."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if (cleaned.get("after") == Trigger.After.CUSTOM) != bool(cleaned.get("event_name")):
            self.add_error("event_name", "Expected the event's name for a custom event, and none for any other.")
        if cleaned.get("segment") and find_segment(cleaned["segment"]) is None:
            self.add_error("segment", f"There is no segment {cleaned['segment']!r}.")
        return cleaned


class TriggerInline(TabularInline):  # type: ignore[misc]
    """After what people are asked; switched off rather than deleted, as its decisions are kept."""

    model = Trigger
    form = TriggerForm
    extra = 0
    verbose_name_plural = "asks by itself after"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Triggers are switched off, not deleted."""
        return False


@admin.register(Survey)
class SurveyAdmin(ModelAdmin):  # type: ignore[misc]
    """The questions the company asks."""

    form = SurveyForm
    list_display = ("name", "slug", "kind", "active", "look")
    list_filter = ("kind", "active")
    search_fields = ("name", "slug")
    inlines = (TriggerInline, VersionInline)
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "active")}),
        ("How it looks", {"fields": ("style", "accent")}),
        (
            "What it says",
            {
                "fields": tuple(word_fields()),
                "description": "{brand} stands for the company's name. A new survey may leave question and labels "
                "empty: it says the usual words of its kind then, in every language of the house.",
            },
        ),
        *(
            (f"What it says in {name}", {"fields": tuple(word_fields(code)), "classes": ("collapse",)})
            for code, name in OTHER_LANGUAGES
        ),
        ("When mails leave", {"fields": ("write_from", "write_until", "weekdays_only", "daily_cap", "reminder_days")}),
        (
            "Whom it leaves in peace",
            {"fields": ("days_after_answer", "days_after_silence", "hours_between", "open_days", "edit_hours")},
        ),
    )

    @admin.display(description="preview")
    def look(self, survey: Survey) -> str:
        """The way to see it as people do."""
        return format_html('<a href="{}">Page and mail</a>', reverse("surveys:preview", args=[survey.slug]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        """List every survey; the default one is always there."""
        ensure_default_survey()
        found: QuerySet[Survey] = super().get_queryset(request)
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Survey | None = None) -> tuple[str, ...]:
        """Keep slug and kind once answers may hang on them."""
        return ("slug", "kind", "look") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Survey | None = None) -> Any:
        """Offer the preview of a survey that exists."""
        _first, *rest = self.fieldsets
        return [(None, {"fields": ("name", "slug", "kind", "active", "look")}), *rest] if obj else self.fieldsets

    def get_prepopulated_fields(self, request: HttpRequest, obj: Survey | None = None) -> dict[str, tuple[str, ...]]:
        """Make the slug from the name of a new survey only."""
        return {} if obj else {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        """Surveys are switched off, not deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Survey, form: _WordedForm, change: bool) -> None:
        """Save, and publish the wording where it changed."""
        super().save_model(request, obj, form, change)
        publish_wording(survey=obj, wording=form.wording())
