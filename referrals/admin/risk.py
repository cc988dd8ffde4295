"""Risk in the admin: the block list to keep; scores, decisions and questions to the shop to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to
from referrals.forms import BlockEntryForm
from referrals.models import BlockEntry, ReviewDecision, RiskAssessment, VetoCall
from referrals.services.blocks import add_block_entry, remove_block_entry
from referrals.services.vetoes import ask_now


class AssessmentInline(ReadOnlyInline):
    """The scores of a referral, each with what the rules saw."""

    model = RiskAssessment
    fields = ("at", "moment", "score", "verdict", "seen", "version")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "risk scores"

    @admin.display(description="what the rules saw")
    def seen(self, row: RiskAssessment) -> str:
        """The signals in words."""
        return " ".join(f"+{signal['weight']} {signal['evidence']}" for signal in row.signals) or "nothing"


class DecisionInline(ReadOnlyInline):
    """What reviewers decided."""

    model = ReviewDecision
    fields = ("at", "decision", "kind", "reason", "actor", "undone_at")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "reviewers' decisions"


@admin.register(BlockEntry)
class BlockEntryAdmin(ModelAdmin):  # type: ignore[misc]
    """Who may not take part, and who is looked at first. An entry is added or removed, never changed."""

    form = BlockEntryForm
    list_display = ("pattern", "kind", "effect", "reason", "added_by", "added_at", "until")
    list_filter = ("effect", "kind")
    search_fields = ("pattern", "reason")
    ordering = ("-pk",)
    list_per_page = 50
    readonly_fields = ("added_by", "added_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A new entry is signed by whoever adds it."""
        fields = ["kind", "pattern", "effect", "reason", "until"]
        return [*fields, "added_by", "added_at"] if obj else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: BlockEntry, form: Any, change: bool) -> None:
        """Add the entry through its service."""
        kept = add_block_entry(
            kind=obj.kind,
            pattern=obj.pattern,
            effect=obj.effect,
            reason=obj.reason,
            until=obj.until,
            added_by=str(request.user),
            at=timezone.now(),
        )
        obj.pk, obj.added_by, obj.added_at = kept.pk, kept.added_by, kept.added_at

    def delete_model(self, request: HttpRequest, obj: BlockEntry) -> None:
        """Take one entry off the list."""
        remove_block_entry(entry=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BlockEntry]) -> None:
        """Take the chosen entries off the list."""
        for entry in queryset:
            remove_block_entry(entry=entry)


@admin.register(RiskAssessment)
class RiskAssessmentAdmin(ReadOnlyAdmin):
    """Every score, with what the rules saw."""

    list_display = ("referral", "score", "verdict", "moment", "at", "version")
    list_filter = ("verdict", "moment", "version")
    list_select_related = ("referral",)
    search_fields = ("referral__public_id",)
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(ReviewDecision)
class ReviewDecisionAdmin(ReadOnlyAdmin):
    """Every decision of a reviewer."""

    list_display = ("referral", "decision", "kind", "reason", "actor", "at", "undone_at")
    list_filter = ("decision", "kind", "actor")
    list_select_related = ("referral",)
    search_fields = ("referral__public_id", "reason", "actor")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(VetoCall)
class VetoCallAdmin(ReadOnlyAdmin):
    """Whether the shop lets rewards be paid: what was asked, what it said, what still waits."""

    list_display = ("call_id", "referral_page", "stage", "state", "attempts", "due_at", "reason", "last_error")
    list_filter = ("state", "stage")
    list_select_related = ("referral",)
    search_fields = ("call_id", "referral__public_id", "reason")
    ordering = ("-pk",)
    actions = ("ask_now_action",)

    @admin.display(description="referral")
    def referral_page(self, call: VetoCall) -> str:
        """The referral, to go there."""
        return link_to(call.referral)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Only those who may change referrals."""
        return request.user.has_perm("referrals.change_referral")

    @admin.action(description="Ask again now", permissions=["decide"])
    def ask_now_action(self, request: HttpRequest, queryset: QuerySet[VetoCall]) -> None:
        """Have the chosen open questions asked within the minute."""
        count = ask_now(calls=[call.pk for call in queryset], at=timezone.now())
        self.message_user(request, f"{count} questions are asked again within the minute.")
