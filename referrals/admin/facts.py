"""Clicks and events in the admin: facts, to look at."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin, link_to, shown_json, shown_money
from referrals.models import Click, Event


@admin.register(Click)
class ClickAdmin(ReadOnlyAdmin):
    """Visits of share links; bots and link previews are kept and not counted."""

    list_display = ("at", "link", "program", "channel", "placement", "device", "verdict", "why")
    list_filter = ("verdict", "program", "channel", "placement", "device")
    list_select_related = ("link", "program")
    search_fields = ("click_id", "link__codes__code", "link__customer__external_id", "link__customer__email")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    fields = (
        *("click_id", "at", "link_page", "program", "channel", "placement"),
        *("shown_utm", "device", "verdict", "why", "known"),
    )
    readonly_fields = ("link_page", "shown_utm", "known")

    @admin.display(description="link")
    def link_page(self, click: Click) -> str:
        """The link, to go there."""
        return link_to(click.link)

    @admin.display(description="UTM")
    def shown_utm(self, click: Click) -> str:
        """The campaign values that came with the visit."""
        return shown_json(click.utm)

    @admin.display(description="recognised visitor", boolean=True)
    def known(self, click: Click) -> bool:
        """Whether the browser carried our visitor id."""
        return bool(click.visitor)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What the company reported, as it was reported."""

    list_display = ("occurred_at", "type", "customer", "order_id", "amount", "code", "channel", "source")
    list_filter = ("type", "source", "currency", "channel")
    list_select_related = ("customer",)
    search_fields = ("event_id", "order_id", "customer__external_id", "customer__email", "code", "click_id")
    date_hierarchy = "occurred_at"
    ordering = ("-occurred_at", "-pk")
    fields = (
        *("event_id", "type", "name", "occurred_at", "received_at", "customer_page", "order_id", "amount"),
        *("code", "click_id", "coupon", "channel", "source", "shown_warnings", "shown_body"),
    )
    readonly_fields = ("customer_page", "amount", "shown_warnings", "shown_body")

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, event: Event) -> str:
        """The amount with its currency."""
        return shown_money(event.amount_minor, event.currency)

    @admin.display(description="customer")
    def customer_page(self, event: Event) -> str:
        """The customer, to go there."""
        return link_to(event.customer)

    @admin.display(description="warnings")
    def shown_warnings(self, event: Event) -> str:
        """What could not be used of it."""
        return ", ".join(event.warnings) or "–"

    @admin.display(description="as it was sent")
    def shown_body(self, event: Event) -> str:
        """The JSON body."""
        return shown_json(event.body)
