"""Cash payouts in the admin: collect, approve by a second person, hand over, settle one by one."""

import csv
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts.models import User
from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_money
from core.errors import Refused
from core.money import to_text
from rewards.forms.gifts import PayoutForm
from rewards.models import PayoutBatch, PayoutItem
from rewards.services.payouts import (
    approve_payout,
    call_payout,
    create_payout,
    discard_payout,
    hand_over_payout,
    settle_item,
)

HANDED = (PayoutBatch.State.APPROVED, PayoutBatch.State.HANDED_OVER, PayoutBatch.State.CLOSED)


class ItemInline(ReadOnlyInline):
    """The rewards in the batch."""

    model = PayoutItem
    related = ("batch", "fulfilment__reward__recipient")
    fields = ("customer", "amount", "state", "note", "settled_at")
    readonly_fields = fields
    verbose_name_plural = "items"

    @admin.display(description="customer")
    def customer(self, item: PayoutItem) -> str:
        """Who is paid."""
        return str(item.fulfilment.reward.recipient)

    @admin.display(description="amount")
    def amount(self, item: PayoutItem) -> str:
        """How much."""
        return shown_money(item.amount_minor, item.batch.currency)


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadOnlyAdmin):
    """Cash rewards that the company pays: nothing is paid from here."""

    form = PayoutForm
    list_display = ("public_id", "state", "total", "items_open", "created_by", "created_at", "approved_by")
    list_filter = ("state", "currency")
    list_select_related = ("created_by", "approved_by")
    search_fields = ("public_id", "items__fulfilment__reward__recipient__external_id")
    ordering = ("-pk",)
    inlines = (ItemInline,)
    actions = ("approve_action", "csv_action", "call_action", "discard_action")

    def get_fields(self, request: HttpRequest, obj: PayoutBatch | None = None) -> Any:
        """Ask for currency and minimum of a new one; show all of one that exists."""
        shown = ("public_id", "state", "total", "least_total", "created_by", "created_at", "approved_by", "approved_at")
        return (*shown, "handed_over_at") if obj else ("currency", "minimum")

    def get_readonly_fields(self, request: HttpRequest, obj: PayoutBatch | None = None) -> Any:
        """Let nothing of a batch be edited."""
        return self.get_fields(request, obj) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: PayoutBatch | None = None) -> Any:
        """A new batch has no items yet."""
        return self.inlines if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Those who may collect payouts."""
        return request.user.has_perm("rewards.add_payoutbatch")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Those who may approve and hand over payouts."""
        return request.user.has_perm("rewards.change_payoutbatch")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[PayoutBatch]":
        """Return batches with their totals."""
        removed = Q(items__state=PayoutItem.State.REMOVED)
        batches: QuerySet[PayoutBatch] = super().get_queryset(request)
        return batches.annotate(
            amount=Sum("items__amount_minor", filter=~removed),
            left=Count("items", filter=Q(items__state=PayoutItem.State.OPEN)),
        )

    @admin.display(description="total")
    def total(self, batch: PayoutBatch) -> str:
        """What the batch comes to."""
        return shown_money(getattr(batch, "amount", 0) or 0, batch.currency)

    @admin.display(description="minimum a customer")
    def least_total(self, batch: PayoutBatch) -> str:
        """The least total of one customer."""
        return shown_money(batch.minimum_minor, batch.currency)

    @admin.display(description="open items")
    def items_open(self, batch: PayoutBatch) -> int:
        """How many are not settled."""
        return int(getattr(batch, "left", 0))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Collect a new batch, or say why there is nothing to collect."""
        try:
            answer: HttpResponse = super().add_view(request, form_url, extra_context)
        except Refused as refusal:
            self.message_user(request, refusal.detail, messages.WARNING)
            return redirect("admin:rewards_payoutbatch_add")
        return answer

    def save_model(self, request: HttpRequest, obj: PayoutBatch, form: PayoutForm, change: bool) -> None:
        """Collect the batch."""
        batch = create_payout(
            currency=form.cleaned_data["currency"],
            minimum_minor=form.minimum_minor,
            by=_person(request),
            at=timezone.now(),
        )
        obj.__dict__.update(batch.__dict__)

    @admin.action(description="Approve…", permissions=["settle"])
    def approve_action(self, request: HttpRequest, queryset: "QuerySet[PayoutBatch]") -> HttpResponse | None:
        """Approve batches that somebody else made."""
        return self.act_with_reason(
            request,
            queryset,
            lambda batch, _why: approve_payout(batch=batch, by=_person(request), at=timezone.now()),
            action="approve_action",
            title="Approve",
            warning="An approved payout can be exported or sent to be paid. Whoever made it cannot approve it.",
            done="approved",
        )

    @admin.action(description="Discard…", permissions=["settle"])
    def discard_action(self, request: HttpRequest, queryset: "QuerySet[PayoutBatch]") -> HttpResponse | None:
        """Give up batches that were not handed over."""
        return self.act_with_reason(
            request,
            queryset,
            lambda batch, _why: discard_payout(batch=batch, at=timezone.now()),
            action="discard_action",
            title="Discard",
            warning="The rewards wait for another payout. What was handed over already cannot be discarded.",
            done="discarded",
        )

    @admin.action(description="Download as CSV", permissions=["settle"])
    def csv_action(self, request: HttpRequest, queryset: "QuerySet[PayoutBatch]") -> HttpResponse | None:
        """Answer the items of approved batches, one customer and reward a row."""
        batches = list(queryset.order_by("pk"))
        waiting = [batch for batch in batches if batch.state not in HANDED]
        if waiting:
            told = f"{waiting[0]} is not approved; only approved payouts leave the house."
            self.message_user(request, told, messages.WARNING)
            return None
        for batch in batches:
            hand_over_payout(batch=batch, at=timezone.now())
        return _as_csv(batches)

    @admin.action(description="Send to the shop's system…", permissions=["settle"])
    def call_action(self, request: HttpRequest, queryset: "QuerySet[PayoutBatch]") -> HttpResponse | None:
        """Hand approved batches over by a signed call."""
        return self.act_with_reason(
            request,
            queryset,
            lambda batch, _why: call_payout(batch=batch, at=timezone.now()),
            action="call_action",
            title="Send to the shop's system",
            warning="Each batch is sent once, signed, to the endpoint for cash payouts. "
            "Say afterwards of each item whether it was paid.",
            done="being sent",
        )


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("only people make and approve payouts")
    return request.user


def _as_csv(batches: list[PayoutBatch]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = batches[0].public_id if len(batches) == 1 else "payouts"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(["batch", "item", "reward", "external_id", "name", "email", "amount", "currency"])
    items = PayoutItem.objects.filter(batch__in=batches, state__in=[PayoutItem.State.OPEN, PayoutItem.State.PAID])
    for item in items.select_related("batch", "fulfilment__reward__recipient").order_by("pk"):
        person = item.fulfilment.reward.recipient
        row = [person.external_id, person.name, person.email]
        amount = to_text(item.amount_minor, item.batch.currency)
        told = [item.batch.public_id, item.public_id, item.fulfilment.reward.public_id]
        writer.writerow([*told, *(_harmless(text) for text in row), amount, item.batch.currency])
    return response


def _harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@admin.register(PayoutItem)
class PayoutItemAdmin(ReadOnlyAdmin):
    """Single payments: say of each whether it was paid."""

    list_display = ("public_id", "customer", "amount", "state", "batch", "note", "settled_at")
    list_filter = ("state", "batch__currency")
    list_select_related = ("batch", "fulfilment__reward__recipient")
    search_fields = (
        "public_id",
        "batch__public_id",
        "fulfilment__reward__public_id",
        "fulfilment__reward__recipient__external_id",
        "fulfilment__reward__recipient__name",
    )
    ordering = ("-pk",)
    fields = ("public_id", "batch", "customer", "amount", "state", "note", "settled_at", "reward_page")
    actions = ("paid_action", "failed_action")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Those who may settle payouts."""
        return request.user.has_perm("rewards.change_payoutitem")

    @admin.display(description="customer")
    def customer(self, item: PayoutItem) -> str:
        """Who is paid."""
        return str(item.fulfilment.reward.recipient)

    @admin.display(description="amount")
    def amount(self, item: PayoutItem) -> str:
        """How much."""
        return shown_money(item.amount_minor, item.batch.currency)

    @admin.display(description="reward")
    def reward_page(self, item: PayoutItem) -> str:
        """The reward, to go there."""
        return link_to(item.fulfilment.reward)

    @admin.action(description="Paid…", permissions=["settle"])
    def paid_action(self, request: HttpRequest, queryset: "QuerySet[PayoutItem]") -> HttpResponse | None:
        """Say that they were paid."""
        return self._settle(request, queryset, paid=True, action="paid_action", title="Paid")

    @admin.action(description="Not paid…", permissions=["settle"])
    def failed_action(self, request: HttpRequest, queryset: "QuerySet[PayoutItem]") -> HttpResponse | None:
        """Say that they could not be paid, and why."""
        return self._settle(request, queryset, paid=False, action="failed_action", title="Not paid")

    def _settle(
        self, request: HttpRequest, rows: "QuerySet[PayoutItem]", *, paid: bool, action: str, title: str
    ) -> HttpResponse | None:
        told = "The customers see the money as theirs." if paid else "These rewards fail; they can be tried again."

        def settle(item: PayoutItem, note: str) -> None:
            settle_item(item=item, paid=paid, note=note, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request, rows, settle, action=action, title=title, warning=told, done="paid" if paid else "not paid"
        )
