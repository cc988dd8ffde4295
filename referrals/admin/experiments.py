"""Experiments in the admin: prepared here, started once, never changed while they run."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.forms.models import ModelFormMetaclass
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import StackedInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin import ActsWithReason, ReadOnlyInline
from core.errors import Refused
from referrals.experiments import FEWEST, MOST
from referrals.models import Experiment, Variant
from referrals.pictures import MAX_SHARE_IMAGE, BadShareImage, clean_share_image
from referrals.services.experiments import end_experiment, experiment_problems, lock_draft, start_experiment
from referrals.sharing import text_problem

_COLOUR = re.compile(r"#[0-9a-f]{6}")
LONGEST_SUBJECT, LONGEST_TEXT = 120, 500
WORDS = """Two to five variants; the first is the <b>control</b>. Left without words and look, the control is what
customers see today, and the others need words in every language. Words of a text go with the link whatever the
channel: {brand}, {name} (the advocate's first name) and {code} stand for what they say. Words of a picture are its
title line; its look are a colour and an uploaded picture; one of the three is enough. Each advocate is in one variant
for ever, by chance and weight; friends see the picture of their advocate's variant. Once started, nothing changes until
it ends."""


def _word_fields() -> dict[str, forms.Field]:
    """Return, by language, the fields of a variant's text and subject."""
    fields: dict[str, forms.Field] = {}
    for code, language in settings.LANGUAGES:
        fields[f"text_{code}"] = forms.CharField(
            label=f"Text or title line, {language}",
            required=False,
            max_length=LONGEST_TEXT,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        )
        fields[f"subject_{code}"] = forms.CharField(
            label=f"Subject of mails and posts, {language}",
            required=False,
            max_length=LONGEST_SUBJECT,
            widget=UnfoldAdminTextInputWidget(),
            help_text="empty: the usual one",
        )
    return fields


class VariantForm(forms.ModelForm):  # type: ignore[type-arg]
    """One variant; its words stand in fields by language."""

    upload = forms.FileField(
        required=False,
        label="Picture of its own",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png"}),
        help_text=f"PNG of 1200 × 630 pixels, at most {MAX_SHARE_IMAGE // 1024} KB, in place of the drawn one.",
    )

    class Meta:
        model = Variant
        fields = ("name", "weight", "colour")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for code, words in (self.instance.words or {}).items():
            for part in ("text", "subject"):
                if f"{part}_{code}" in self.fields:
                    self.fields[f"{part}_{code}"].initial = words[part]

    def clean_colour(self) -> str:
        """Take #rrggbb alone."""
        colour: str = self.cleaned_data["colour"].strip().lower()
        if colour and not _COLOUR.fullmatch(colour):
            raise forms.ValidationError("expected a colour such as #0b6b4f")
        return colour

    def clean_weight(self) -> int:
        """Let nobody be in a variant by a share of nothing."""
        weight: int = self.cleaned_data["weight"]
        if not 1 <= weight <= 1000:
            raise forms.ValidationError("expected a whole number from 1 to 1,000")
        return weight

    def clean_upload(self) -> bytes | None:
        """Read the picture; refuse what is none, or of another size."""
        given: UploadedFile[bytes] | None = self.cleaned_data["upload"]
        if given is None:
            return None
        if (given.size or 0) > MAX_SHARE_IMAGE:
            raise forms.ValidationError(f"The picture is too large; at most {MAX_SHARE_IMAGE // 1024} KB are possible.")
        try:
            return clean_share_image(given.read())
        except BadShareImage as refusal:
            raise forms.ValidationError(refusal.detail) from None

    def clean(self) -> dict[str, Any]:
        """Refuse unknown placeholders, and a subject without a text."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        words: dict[str, dict[str, str]] = {}
        for code, _ in settings.LANGUAGES:
            text, subject = (" ".join(given.get(f"{part}_{code}", "").split()) for part in ("text", "subject"))
            for part, said in (("text", text), ("subject", subject)):
                if problem := text_problem(said):
                    self.add_error(f"{part}_{code}", problem)
            if subject and not text:
                self.add_error(f"text_{code}", "a subject needs its text")
            if text:
                words[code] = {"text": text, "subject": subject}
        self.instance.words = words
        if given.get("upload"):
            self.instance.picture = given["upload"]
        return given


WordedVariantForm = ModelFormMetaclass("WordedVariantForm", (VariantForm,), _word_fields())


class VariantForms(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The variants in their order, the control first."""

    def clean(self) -> None:
        """Put new ones behind those there are."""
        super().clean()
        last = max((one.instance.position for one in self.forms if one.instance.pk), default=-1)
        for form in self.forms:
            if not form.instance.pk and form.has_changed():
                last += 1
                form.instance.position = last


class VariantInline(StackedInline):  # type: ignore[misc]
    """What is compared, while it can be written."""

    model = Variant
    form = WordedVariantForm
    formset = VariantForms
    extra = 0
    min_num = FEWEST
    max_num = MOST
    fields = (
        ("name", "weight"),
        *((f"text_{code}", f"subject_{code}") for code, _ in settings.LANGUAGES),
        "colour",
        "upload",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Variant]":
        """Return the variants without loading their pictures."""
        return Variant.objects.defer("picture")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("referrals.change_experiment")

    has_change_permission = has_delete_permission = has_view_permission = has_add_permission


class ShownVariantInline(ReadOnlyInline):
    """What is compared, to look at."""

    model = Variant
    fields = ("name", "weight", "shown_words", "colour", "pictured")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Variant]":
        """Return the variants without loading their pictures."""
        rows = Variant.objects.annotate(has_picture=Q(picture__isnull=False))
        return rows.defer("picture")

    @admin.display(description="words")
    def shown_words(self, variant: Variant) -> str:
        """The words by language."""
        said = ((code, words["text"]) for code, words in sorted(variant.words.items()))
        return format_html_join("", "<div>{}: {}</div>", said) or "as without the experiment"

    @admin.display(description="picture of its own", boolean=True)
    def pictured(self, variant: Variant) -> bool:
        """Whether one was uploaded."""
        return bool(getattr(variant, "has_picture", False))


