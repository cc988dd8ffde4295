"""Rewards and the books in the admin: to look at, with every step; points by hand go through their service."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone

from accounts.models import User
from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json
from core.errors import Invalid
from rewards.admin.books import books_urls
from rewards.models import Account, Entry, Lot, Reward, RewardStep, Transfer
from rewards.services.credits import give_points
from rewards.services.reviewing import approve_reward, cancel_reward, hold_reward, reopen_reward, revoke_reward

NEVER = "never"


class RewardStepInline(ReadOnlyInline):
    """What happened to the reward, and why."""

    model = RewardStep
    related = ("event",)
    fields = ("at", "what", "why", "points", "who", "event")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "what happened, and why"

    @admin.display(description="by")
    def who(self, step: RewardStep) -> str:
        """Who decided."""
        return step.actor or "the rules"


class RewardTransferInline(ReadOnlyInline):
    """The reward in the ledger."""

    model = Transfer
    related = ("debit", "credit")
    fields = ("event_at", "kind", "amount", "debit", "credit")
    readonly_fields = fields
    ordering = ("pk",)
    verbose_name_plural = "in the ledger"


@admin.register(Reward)
class RewardAdmin(ReadOnlyAdmin):
    """What a rule promised one person for one cause."""

    list_display = ("recipient", "side", "rule", "points", "state", "reason", "available_at", "program")
    list_filter = ("state", "program", "side", "rule", "reason")
    list_select_related = ("recipient", "program")
    actions = ("hold_action", "approve_action", "cancel_action", "revoke_action", "reopen_action")
    search_fields = (
        "public_id",
        "recipient__external_id",
        "recipient__email",
        "recipient__name",
        "referral__public_id",
    )
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    inlines = (RewardStepInline, RewardTransferInline)
    fieldsets = (
        (None, {"fields": ("recipient_page", "side", "rule", "points", "granted_points", "shown_detail")}),
        ("How it stands", {"fields": ("state", "reason", "held", "cleared")}),
        ("When", {"fields": ("occurred_at", "available_at", "created_at")}),
        ("Why", {"fields": ("referral_page", "event", "program", "offer", "shown_inputs")}),
        ("For support", {"fields": ("public_id", "cause", "moment", "kind")}),
    )

    @admin.display(description="recipient")
    def recipient_page(self, reward: Reward) -> str:
        """The recipient, to go there."""
        return link_to(reward.recipient)

    @admin.display(description="referral")
    def referral_page(self, reward: Reward) -> str:
        """The referral, to go there."""
        return link_to(reward.referral) if reward.referral else "–"

    @admin.display(description="gives")
    def shown_detail(self, reward: Reward) -> str:
        """What another kind than points gives."""
        return shown_json(reward.detail) if reward.detail else "points"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Only those who may change rewards."""
        return request.user.has_perm("rewards.change_reward")

    def _decide(
        self, request: HttpRequest, rewards: QuerySet[Reward], service: Callable[..., Reward], name: str, warning: str
    ) -> HttpResponse | None:
        """Ask why, then do to each reward what the service does; `name` is the act and what then was done."""
        act, done = name.split(" ")

        def work(reward: Reward, note: str) -> Reward:
            return service(reward=reward, note=note, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request, rewards, work, action=f"{act.lower()}_action", title=act, warning=warning, done=done
        )

    @admin.action(description="Hold…", permissions=["decide"])
    def hold_action(self, request: HttpRequest, queryset: QuerySet[Reward]) -> HttpResponse | None:
        """Keep pending rewards from being released."""
        warning = "These rewards stay on their way, also past their hold, until somebody approves them."
        return self._decide(request, queryset, hold_reward, "Hold held", warning)

    @admin.action(description="Approve…", permissions=["decide"])
    def approve_action(self, request: HttpRequest, queryset: QuerySet[Reward]) -> HttpResponse | None:
        """Let rewards go that are held or wait for review."""
        warning = "These rewards become available when their hold has passed, at once where it has."
        return self._decide(request, queryset, approve_reward, "Approve approved", warning)

    @admin.action(description="Cancel…", permissions=["decide"])
    def cancel_action(self, request: HttpRequest, queryset: QuerySet[Reward]) -> HttpResponse | None:
        """Take pending rewards back."""
        warning = "These rewards, not yet available, go back for good. You can reopen them later."
        return self._decide(request, queryset, cancel_reward, "Cancel cancelled", warning)

    @admin.action(description="Revoke…", permissions=["decide"])
    def revoke_action(self, request: HttpRequest, queryset: QuerySet[Reward]) -> HttpResponse | None:
        """Take available rewards back."""
        warning = "These rewards go back for good; points that were spent become a debt. You can reopen them later."
        return self._decide(request, queryset, revoke_reward, "Revoke revoked", warning)

    @admin.action(description="Reopen…", permissions=["decide"])
    def reopen_action(self, request: HttpRequest, queryset: QuerySet[Reward]) -> HttpResponse | None:
        """Decide again what was taken back by hand or refused."""
        warning = "These rewards are decided again, by the rules, limits and budget as they are now."
        return self._decide(request, queryset, reopen_reward, "Reopen reopened", warning)

    @admin.display(description="the decision rests on")
    def shown_inputs(self, reward: Reward) -> str:
        """The values of the rule when it was decided."""
        return shown_json(reward.inputs)


