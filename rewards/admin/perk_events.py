"""VIP events in the admin: planning, publishing, who comes, who waits, and who was there."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core import clocks
from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to
from core.errors import Refused
from core.spreadsheets import csv_answer
from rewards.models import EventInvitation, PerkEvent
from rewards.queries.perk_events import audience_of, events_with_counts, tier_names
from rewards.services.perk_events import (
    answer_invitation,
    cancel_event,
    change_places,
    note_attendance,
    publish_event,
)

COLUMNS = ("name", "email", "customer", "answer", "answered", "waiting", "came")
MOMENTS = ("opens_at", "closes_at", "starts_at", "ends_at")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class PerkEventForm(forms.ModelForm):  # type: ignore[type-arg]
    """An event; its moments are those of its own zone, its audience is chosen among the tiers of programs now."""

    tiers = forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="who has one of these tiers now"
    )

    class Meta:
        model = PerkEvent
        fields = (
            *("title", "words", "starts_at", "ends_at", "zone", "place", "places", "opens_at", "closes_at"),
            *("program", "for_vips", "tiers", "perk"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            zone = ZoneInfo(self.instance.zone)
            for name in MOMENTS:
                self.initial[name] = getattr(self.instance, name).astimezone(zone).replace(tzinfo=None)
        kept = list(self.instance.tiers) if self.instance.pk else []
        tiers: Any = self.fields["tiers"]
        tiers.choices = [(name, name) for name in dict.fromkeys([*tier_names(), *kept])]

    def clean_zone(self) -> str:
        """Accept only zones of the IANA database."""
        zone: str = self.cleaned_data["zone"]
        if zone not in available_timezones():
            raise forms.ValidationError("Expected an IANA time zone such as Europe/Berlin.")
        return zone

    def clean_places(self) -> int | None:
        """Refuse fewer places than people who already come."""
        places: int | None = self.cleaned_data["places"]
        if places is not None and self.instance.pk:
            coming = self.instance.invitations.filter(state=EventInvitation.State.COMING).count()
            if places < coming:
                raise forms.ValidationError(f"{coming} people already come.")
        return places

    def clean(self) -> dict[str, Any]:
        """Refuse an event for nobody and moments in the wrong order."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "zone" in given:
            for name in MOMENTS:
                if given.get(name) is not None:
                    given[name] = _in_zone(given[name], ZoneInfo(given["zone"]))
        if not (given.get("for_vips") or given.get("tiers") or given.get("perk")):
            raise forms.ValidationError("Say for whom it is: VIPs, tiers or those who have a perk.")
        order = [given.get(name) for name in MOMENTS]
        known = [moment for moment in order if moment is not None]
        if known != sorted(known) or len(set(known[-2:])) < len(known[-2:]):
            raise forms.ValidationError("Expected: opens, then closes, then starts, then ends.")
        return given


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what was typed as a moment of the zone, to the second."""
    typed = timezone.localtime(moment, timezone.get_current_timezone())
    return typed.replace(tzinfo=zone, microsecond=0).astimezone(UTC)


class InvitationInline(ReadOnlyInline):
    """Who was invited and what they answered."""

    model = EventInvitation
    related = ("customer",)
    fields = ("customer", "state", "seat", "waiting_number", "answered_at", "came")
    readonly_fields = fields
    ordering = ("state", "seat", "waiting_number", "pk")
    verbose_name_plural = "invitations"
    per_page = 50


@admin.register(PerkEvent)
class PerkEventAdmin(ReadOnlyAdmin):
    """Events for VIPs, tiers and those who have a perk."""

    form = PerkEventForm
    list_display = ("title", "starts_at", "place", "shown_state", "invited", "coming", "waiting", "places")
    list_filter = ("state", "program")
    search_fields = ("title", "place", "words")
    date_hierarchy = "starts_at"
    ordering = ("-starts_at", "-pk")
    inlines = (InvitationInline,)
    readonly_fields = ("shown_state", "audience", "attendance")
    actions = ("publish_action", "cancel_action", "csv_action")
    fieldsets = (
        (None, {"fields": ("shown_state", "title", "words", "place", "places")}),
        (
            "When, in the time zone of the event",
            {"fields": ("zone", "starts_at", "ends_at", "opens_at", "closes_at")},
        ),
        ("For whom", {"fields": ("program", "for_vips", "tiers", "perk", "audience")}),
        ("Who comes", {"fields": ("attendance",)}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[PerkEvent]":
        """Return events with their counts."""
        return events_with_counts().select_related("perk")

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new event has no invitations."""
        return self.inlines if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the installation's zone."""
        return {"zone": timezone.get_default_timezone_name(), "opens_at": timezone.localtime()}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rewards.add_perkevent")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A cancelled event stays as it was."""
        open_ = obj is None or obj.state != PerkEvent.State.CANCELLED
        return open_ and request.user.has_perm("rewards.change_perkevent")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Only those who may change events."""
        return request.user.has_perm("rewards.change_perkevent")

    @admin.display(description="state")
    def shown_state(self, event: PerkEvent) -> str:
        """The state, and whether invitations have gone out."""
        if event.state == PerkEvent.State.PUBLISHED and event.invited_at is None:
            return "published, invitations go out when it opens"
        return event.get_state_display()

    @admin.display(description="invited")
    def invited(self, event: PerkEvent) -> int:
        """How many were invited."""
        return int(getattr(event, "invited", 0))

    @admin.display(description="coming")
    def coming(self, event: PerkEvent) -> int:
        """How many come."""
        return int(getattr(event, "coming", 0))

    @admin.display(description="waiting")
    def waiting(self, event: PerkEvent) -> int:
        """How many wait for a place."""
        return int(getattr(event, "waiting", 0))

    @admin.display(description="that is, right now")
    def audience(self, event: PerkEvent) -> str:
        """How many customers the event is for."""
        return f"{audience_of(event).count()} customers" if event.pk else "–"

    @admin.display(description="attendance list")
    def attendance(self, event: PerkEvent) -> str:
        """The list of invitations, to note who came."""
        if not event.pk:
            return "–"
        address = reverse("admin:rewards_eventinvitation_changelist")
        return format_html('<a href="{}?event__id__exact={}">note who came, download</a>', address, event.pk)

    def save_model(self, request: HttpRequest, obj: PerkEvent, form: PerkEventForm, change: bool) -> None:
        """Save the event; places of one that exists change under its lock."""
        if not change:
            obj.save()
            messages.info(request, "Saved as a draft. Publish it with the action in the list of events.")
            return
        fields = [name for name in form.changed_data if name != "places"]
        if fields:
            obj.save(update_fields=fields)
        if "places" in form.changed_data:
            try:
                change_places(event=obj, places=form.cleaned_data["places"], at=clocks.now())
            except Refused as refusal:
                messages.error(request, refusal.detail)

    @admin.action(description="Publish: invitations go out when it opens", permissions=["publish"])
    def publish_action(self, request: HttpRequest, queryset: QuerySet[PerkEvent]) -> None:
        """Publish the chosen drafts."""
        for event in queryset:
            try:
                publish_event(event=event)
                messages.success(request, f"{event}: published.")
            except Refused as refusal:
                messages.warning(request, f"{event}: {refusal.detail}")

    @admin.action(description="Cancel the event…", permissions=["publish"])
    def cancel_action(self, request: HttpRequest, queryset: QuerySet[PerkEvent]) -> HttpResponse | None:
        """Ask why, then call the chosen events off."""

        def cancel(event: Any, reason: str) -> None:
            cancel_event(event=event)
            self.log_change(request, event, f"cancelled: {reason}")

        return self.act_with_reason(
            request,
            PerkEvent.objects.filter(pk__in=queryset.values("pk")),
            cancel,
            action="cancel_action",
            title="Cancel the event",
            warning="Everybody who comes or waits gets a mail that it is off. This cannot be undone.",
            done="cancelled",
        )

    @admin.action(description="Download the attendance list (CSV)", permissions=["view"])
    def csv_action(self, request: HttpRequest, queryset: QuerySet[PerkEvent]) -> HttpResponse:
        """Answer the invitations of the chosen events as CSV."""
        rows = EventInvitation.objects.filter(event__in=queryset.values("pk"))
        return attendance_csv(rows.select_related("customer", "event"))


@admin.register(EventInvitation)
class EventInvitationAdmin(ReadOnlyAdmin):
    """The attendance list: answers, and who was there."""

    list_display = ("customer", "event", "state", "seat", "waiting_number", "answered_at", "came")
    list_filter = (("event", admin.RelatedOnlyFieldListFilter), "state", "came")
    list_select_related = ("customer", "event")
    search_fields = ("customer__external_id", "customer__email", "customer__name", "event__title")
    ordering = ("-event__starts_at", "state", "seat", "waiting_number", "pk")
    fields = ("customer_page", "event", "state", "seat", "waiting_number", "invited_at", "answered_at", "came")
    readonly_fields = ("customer_page",)
    actions = ("came_action", "missing_action", "yes_action", "no_action", "csv_action")

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Only those who may change invitations."""
        return request.user.has_perm("rewards.change_eventinvitation")

    @admin.display(description="customer")
    def customer_page(self, invitation: EventInvitation) -> str:
        """The customer, to go there."""
        return link_to(invitation.customer)

    @admin.action(description="Was there", permissions=["answer"])
    def came_action(self, request: HttpRequest, queryset: QuerySet[EventInvitation]) -> None:
        """Note that the chosen guests came."""
        messages.success(request, f"{note_attendance(invitations=queryset, came=True)} noted.")

    @admin.action(description="Was not there", permissions=["answer"])
    def missing_action(self, request: HttpRequest, queryset: QuerySet[EventInvitation]) -> None:
        """Note that the chosen guests did not come."""
        messages.success(request, f"{note_attendance(invitations=queryset, came=False)} noted.")

    @admin.action(description="Answer yes for them", permissions=["answer"])
    def yes_action(self, request: HttpRequest, queryset: QuerySet[EventInvitation]) -> None:
        """Give the chosen a place, or a place in the line."""
        self._answer(request, queryset, coming=True)

    @admin.action(description="Answer no for them", permissions=["answer"])
    def no_action(self, request: HttpRequest, queryset: QuerySet[EventInvitation]) -> None:
        """Free the places of the chosen; who waits moves up."""
        self._answer(request, queryset, coming=False)

    def _answer(self, request: HttpRequest, queryset: QuerySet[EventInvitation], *, coming: bool) -> None:
        for invitation in queryset.order_by("pk"):
            try:
                answered = answer_invitation(invitation=invitation, coming=coming, at=clocks.now())
                self.log_change(request, answered, f"answered by staff: {answered.get_state_display()}")
                messages.success(request, str(answered))
            except Refused as refusal:
                messages.warning(request, f"{invitation}: {refusal.detail}")

    @admin.action(description="Download as CSV", permissions=["view"])
    def csv_action(self, request: HttpRequest, queryset: QuerySet[EventInvitation]) -> HttpResponse:
        """Answer the chosen invitations as CSV."""
        return attendance_csv(queryset.select_related("customer", "event"))


def attendance_csv(rows: Iterable[EventInvitation]) -> HttpResponse:
    """Return invitations as CSV; what a spreadsheet would take for a formula is text."""
    return csv_answer("attendance.csv", ("event", *COLUMNS), (_row(invitation) for invitation in rows))


def _row(invitation: EventInvitation) -> tuple[object, ...]:
    came = "" if invitation.came is None else "yes" if invitation.came else "no"
    answered = invitation.answered_at.isoformat() if invitation.answered_at else ""
    person = invitation.customer
    cells = (invitation.event.title, person.name, person.email, person.external_id)
    return (*cells, invitation.get_state_display(), answered, invitation.waiting_number or "", came)
