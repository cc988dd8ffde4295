"""Messages, preferences and suppressed addresses in the admin, read-only but for what staff decide."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin
from messaging.composing import compose_mail
from messaging.forms import SuppressionForm
from messaging.models import Message, Preference, PreferenceChange, Suppression
from messaging.services import send_again
from messaging.views.mailbox import FRAME_POLICY


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Every mail that was to be written, what became of it and why."""

    list_display = ("kind", "recipient", "state", "why", "due_at", "sent_at")
    list_filter = ("state", "kind", "reason")
    search_fields = ("email", "name", "recipient_key", "subject", "cause", "public_id", "message_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    actions = ("send_again_action",)
    fieldsets = (
        (None, {"fields": ("kind", "recipient", "subject", "state", "why", "last_error")}),
        ("The mail", {"fields": ("preview",)}),
        ("When", {"fields": ("created_at", "due_at", "not_after", "sent_at", "attempts")}),
        ("For support", {"fields": ("public_id", "recipient_key", "cause", "message_id", "locale", "time_zone")}),
    )

    @admin.display(description="to", ordering="email")
    def recipient(self, row: Message) -> str:
        """Name and address, or the identity where there is no address."""
        return f"{row.name} <{row.email}>" if row.name and row.email else row.email or row.recipient_key

    @admin.display(description="why not")
    def why(self, row: Message) -> str:
        """The reason of a mail that was not sent."""
        return row.get_reason_display() if row.reason else "–"

    @admin.display(description="as it looks")
    def preview(self, row: Message) -> str:
        """Show the mail in a frame that runs nothing."""
        address = reverse("admin:messaging_message_preview", args=[row.pk])
        frame = '<iframe src="{}" title="The mail" sandbox width="100%" height="640"></iframe>'
        return format_html(frame, address)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<int:pk>/preview/",
                self.admin_site.admin_view(self.preview_view),
                name="messaging_message_preview",
            )
        ]
        return own + list(super().get_urls())

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the HTML that was sent, or that would be sent now."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        html = row.html or (compose_mail(row).kept.html if row.context else "<p>No longer kept.</p>")
        return HttpResponse(html, headers={"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"})

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Only those who may change messages."""
        return request.user.has_perm("messaging.change_message")

    @admin.action(description="Send again…", permissions=["send_again"])
    def send_again_action(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Ask for the reason, then queue the chosen messages again."""
        return self.act_with_reason(
            request,
            queryset,
            lambda row, reason: send_again(message=row, reason=reason, by=str(request.user)),
            action="send_again_action",
            title="Send again",
            warning="These mails are queued again with the same Message-ID. Who has opted out meanwhile gets nothing. "
            "A mail whose outcome is unknown may have arrived: it can then arrive twice.",
            done="on their way again",
        )


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):  # type: ignore[misc]
    """Addresses that are not written to."""

    form = SuppressionForm
    list_display = ("email", "reason", "note", "created_at")
    list_filter = ("reason",)
    search_fields = ("email", "note")
    ordering = ("-created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        return ("email",) if obj else ()


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """What people chose to get; without a line they get everything."""

    list_display = ("recipient_key", "purpose", "allowed", "source", "at")
    list_filter = ("purpose", "allowed", "source")
    search_fields = ("recipient_key",)
    ordering = ("-at",)


@admin.register(PreferenceChange)
class PreferenceChangeAdmin(ReadOnlyAdmin):
    """Every choice ever made, with the words the person saw."""

    list_display = ("recipient_key", "purpose", "allowed", "source", "at")
    list_filter = ("purpose", "allowed", "source")
    search_fields = ("recipient_key",)
    ordering = ("-at",)
