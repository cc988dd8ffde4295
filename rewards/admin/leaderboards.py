"""Leaderboards in the admin: their prizes, how they stand, and the periods that are closed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.admin import TabularInline

from core import clocks
from core.admin import ReadOnlyAdmin, ReadOnlyInline
from referrals.models import Customer
from rewards.models import Leaderboard, LeaderboardPlace, LeaderboardPrize, LeaderboardResult
from rewards.queries.leaderboards import count_places, display_names, running_period
from rewards.services.leaderboards import close_leaderboard, schedule_leaderboard

SHOWN = 20


class PrizeInline(TabularInline):  # type: ignore[misc]
    """What ranks win."""

    model = LeaderboardPrize
    fields = ("first_rank", "last_rank", "prize")
    extra = 1
    ordering = ("first_rank", "pk")


class ResultInline(ReadOnlyInline):
    """Closed periods."""

    model = LeaderboardResult
    fields = ("starts_at", "ends_at", "closed_at", "closed_by")
    readonly_fields = fields
    ordering = ("-ends_at",)
    show_change_link = True
    verbose_name_plural = "closed periods"


@admin.register(Leaderboard)
class LeaderboardAdmin(ReadOnlyAdmin):
    """Who referred most, by program and period."""

    list_display = ("title", "program", "period", "active", "closes_at")
    list_filter = ("program", "period", "active")
    list_select_related = ("program",)
    search_fields = ("title", "program__name")
    ordering = ("program", "pk")
    inlines = (PrizeInline, ResultInline)
    readonly_fields = ("standing_now",)
    actions = ("close_action",)
    fieldsets = (
        (None, {"fields": ("program", "title", "period", "starts_on", "shown", "active")}),
        ("How it stands", {"fields": ("standing_now",)}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rewards.add_leaderboard")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("rewards.change_leaderboard")

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Only those who may change leaderboards."""
        return request.user.has_perm("rewards.change_leaderboard")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A leaderboard that has results keeps its program and period."""
        fixed = ("program", "period") if obj and obj.results.exists() else ()
        return (*self.readonly_fields, *fixed)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin today."""
        return {"starts_on": timezone.localdate()}

    @admin.display(description="the running period")
    def standing_now(self, board: Leaderboard) -> str:
        """The first ranks of the running period."""
        if not board.pk:
            return "–"
        now = clocks.now()
        start, _ = running_period(board, now)
        places = count_places(board, start, now)[:SHOWN]
        people = Customer.objects.in_bulk([place.customer for place in places])
        names = display_names(people)
        lines = (
            (place.rank, people[place.customer], names.get(place.customer, "nameless"), place.count) for place in places
        )
        return format_html_join("", "<div>{}. {} ({}): {}</div>", lines) or "Nobody yet."

    def save_model(self, request: HttpRequest, obj: Leaderboard, form: Any, change: bool) -> None:
        """Save it, and set when the running period closes."""
        super().save_model(request, obj, form, change)
        schedule_leaderboard(leaderboard=obj, at=clocks.now())

    @admin.action(description="Close the running period now…", permissions=["close"])
    def close_action(self, request: HttpRequest, queryset: QuerySet[Leaderboard]) -> HttpResponse | None:
        """Ask why, then close the running period of the chosen leaderboards."""

        def close(board: Any, reason: str) -> None:
            close_leaderboard(leaderboard=board, actor=str(request.user), at=clocks.now())
            self.log_change(request, board, f"closed the running period: {reason}")

        return self.act_with_reason(
            request,
            queryset.select_related("program"),
            close,
            action="close_action",
            title="Close the running period",
            warning="The ranks of this moment become the result for good. What is approved from now on counts for "
            "the next period.",
            done="closed",
        )


class PlaceInline(ReadOnlyInline):
    """Who reached which rank."""

    model = LeaderboardPlace
    related = ("customer",)
    fields = ("rank", "customer", "count", "prize")
    readonly_fields = fields
    ordering = ("rank", "customer")
    verbose_name_plural = "ranks"
    per_page = 50


@admin.register(LeaderboardResult)
class LeaderboardResultAdmin(ReadOnlyAdmin):
    """Closed periods, for good."""

    list_display = ("leaderboard", "starts_at", "ends_at", "closed_at", "closed_by")
    list_filter = ("leaderboard",)
    list_select_related = ("leaderboard",)
    search_fields = ("leaderboard__title", "placed__customer__email", "placed__customer__external_id")
    ordering = ("-ends_at", "-pk")
    inlines = (PlaceInline,)
    fields = ("leaderboard", "starts_at", "ends_at", "closed_at", "closed_by")
