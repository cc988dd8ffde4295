"""Systems that report by themselves, and what their calls came to."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin, link_to
from core.errors import Refused
from core.webhooks import fingerprint_of, new_secret
from referrals.forms import SourceForm
from referrals.models import InboundCall, Source
from referrals.services.inbound import run_call_again
from referrals.services.sources import rotate_source_secret


@admin.register(Source)
class SourceAdmin(ModelAdmin):  # type: ignore[misc]
    """Where shops and payment systems report by themselves; secrets are typed in or made, and never shown again."""

    form = SourceForm
    list_display = ("__str__", "kind", "address", "active", "last_received_at", "unused", "bad_signatures")
    list_filter = ("kind", "active")
    search_fields = ("slug", "name")
    ordering = ("kind", "slug")
    readonly_fields = ("address", "secret_mark", "previous_until", "last_received_at", "bad_signatures")
    fieldsets = (
        (None, {"fields": ("kind", "slug", "name", "active", "address")}),
        ("Secret", {"fields": ("new_secret", "secret_mark", "previous_until")}),
        ("How its calls are read", {"fields": ("options",)}),
        ("So far", {"fields": ("last_received_at", "bad_signatures")}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Source]":
        """Return sources with how many calls could not be used."""
        return Source.objects.annotate(problems=Count("calls", filter=Q(calls__state=InboundCall.State.PROBLEM)))

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        """Keep the address of a source that is in use."""
        return (*self.readonly_fields, "kind", "slug") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the hashes of its calls keep it from being believed twice; switch it off instead."""
        return False

    @admin.display(description="its address here")
    def address(self, source: Source) -> str:
        """What is entered in the other system."""
        if not source.pk:
            return "– (after saving)"
        return f"{settings.PUBLIC_BASE_URL}{reverse('receive_call', args=[source.kind, source.slug])}"

    @admin.display(description="fingerprint of the secret")
    def secret_mark(self, source: Source) -> str:
        """Eight characters that tell secrets apart."""
        return fingerprint_of(source.secret) if source.secret else "–"

    @admin.display(description="calls that could not be used")
    def unused(self, source: Source) -> str:
        """How many, to go there."""
        count = int(getattr(source, "problems", 0))
        if not count:
            return "–"
        page = reverse("admin:referrals_inboundcall_changelist")
        return format_html('<a href="{}?source__id__exact={}&state__exact=problem">{}</a>', page, source.pk, count)

    def save_model(self, request: HttpRequest, obj: Source, form: SourceForm, change: bool) -> None:
        """Save, with a first or another secret where one was typed or is to be made; a made one is shown this once."""
        typed, make = form.cleaned_data["new_secret"], form.wants_new_secret
        secret = typed or (new_secret() if make or not change else "")
        if not change:
            obj.secret = secret
        obj.save()
        if change and secret:
            changed = rotate_source_secret(source=obj, at=timezone.now(), secret=secret)
            obj.secret, obj.previous_until = changed.secret, changed.previous_until
            messages.success(request, "Calls signed with the old secret are accepted for 72 hours more.")
        if secret and not typed:
            messages.warning(request, f"Enter this secret in the other system; it is not shown again: {secret}")


@admin.register(InboundCall)
class InboundCallAdmin(ReadOnlyAdmin):
    """Every genuine call: what it was recorded as, or why it could not be used."""

    list_display = ("received_at", "source", "topic", "state", "problem", "customer")
    list_filter = ("state", "source", "code", "topic")
    list_select_related = ("source", "customer")
    search_fields = ("provider_event_id", "public_id", "body_sha256", "topic", "problem", "customer__external_id")
    search_help_text = "Their id, a reason, a topic or a customer's id"
    date_hierarchy = "received_at"
    ordering = ("-received_at", "-pk")
    actions = ("run_again_action",)
    fields = (
        *("public_id", "source", "topic", "provider_event_id", "received_at", "state", "problem", "code", "attempts"),
        *("customer_page", "recorded_as", "body_sha256", "text"),
    )
    readonly_fields = ("customer_page", "recorded_as", "text")

    @admin.display(description="about")
    def customer_page(self, call: InboundCall) -> str:
        """The customer, to go there."""
        return link_to(call.customer) if call.customer else "–"

    @admin.display(description="recorded as")
    def recorded_as(self, call: InboundCall) -> str:
        """The events."""
        return ", ".join(call.events) or "–"

    @admin.display(description="as it was received")
    def text(self, call: InboundCall) -> str:
        """The text while it is kept."""
        if call.raw is None:
            return "No longer kept."
        return format_html("<pre>{}</pre>", bytes(call.raw).decode("utf-8", "replace"))

    def has_run_again_permission(self, request: HttpRequest) -> bool:
        """Only those who may change calls."""
        return request.user.has_perm("referrals.change_inboundcall")

    @admin.action(description="Run again", permissions=["run_again"])
    def run_again_action(self, request: HttpRequest, queryset: QuerySet[InboundCall]) -> None:
        """Take up the chosen calls once more, after a mapping or a missing order has been put right."""
        count = 0
        for call in queryset:
            try:
                run_call_again(call=call, at=timezone.now())
                count += 1
            except Refused as refusal:
                self.message_user(request, f"{call}: {refusal.detail}", messages.WARNING)
        if count:
            self.message_user(request, f"{count} run again within the minute.", messages.SUCCESS)
