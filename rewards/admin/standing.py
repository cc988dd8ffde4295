"""Tiers of customers in the admin: to look at, with every change and why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to
from rewards.models import DisplayName, TierChange, TierStanding
from rewards.services.leaderboards import leave_leaderboards


class TierChangeInline(ReadOnlyInline):
    """Every change of the tier that is shown."""

    model = TierChange
    fields = ("at", "before", "after", "why", "count")
    readonly_fields = fields
    ordering = ("-at", "-pk")
    verbose_name_plural = "changes, newest first"


@admin.register(TierStanding)
class TierStandingAdmin(ReadOnlyAdmin):
    """The tier of each advocate in each program."""

    list_display = ("customer", "program", "level", "level_now", "count", "total", "at_risk", "held_until", "since")
    list_filter = ("program", "level", "vip", "at_risk")
    list_select_related = ("customer", "program")
    search_fields = ("customer__external_id", "customer__email", "customer__name")
    search_help_text = "Email, name or your own id"
    ordering = ("-since", "-pk")
    inlines = (TierChangeInline,)
    fieldsets = (
        (None, {"fields": ("customer_page", "program", "level", "level_now", "vip", "shown_perks", "since")}),
        ("What it rests on", {"fields": ("count", "total", "offer")}),
        ("What comes next", {"fields": ("at_risk", "needed", "held_until", "next_change_at", "updated_at")}),
    )

    @admin.display(description="perks")
    def shown_perks(self, standing: TierStanding) -> str:
        """The names of its perks."""
        return ", ".join(standing.perks) or "–"

    @admin.display(description="customer")
    def customer_page(self, standing: TierStanding) -> str:
        """The customer, to go there."""
        return link_to(standing.customer)


@admin.register(DisplayName)
class DisplayNameAdmin(ReadOnlyAdmin):
    """The names that customers chose for leaderboards; one that should not be seen is taken off."""

    list_display = ("name", "customer", "at")
    list_select_related = ("customer",)
    search_fields = ("name", "customer__external_id", "customer__email", "customer__name")
    ordering = ("-at", "-pk")
    actions = ("take_off_action",)

    def has_take_off_permission(self, request: HttpRequest) -> bool:
        """Only those who may change display names."""
        return request.user.has_perm("rewards.change_displayname")

    @admin.action(description="Take off the leaderboards…", permissions=["take_off"])
    def take_off_action(self, request: HttpRequest, queryset: QuerySet[DisplayName]) -> HttpResponse | None:
        """Ask why, then show the chosen customers without a name."""

        def take_off(row: Any, reason: str) -> None:
            self.log_change(request, row, f"taken off the leaderboards: {reason}")
            leave_leaderboards(customer=row.customer)

        return self.act_with_reason(
            request,
            queryset.select_related("customer"),
            take_off,
            action="take_off_action",
            title="Take off the leaderboards",
            warning="The customers keep their rank and are shown without a name, closed periods included. "
            "They may choose another name.",
            done="taken off",
        )