class EntryInline(ReadOnlyInline):
    """Every movement on the account."""

    model = Entry
    related = ("transfer",)
    fields = ("seq", "moment", "kind", "delta", "balance", "why")
    readonly_fields = fields
    ordering = ("-seq",)
    verbose_name_plural = "movements, newest first"

    @admin.display(description="at")
    def moment(self, entry: Entry) -> Any:
        """When the points moved."""
        return entry.transfer.event_at

    @admin.display(description="kind")
    def kind(self, entry: Entry) -> str:
        """What kind of movement it was."""
        return entry.transfer.get_kind_display()

    @admin.display(description="why")
    def why(self, entry: Entry) -> str:
        """The rule or the reason."""
        cause = entry.transfer.cause
        return str(cause.get("why") or cause.get("reason") or cause.get("rule", ""))


class LotInline(ReadOnlyInline):
    """The lots of an account of available points."""

    model = Lot
    fields = ("available_at", "amount", "remaining", "expires_at")
    readonly_fields = fields
    ordering = ("-available_at",)
    verbose_name_plural = "lots"


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """A customer's pending, available or owed points, or a side of the company's."""

    list_display = ("customer", "kind", "balance", "seq")
    list_filter = ("kind",)
    list_select_related = ("customer",)
    search_fields = ("customer__external_id", "customer__email", "customer__name")
    ordering = ("-balance", "pk")
    inlines = (EntryInline, LotInline)
    fields = ("customer", "kind", "balance", "seq")
    actions = ("adjust_action",)

    def has_adjust_permission(self, request: HttpRequest) -> bool:
        """Only those who may change accounts."""
        return request.user.has_perm("rewards.change_account")

    @admin.action(description="Give or take points…", permissions=["adjust"])
    def adjust_action(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse | None:
        """Ask how many and why, then give or take points of the chosen customers."""

        def adjust(account: Account, reason: str) -> None:
            if account.customer is None or account.kind != Account.Kind.AVAILABLE:
                raise Invalid("choose customers' accounts of available points")
            points = _whole(request.POST.get("number", ""))
            days = request.POST.get("expires_days", NEVER)
            waiting = give_points(
                customer=account.customer,
                points=points,
                reason=reason,
                actor=str(request.user),
                asker=request.user if isinstance(request.user, User) else None,
                at=timezone.now(),
                expires_days=_whole(days) if points > 0 and days != NEVER else None,
            )
            if waiting is not None:
                self.message_user(request, f"{waiting}: waits for a second person.", messages.WARNING)

        return self.act_with_reason(
            request,
            queryset.select_related("customer"),
            adjust,
            action="adjust_action",
            title="Give or take points",
            warning="The points move at once and stand in each customer's history with your reason. "
            "Points given pay off a debt first; more than is available cannot be taken.",
            done="adjusted or asked for",
            number="How many points each? (below 0 takes)",
            choices=(("expires_days", "Points given expire after how many days?", (NEVER, "30", "90", "180", "365")),),
        )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid("expected a whole number of points") from None


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """The ledger, row by row; nothing in it is ever changed."""

    list_display = ("event_at", "kind", "amount", "debit", "credit", "actor")
    list_filter = ("kind",)
    list_select_related = ("debit__customer", "credit__customer")
    search_fields = ("key", "reward__public_id", "debit__customer__external_id", "credit__customer__external_id")
    date_hierarchy = "event_at"
    ordering = ("-pk",)
    fields = ("event_at", "kind", "amount", "debit", "credit", "reward", "shown_cause", "actor", "key", "created_at")

    def get_urls(self) -> list[URLPattern]:
        """Return the list's addresses with those of the books."""
        urls: list[URLPattern] = super().get_urls()
        return [*books_urls(self.admin_site.admin_view), *urls]

    @admin.display(description="cause")
    def shown_cause(self, transfer: Transfer) -> str:
        """What it is for."""
        return shown_json(transfer.cause)
