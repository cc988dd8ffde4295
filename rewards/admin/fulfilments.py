"""The work list: rewards that people give by hand, take back, or must look at because they failed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.admin import ReadOnlyAdmin, link_to, shown_json, shown_money
from rewards.models import Fulfilment
from rewards.services.fulfilling import retry_fulfilment
from rewards.services.handiwork import decline_handiwork, finish_handiwork

State = Fulfilment.State
OPEN = Q(state=State.ASKED, how=Fulfilment.How.HAND) | Q(state__in=[State.TAKE_BACK, State.FAILED])


class WhatFilter(admin.SimpleListFilter):
    """The work list by default; everything else on demand."""

    title = "what"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices beside the default."""
        return [("waiting", "waiting for somebody or something"), ("done", "done"), ("all", "everything")]

    def choices(self, changelist: Any) -> Any:
        """Name the default for what it is."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "for you to do"}, *others]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Fulfilment]") -> "QuerySet[Fulfilment]":
        """Return what is asked for."""
        if self.value() == "all":
            return queryset
        if self.value() == "done":
            return queryset.filter(state__in=[State.DONE, State.STOPPED])
        if self.value() == "waiting":
            return queryset.filter(state__in=[State.DUE, State.ASKED])
        return queryset.filter(OPEN)


@admin.register(Fulfilment)
class FulfilmentAdmin(ReadOnlyAdmin):
    """How each reward reaches its recipient."""

    list_display = ("recipient", "gift", "how", "state", "since", "what_happened", "program")
    list_filter = (WhatFilter, "kind", "state", "reward__program")
    list_select_related = ("reward__recipient", "reward__program")
    search_fields = (
        "reward__public_id",
        "reward__recipient__external_id",
        "reward__recipient__email",
        "reward__recipient__name",
        "what",
    )
    ordering = ("created_at", "pk")
    actions = ("done_action", "cannot_action", "again_action")
    fieldsets = (
        (None, {"fields": ("reward_page", "recipient", "gift", "how", "state")}),
        ("What happened", {"fields": ("what_happened", "actor", "attempts", "due_at", "created_at", "done_at")}),
        ("For support", {"fields": ("shown_detail",)}),
    )

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Only those who may change fulfilments."""
        return request.user.has_perm("rewards.change_fulfilment")

    @admin.display(description="recipient")
    def recipient(self, order: Fulfilment) -> str:
        """Who gets it."""
        return str(order.reward.recipient)

    @admin.display(description="what")
    def gift(self, order: Fulfilment) -> str:
        """What is given."""
        parts = [order.kind.replace("_", " "), order.what]
        parts += [shown_money(order.amount_minor, order.currency)] if order.amount_minor is not None else []
        parts += [f"{order.points} points"] if order.points else []
        return " ".join(part for part in parts if part)

    @admin.display(description="since", ordering="created_at")
    def since(self, order: Fulfilment) -> Any:
        """When it became available."""
        return order.created_at

    @admin.display(description="note or error")
    def what_happened(self, order: Fulfilment) -> str:
        """What staff or the last try say."""
        return order.note or order.last_error or "–"

    @admin.display(description="program")
    def program(self, order: Fulfilment) -> str:
        """Which program promised it."""
        return str(order.reward.program)

    @admin.display(description="reward")
    def reward_page(self, order: Fulfilment) -> str:
        """The reward, to go there."""
        return link_to(order.reward)

    @admin.display(description="the reward's detail")
    def shown_detail(self, order: Fulfilment) -> str:
        """What the reward keeps of it."""
        return shown_json(order.reward.detail)

    @admin.action(description="Done…", permissions=["work"])
    def done_action(self, request: HttpRequest, queryset: "QuerySet[Fulfilment]") -> HttpResponse | None:
        """Say that the chosen items are done."""
        return self.act_with_reason(
            request,
            queryset.select_related("reward__recipient"),
            lambda order, note: finish_handiwork(order=order, note=note, actor=str(request.user), at=timezone.now()),
            action="done_action",
            title="Done",
            warning="The customers see these rewards as theirs; what was to be taken back is closed. "
            "Your note stays with each.",
            done="done",
        )

    @admin.action(description="Cannot be done…", permissions=["work"])
    def cannot_action(self, request: HttpRequest, queryset: "QuerySet[Fulfilment]") -> HttpResponse | None:
        """Say that the chosen items cannot be done, and why."""
        return self.act_with_reason(
            request,
            queryset.select_related("reward__recipient"),
            lambda order, why: decline_handiwork(order=order, reason=why, actor=str(request.user), at=timezone.now()),
            action="cannot_action",
            title="Cannot be done",
            warning="These rewards fail for the reason you give. They can be tried again later.",
            done="failed",
        )

    @admin.action(description="Try again…", permissions=["work"])
    def again_action(self, request: HttpRequest, queryset: "QuerySet[Fulfilment]") -> HttpResponse | None:
        """Try again what failed or waits for stock."""
        return self.act_with_reason(
            request,
            queryset.select_related("reward__recipient"),
            lambda order, why: retry_fulfilment(order=order, why=why, actor=str(request.user), at=timezone.now()),
            action="again_action",
            title="Try again",
            warning="Each is tried again within the minute; a call keeps its id, so that nothing is given twice.",
            done="tried again within the minute",
        )
