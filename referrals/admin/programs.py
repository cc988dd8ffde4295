"""Programs in the admin: the file, what it promises now, and all it ever promised."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action

from accounts.models import ChangeRequest, User
from core.admin import ReadOnlyInline
from referrals.access import program_draft
from referrals.forms import ProgramForm
from referrals.models import Offer, Program, ProgramStatus
from referrals.program_text import program_changes, render_program
from referrals.program_words import describe_terms
from referrals.queries.audiences import audience_in_words
from referrals.queries.program_warnings import program_warnings
from referrals.queries.programs import current_offer, document_of, find_document, terms_of
from referrals.services.program_changes import change_program

WORDS = """The program as a file: what <code>manage.py apply_program</code> takes and
<code>export_program</code> prints. Change it here or there, the rules are the same; nothing is saved
while a line is wrong. A changed promise becomes a new offer: friends who come from now on get it, friends who
are bound keep theirs.<br>
<b>rewards</b>: <i>to</i> advocate or friend; <i>on</i> signup, qualified, purchase, claim or assist; one gift:
<i>points</i>, <i>percent</i> of what was paid (with <i>max_points</i>), <i>coupon</i>, <i>credit</i>,
<i>gift_card</i>, <i>cash</i>, <i>perk</i>, <i>badge</i>, <i>choice</i> or <i>manual</i>; <i>when</i> asks for
conditions, <i>first_match</i> lets one of several pay; <i>repeat_days</i> ends an <i>on: purchase</i> reward;
<i>hold_days</i> lets it wait longer (a friend's: shorter) than the program's.<br>
<b>tiers</b>, <b>milestones</b>, <b>limits</b>, <b>risk</b>, <b>expires_days</b>, <b>audience</b>: all words with
examples stand in <code>docs/programs.md</code>."""


class OfferInline(ReadOnlyInline):
    """Every version of the promise."""

    model = Offer
    fields = ("number", "since", "promise")
    readonly_fields = fields
    ordering = ("-number",)
    verbose_name_plural = "offers, the newest first"

    @admin.display(description="live since")
    def since(self, offer: Offer) -> str:
        """The moment from which friends got it."""
        return f"{timezone.localtime(offer.live_from):%Y-%m-%d %H:%M}" if offer.live_from else "the beginning"

    @admin.display(description="promise")
    def promise(self, offer: Offer) -> str:
        """The promise in sentences."""
        return _sentences(offer)


class StatusInline(ReadOnlyInline):
    """When it ran."""

    model = ProgramStatus
    fields = ("status", "at")
    readonly_fields = fields
    ordering = ("-pk",)
    verbose_name_plural = "when it ran"


@admin.register(Program)
class ProgramAdmin(ModelAdmin):  # type: ignore[misc]
    """Programs, made and changed through their files."""

    form = ProgramForm
    list_display = ("name", "slug", "status", "runs", "offer_number", "landing_url")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    ordering = ("name",)
    inlines = (OfferInline, StatusInline)
    readonly_fields = ("promise", "audience", "shown_file")
    actions_detail = ("what_if_action", "budget_action")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Program]":
        """Return programs with their offers."""
        return Program.objects.prefetch_related("offers")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the file to edit, or to read for those who may only look."""
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        asks = obj is not None and writes and settings.SECOND_PERSON_FOR_PROGRAMS
        fields = (("file", "reason") if asks else ("file",)) if writes else ("shown_file",)
        file = ("The file", {"fields": fields, "description": WORDS if writes else ""})
        return [("What it promises now", {"fields": ("promise", "audience")}), file] if obj else [file]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Start from the file that was tried on the past, where the request asks for that."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.draft = program_draft(request, slug=obj.slug) if obj else ""
        return form

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new program has no history."""
        return self.inlines if obj else ()

    @action(description="What if…", url_path="what-if", permissions=["change"])  # type: ignore[untyped-decorator]
    def what_if_action(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the page where an edited file is tried on the past."""
        return redirect("what_if_new", get_object_or_404(Program, pk=object_id).slug)

    @action(description="Budget", url_path="budget", permissions=["view"])  # type: ignore[untyped-decorator]
    def budget_action(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the page where the program's budget burns down."""
        return redirect("budget", get_object_or_404(Program, pk=object_id).slug)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a program with its promises is ended, not deleted."""
        return False

    @admin.display(description="runs")
    def runs(self, program: Program) -> str:
        """The days on which it runs."""
        return f"{program.starts or 'ever'} – {program.ends or 'open'}"

    @admin.display(description="offer")
    def offer_number(self, program: Program) -> int:
        """The number of the offer that is live."""
        return current_offer(program).number

    @admin.display(description="promise")
    def promise(self, program: Program) -> str:
        """The live offer in sentences."""
        return _sentences(current_offer(program))

    @admin.display(description="offered to")
    def audience(self, program: Program) -> str:
        """Whom it is offered to."""
        return audience_in_words(program)

    @admin.display(description="program file")
    def shown_file(self, program: Program) -> str:
        """The file to read."""
        return format_html("<pre>{}</pre>", render_program(document_of(program)))

    def save_model(self, request: HttpRequest, obj: Program, form: ProgramForm, change: bool) -> None:
        """Apply the file as the command does, and say what changed."""
        before = find_document(form.document.slug)
        program = change_program(
            document=form.document,
            reason=form.cleaned_data.get("reason", ""),
            actor=str(request.user),
            asker=request.user if isinstance(request.user, User) else None,
            at=timezone.now(),
        )
        if isinstance(program, ChangeRequest):
            messages.warning(request, f"{program.title}: waits for a second person; nothing has changed yet.")
            return
        obj.__dict__.update(program.__dict__)
        changes = program_changes(before, form.document) if before else []
        for told in changes:
            messages.info(request, str(told))
        if before and before.terms != form.document.terms:
            messages.info(request, "The promise changed: a new offer is live for friends who come from now on.")
        for warning in program_warnings(form.document):
            messages.warning(request, warning)


def _sentences(offer: Offer) -> str:
    return format_html_join("", "<div>{}</div>", ((line,) for line in describe_terms(terms_of(offer))))
