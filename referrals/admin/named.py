"""Whom visitors and new customers named as those who told them."""

from urllib.parse import quote

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from core.admin import ReadOnlyAdmin, link_to
from core.errors import Refused
from referrals.models import Event, FriendClaim, NameSearch
from referrals.services.friend_claims import answer_claim


@admin.register(NameSearch)
class NameSearchAdmin(ReadOnlyAdmin):
    """Searches by name, the found and the failed; what was typed is forgotten after 90 days."""

    list_display = ("name", "email", "program", "at", "found")
    list_filter = ("program", ("link", admin.EmptyFieldListFilter))
    list_select_related = ("program", "link__customer", "asked")
    search_fields = ("name", "email", "search_id")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    fields = ("search_id", "name", "email", "program", "at", "found", "who_came")
    readonly_fields = ("found", "who_came")

    @admin.display(description="found")
    def found(self, search: NameSearch) -> str:
        """Who was meant, and how that was told."""
        if search.link:
            return format_html("{} by the name", link_to(search.link.customer))
        return (
            format_html("{} by the address, asked at the sign-up", link_to(search.asked)) if search.asked else "nobody"
        )

    @admin.display(description="who came")
    def who_came(self, search: NameSearch) -> str:
        """The customers whose facts carry the search; an advocate is given to them by hand."""
        events = Event.objects.filter(click_id=search.search_id).select_related("customer")
        people = {event.customer_id: event.customer for event in events}
        by_hand = "/admin/referrals/referral/by-hand/?friend="
        return format_html_join(
            ", ",
            '{} (<a href="{}{}">bind by hand</a>)',
            ((link_to(one), by_hand, quote(one.external_id, safe="")) for one in people.values()),
        )


@admin.register(FriendClaim)
class FriendClaimAdmin(ReadOnlyAdmin):
    """What friends said of who told them, and what the advocates answered."""

    list_display = ("friend", "given", "advocate", "program", "state", "at", "answered_at")
    list_filter = ("state", "program")
    list_select_related = ("friend", "advocate", "program")
    search_fields = ("public_id", "given", "friend__external_id", "friend__email", "advocate__external_id")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    actions = ("confirm_action", "deny_action")

    @admin.action(description="Confirm for the advocate", permissions=["decide"])
    def confirm_action(self, request: HttpRequest, chosen: "QuerySet[FriendClaim]") -> None:
        """Answer yes in the advocate's place; the rules decide as ever."""
        self._answer(request, chosen, yes=True)

    @admin.action(description="Deny for the advocate", permissions=["decide"])
    def deny_action(self, request: HttpRequest, chosen: "QuerySet[FriendClaim]") -> None:
        """Answer no in the advocate's place."""
        self._answer(request, chosen, yes=False)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Those who decide on referrals."""
        return request.user.has_perm("referrals.change_referral")

    def _answer(self, request: HttpRequest, chosen: "QuerySet[FriendClaim]", *, yes: bool) -> None:
        for claim in chosen:
            try:
                answer_claim(claim=claim, yes=yes, actor=str(request.user), at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{claim.friend}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{claim.friend}: {'confirmed' if yes else 'denied'}.", messages.SUCCESS)
