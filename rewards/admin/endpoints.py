"""Where signed calls go, and what became of each, in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin, link_to, shown_json
from core.doorbell import ring_on_commit
from rewards.forms.gifts import EndpointForm
from rewards.models import FulfilmentEndpoint, OutboundCall
from rewards.services.endpoints import call_again, call_to_test, rotate_secret


@admin.register(FulfilmentEndpoint)
class FulfilmentEndpointAdmin(ModelAdmin):  # type: ignore[misc]
    """The shop's own addresses for store credit, gift cards and payouts; without one, people do it by hand."""

    form = EndpointForm
    list_display = ("kind", "url", "enabled", "last_call")
    ordering = ("kind",)
    actions = ("test_action", "rotate_action")
    readonly_fields = ("shown_secret", "last_call")

    def get_fields(self, request: HttpRequest, obj: FulfilmentEndpoint | None = None) -> Any:
        """Show the secret of an endpoint that exists to those who may change it."""
        secret = ("shown_secret",) if obj and self.has_change_permission(request, obj) else ()
        return ("kind", "url", "enabled", *secret, *(("last_call",) if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: FulfilmentEndpoint | None = None) -> Any:
        """Keep the kind."""
        return (*self.readonly_fields, "kind") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: FulfilmentEndpoint | None = None) -> bool:
        """Only one that was never called; any other is switched off."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and obj is not None and not obj.calls.exists()

    @admin.display(description="secret")
    def shown_secret(self, endpoint: FulfilmentEndpoint) -> str:
        """The secret to check signatures with, and until when the old one signs too."""
        old = endpoint.old_until
        also = f" The one before signs too until {old:%Y-%m-%d %H:%M} UTC." if old and old > timezone.now() else ""
        return format_html("<code>{}</code>{}", endpoint.secret, also)

    @admin.display(description="last call")
    def last_call(self, endpoint: FulfilmentEndpoint) -> str:
        """How the last call went, and the way to all."""
        call = endpoint.calls.order_by("-pk").first()
        if call is None:
            return "none yet"
        calls = f"{reverse('admin:rewards_outboundcall_changelist')}?endpoint__id__exact={endpoint.pk}"
        return format_html('{} <a href="{}">All calls</a>', call.last_error or call.get_state_display(), calls)

    @admin.action(description="Make a test call", permissions=["change"])
    def test_action(self, request: HttpRequest, queryset: "QuerySet[FulfilmentEndpoint]") -> None:
        """Have each endpoint called with a test that gives nothing."""
        for endpoint in queryset:
            call_to_test(endpoint=endpoint, at=timezone.now())
        ring_on_commit("rewards.tasks.send_calls")
        told = "A test call is made within the minute; how it went stands under Outbound calls."
        self.message_user(request, told, messages.SUCCESS)

    @admin.action(description="Make a new secret", permissions=["change"])
    def rotate_action(self, request: HttpRequest, queryset: "QuerySet[FulfilmentEndpoint]") -> None:
        """Give each a new secret; the old one signs too for 72 hours."""
        for endpoint in queryset:
            rotate_secret(endpoint=endpoint, at=timezone.now())
        told = "New secrets are made. For 72 hours calls carry both signatures: change your side in that time."
        self.message_user(request, told, messages.SUCCESS)


@admin.register(OutboundCall)
class OutboundCallAdmin(ReadOnlyAdmin):
    """Every signed call: what was asked, how often it was tried, what the other side said."""

    list_display = ("webhook_id", "endpoint", "type", "state", "attempts", "due_at", "last_status", "last_error")
    list_filter = ("state", "type", "endpoint")
    list_select_related = ("endpoint",)
    search_fields = ("webhook_id", "fulfilment__reward__public_id", "redemption__public_id", "batch__public_id")
    ordering = ("-pk",)
    actions = ("again_action",)
    fieldsets = (
        (None, {"fields": ("webhook_id", "endpoint", "type", "about", "state")}),
        ("Tries", {"fields": ("attempts", "due_at", "last_status", "last_error", "created_at", "delivered_at")}),
        ("Said", {"fields": ("shown_payload", "shown_answer")}),
    )

    def has_again_permission(self, request: HttpRequest) -> bool:
        """Only those who may change calls."""
        return request.user.has_perm("rewards.change_outboundcall")

    @admin.display(description="about")
    def about(self, call: OutboundCall) -> str:
        """The reward, the redemption or the payout, to go there."""
        subject = call.fulfilment or call.redemption or call.batch
        return link_to(subject) if subject else "–"

    @admin.display(description="what we said")
    def shown_payload(self, call: OutboundCall) -> str:
        """The data of the call."""
        return shown_json(call.payload)

    @admin.display(description="what came back")
    def shown_answer(self, call: OutboundCall) -> str:
        """What was kept of the answer."""
        return shown_json(call.answer)

    @admin.action(description="Call again now", permissions=["again"])
    def again_action(self, request: HttpRequest, queryset: "QuerySet[OutboundCall]") -> None:
        """Make calls that wait, or were given up, due now."""
        count = sum(call_again(call=call, at=timezone.now()) for call in queryset)
        left = queryset.count() - count
        told = f"{count} calls are made within the minute." + (
            f" {left} cannot be made again; a failed reward is tried again under Fulfilments." if left else ""
        )
        self.message_user(request, told, messages.SUCCESS if count else messages.WARNING)