@admin.register(Experiment)
class ExperimentAdmin(ActsWithReason):
    """Experiments: drafts are written here, running ones are only ended."""

    list_display = ("title", "program", "subject", "state", "started_at", "ended_at")
    list_filter = ("state", "subject", "program")
    list_select_related = ("program",)
    search_fields = ("title", "slug")
    ordering = ("-pk",)
    readonly_fields = ("state", "missing", "expected", "learnt", "started_at", "ended_at")
    actions_detail = ("start_one", "end_one", "results_of_one")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what it is, and for one that is known how it stands."""
        what = (None, {"fields": ("title", "slug", "program", "subject"), "description": WORDS})
        if obj is None:
            return [what]
        if obj.state == Experiment.State.DRAFT:
            return [what, ("Before it can start", {"fields": ("missing",)})]
        return [
            (None, {"fields": ("title", "slug", "program", "subject")}),
            ("How it stands", {"fields": ("state", "expected", "learnt", "started_at", "ended_at")}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """Variants to write, or to look at."""
        return (VariantInline,) if self.has_change_permission(request, obj) else (ShownVariantInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts change."""
        writes: bool = super().has_change_permission(request, obj)
        return writes and (obj is None or obj.state == Experiment.State.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are deleted: what ran is kept."""
        deletes: bool = super().has_delete_permission(request, obj)
        return deletes and (obj is None or obj.state == Experiment.State.DRAFT)

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer no deleting of many."""
        return {}

    def save_model(self, request: HttpRequest, obj: Experiment, form: Any, change: bool) -> None:
        """Save a draft, which nobody can start meanwhile."""
        if change:
            try:
                lock_draft(experiment=obj)
            except Refused:
                raise PermissionDenied from None
        super().save_model(request, obj, form, change)

    @admin.display(description="missing")
    def missing(self, experiment: Experiment) -> str:
        """What keeps it from starting."""
        problems = ((one,) for one in experiment_problems(experiment))
        return format_html_join("", "<div>{}</div>", problems) or "Nothing: it can start."

    def has_start_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Only those who may change experiments, and only drafts."""
        return self._may(request, object_id, Experiment.State.DRAFT)

    def has_end_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Only those who may change experiments, and only running ones."""
        return self._may(request, object_id, Experiment.State.RUNNING)

    def _may(self, request: HttpRequest, object_id: str, state: str) -> bool:
        changes: bool = request.user.has_perm("referrals.change_experiment")
        found = self.get_object(request, object_id) if changes and object_id else None
        return found is not None and bool(found.state == state)

    @action(description="Start…", url_path="start", permissions=["start"])  # type: ignore[untyped-decorator]
    def start_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what is expected, then let it run."""
        return self.act_on_one(
            request,
            object_id,
            lambda row, why: start_experiment(experiment=row, expected=why, at=timezone.now()),
            title="Start the experiment",
            warning="Each advocate sees one of the variants from now on. Nothing of it can be changed until it ends.",
            question="What do you expect, and what will you look at?",
            done="started",
        )

    @action(description="End…", url_path="end", permissions=["end"])  # type: ignore[untyped-decorator]
    def end_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what was learnt, then end it."""
        return self.act_on_one(
            request,
            object_id,
            lambda row, why: end_experiment(experiment=row, learnt=why, at=timezone.now()),
            title="End the experiment",
            warning="Everybody sees again what is shown without it; it cannot be started again.",
            question="What was learnt?",
            done="ended",
        )

    @action(description="Results", url_path="results", permissions=["view"])  # type: ignore[untyped-decorator]
    def results_of_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the page with what came of each variant."""
        return redirect("analytics:experiment", get_object_or_404(Experiment, pk=object_id).slug)
