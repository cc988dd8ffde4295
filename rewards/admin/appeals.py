"""Appeals in the admin: what the customer says, the pair, and an answer that decides."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.decorators import action

from accounts.models import User
from core.admin import ReadOnlyAdmin, link_to
from core.errors import Invalid
from rewards.models import Appeal, Reward
from rewards.services.appeals import decline_appeal, uphold_appeal


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    """Customers who ask to look again; those without an answer stand first."""

    list_display = ("customer", "state", "about", "shown_text", "created_at", "decided_by")
    list_filter = ("state", "referral__program")
    list_select_related = ("customer",)
    search_fields = (
        *("public_id", "text", "referral__public_id"),
        *("customer__external_id", "customer__email", "customer__name"),
    )
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("state", "customer_page", "text", "about", "created_at")}),
        ("The pair", {"fields": ("referral_page", "pair", "referral_state", "rewards_of_customer", "earlier")}),
        ("The answer", {"fields": ("answer", "decided_by", "decided_at", "public_id")}),
    )
    actions_detail = ("uphold_one", "decline_one")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """Show what waits for an answer first, the oldest of it on top."""
        return (F("decided_at").desc(nulls_first=True), "created_at", "pk")

    def has_decide_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Only those who may answer appeals."""
        return request.user.has_perm("rewards.change_appeal")

    @admin.display(description="what they say")
    def shown_text(self, appeal: Appeal) -> str:
        """The beginning of it."""
        return appeal.text if len(appeal.text) <= 80 else f"{appeal.text[:79]}…"

    @admin.display(description="customer")
    def customer_page(self, appeal: Appeal) -> str:
        """The customer, to go there."""
        return link_to(appeal.customer)

    @admin.display(description="referral")
    def referral_page(self, appeal: Appeal) -> str:
        """The referral's whole story, to go there."""
        return format_html(
            '<a class="underline" href="{}">{}</a>',
            reverse("story", args=[appeal.referral.public_id]),
            appeal.referral,
        )

    @admin.display(description="advocate and friend")
    def pair(self, appeal: Appeal) -> str:
        """Both people, to go there."""
        return format_html("{} → {}", link_to(appeal.referral.advocate), link_to(appeal.referral.friend))

    @admin.display(description="stands at")
    def referral_state(self, appeal: Appeal) -> str:
        """The state with its reason."""
        return f"{appeal.referral.get_state_display()} {appeal.referral.reason}".strip()

    @admin.display(description="their rewards there")
    def rewards_of_customer(self, appeal: Appeal) -> str:
        """Every reward of theirs from this referral."""
        own = Reward.objects.filter(referral=appeal.referral, recipient=appeal.customer).order_by("pk")
        told = ((link_to(one), one.rule, one.granted_points, one.get_state_display(), one.reason) for one in own)
        return format_html_join("", "<div>{}: {}, {} points, {} {}</div>", told) or "–"

    @admin.display(description="asked before")
    def earlier(self, appeal: Appeal) -> str:
        """How many of their appeals had which answer."""
        others = Appeal.objects.filter(customer=appeal.customer).exclude(pk=appeal.pk)
        upheld = others.filter(state=Appeal.State.UPHELD).count()
        return f"{others.count()} times, {upheld} upheld"

    @action(description="Uphold…", url_path="uphold", permissions=["decide"])  # type: ignore[untyped-decorator]
    def uphold_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the answer, then reopen what was refused."""

        def work(appeal: Appeal, answer: str) -> None:
            points = _whole(request.POST.get("number", "0"))
            _, waiting = uphold_appeal(appeal=appeal, answer=answer, points=points, by=_by(request), at=timezone.now())
            if waiting is not None:
                self.message_user(request, f"{waiting}: waits for a second person.", messages.WARNING)

        return self.act_on_one(
            request,
            object_id,
            work,
            title="Uphold",
            warning="What was voided or refused is decided anew, by the rules, limits and budget as they are now. "
            "What you write here is mailed to the customer.",
            done="upheld",
            question="Your answer",
            number="Points as a gift besides (0 for none)",
            number_start="0",
        )

    @action(description="Decline…", url_path="decline", permissions=["decide"])  # type: ignore[untyped-decorator]
    def decline_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the answer, then leave it as it is."""

        def work(appeal: Appeal, answer: str) -> None:
            decline_appeal(appeal=appeal, answer=answer, by=_by(request), at=timezone.now())

        return self.act_on_one(
            request,
            object_id,
            work,
            title="Decline",
            warning="It stays as it is. What you write here is mailed to the customer.",
            done="declined",
            question="Your answer",
        )


def _by(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _whole(text: str) -> int:
    try:
        return int(text or "0")
    except ValueError:
        raise Invalid("expected a whole number of points") from None
