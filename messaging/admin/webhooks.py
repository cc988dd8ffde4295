"""Webhook endpoints and what was sent to them."""

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json
from core.errors import Refused
from core.webhooks import fingerprint_of
from messaging.forms import WebhookEndpointForm
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.services import (
    change_endpoint,
    create_endpoint,
    replay_delivery,
    rotate_endpoint_secret,
    send_test_webhook,
)

FIELDS = ("url", "types", "description", "contact_email", "active")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):  # type: ignore[misc]
    """Who is told of what; a secret is shown once, when it is made."""

    form = WebhookEndpointForm
    list_display = ("__str__", "url", "asked_for", "active", "disabled_reason", "failing_since", "undelivered")
    list_filter = ("active", "disabled_reason")
    search_fields = ("url", "description", "public_id")
    ordering = ("-pk",)
    actions = ("send_test_action", "rotate_secret_action")
    readonly_fields = ("public_id", "secret_mark", "previous_until", "disabled_reason", "failing_since", "log")
    fieldsets = (
        (None, {"fields": FIELDS}),
        ("Secret", {"fields": ("secret_mark", "previous_until")}),
        ("So far", {"fields": ("public_id", "disabled_reason", "failing_since", "log")}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookEndpoint]":
        """Return endpoints with how much did not arrive."""
        given_up = Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.DEAD))
        return WebhookEndpoint.objects.annotate(given_up=given_up)

    @admin.display(description="told of")
    def asked_for(self, endpoint: WebhookEndpoint) -> str:
        """The types."""
        return ", ".join(endpoint.types)

    @admin.display(description="given up", ordering="given_up")
    def undelivered(self, endpoint: WebhookEndpoint) -> int:
        """How many deliveries were given up."""
        return int(getattr(endpoint, "given_up", 0))

    @admin.display(description="fingerprint of the secret")
    def secret_mark(self, endpoint: WebhookEndpoint) -> str:
        """Eight characters that tell secrets apart."""
        return fingerprint_of(endpoint.secret) if endpoint.pk else "– (after saving)"

    @admin.display(description="its log")
    def log(self, endpoint: WebhookEndpoint) -> str:
        """The deliveries, to go there."""
        if not endpoint.pk:
            return "–"
        page = reverse("admin:messaging_webhookdelivery_changelist")
        return format_html('<a href="{}?endpoint__id__exact={}">Deliveries</a>', page, endpoint.pk)

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: WebhookEndpointForm, change: bool) -> None:
        """Make or change the endpoint; a new one's secret is shown this once."""
        given = {name: form.cleaned_data[name] for name in FIELDS}
        if change:
            change_endpoint(endpoint=obj, at=timezone.now(), **given)
            return
        active = given.pop("active")
        made = create_endpoint(**given)
        if not active:
            made = change_endpoint(endpoint=made, at=timezone.now(), active=False)
        obj.pk, obj.public_id = made.pk, made.public_id
        self._show_secret(request, made)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Only those who may change endpoints."""
        return request.user.has_perm("messaging.change_webhookendpoint")

    @admin.action(description="Send a test", permissions=["act"])
    def send_test_action(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Send a `webhook.test` to each; its log tells what came of it."""
        for endpoint in queryset:
            try:
                send_test_webhook(endpoint=endpoint, at=timezone.now())
                self.message_user(request, f"{endpoint}: a test is on its way; see its log.", messages.SUCCESS)
            except Refused as refusal:
                self.message_user(request, f"{endpoint}: {refusal.detail}", messages.WARNING)

    @admin.action(description="New secret (the old one signs for 72 hours more)", permissions=["act"])
    def rotate_secret_action(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Give each a new secret and show it this once."""
        for endpoint in queryset:
            self._show_secret(request, rotate_endpoint_secret(endpoint=endpoint, at=timezone.now()))

    def _show_secret(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        told = f"{endpoint}: its secret, not shown again: {endpoint.secret}"
        self.message_user(request, told, messages.WARNING)


class AttemptInline(ReadOnlyInline):
    """Every try with its answer."""

    model = WebhookAttempt
    fields = ("at", "status", "error", "milliseconds", "body")
    readonly_fields = fields
    ordering = ("-pk",)
    verbose_name_plural = "tries"


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What was sent to whom, every try with its answer."""

    list_display = ("created_at", "kind", "endpoint", "state", "attempts", "last_status", "last_error", "due_at")
    list_filter = ("state", "endpoint", "event__type")
    list_select_related = ("endpoint", "event")
    search_fields = ("public_id", "event__public_id", "event__object_id", "event__type")
    search_help_text = "An id, a type, or what it was about"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    actions = ("replay_action",)
    inlines = (AttemptInline,)
    fields = (
        *("public_id", "endpoint_page", "webhook_id", "kind", "version", "state", "attempts", "due_at"),
        *("delivered_at", "last_status", "last_error", "data"),
    )
    readonly_fields = ("endpoint_page", "webhook_id", "kind", "version", "data")

    @admin.display(description="type", ordering="event__type")
    def kind(self, delivery: WebhookDelivery) -> str:
        """The event's type."""
        return delivery.event.type

    @admin.display(description="webhook-id")
    def webhook_id(self, delivery: WebhookDelivery) -> str:
        """The same in every try and replay."""
        return delivery.event.public_id

    @admin.display(description="version")
    def version(self, delivery: WebhookDelivery) -> int:
        """The object's version that it tells of."""
        return delivery.event.version

    @admin.display(description="data")
    def data(self, delivery: WebhookDelivery) -> str:
        """What is told."""
        return shown_json(delivery.event.data)

    @admin.display(description="endpoint")
    def endpoint_page(self, delivery: WebhookDelivery) -> str:
        """The endpoint, to go there."""
        return link_to(delivery.endpoint)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Only those who may change deliveries."""
        return request.user.has_perm("messaging.change_webhookdelivery")

    @admin.action(description="Send again", permissions=["replay"])
    def replay_action(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        """Send the chosen ones once more, each by the id it always had."""
        count = 0
        for delivery in queryset.select_related("endpoint"):
            try:
                replay_delivery(delivery=delivery, at=timezone.now())
                count += 1
            except Refused as refusal:
                self.message_user(request, f"{delivery}: {refusal.detail}", messages.WARNING)
        if count:
            self.message_user(request, f"{count} on their way again.", messages.SUCCESS)
