"""Referrals in the admin: who brought whom, in which state and why."""

from django.contrib import admin

from referrals.admin.base import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json
from referrals.models import Referral, ReferralStep


class StepInline(ReadOnlyInline):
    """The whole way of a referral, step by step."""

    model = ReferralStep
    related = ("event",)
    fields = ("at", "what", "why", "who", "event", "inputs")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "what happened, and why"

    @admin.display(description="by")
    def who(self, step: ReferralStep) -> str:
        """Who decided."""
        return step.actor or "the rules"

    @admin.display(description="on what")
    def inputs(self, step: ReferralStep) -> str:
        """The values the decision rests on."""
        return shown_json(step.data) if step.data else "–"


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    """One friend in one program, credited to one advocate."""

    list_display = ("friend", "advocate", "program", "state", "reason", "channel", "bound_at", "qualified_at")
    list_filter = ("state", "program", "method", "channel", "reason")
    list_select_related = ("friend", "advocate", "program")
    search_fields = (
        *("public_id", "code", "friend__external_id", "friend__email", "friend__name"),
        *("advocate__external_id", "advocate__email", "advocate__name"),
    )
    date_hierarchy = "bound_at"
    ordering = ("-created_at", "-pk")
    inlines = (StepInline,)
    fieldsets = (
        (None, {"fields": ("state", "reason", "friend_page", "advocate_page", "program", "offer")}),
        ("How they met", {"fields": ("method", "code", "channel", "click", "binding_event", "touch_at", "bound_at")}),
        ("What came of it", {"fields": ("qualifying_event", "qualified_at", "approve_at", "approved_at")}),
        ("For support", {"fields": ("public_id", "expires_at", "created_at")}),
    )
    readonly_fields = ("friend_page", "advocate_page")

    @admin.display(description="friend")
    def friend_page(self, referral: Referral) -> str:
        """The friend, to go there."""
        return link_to(referral.friend)

    @admin.display(description="advocate")
    def advocate_page(self, referral: Referral) -> str:
        """The advocate, to go there."""
        return link_to(referral.advocate)
