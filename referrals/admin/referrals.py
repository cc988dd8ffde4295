"""Referrals in the admin: who brought whom, in which state and why."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action

from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json
from core.errors import Refused
from core.periods import start_of_day
from referrals.admin.risk import AssessmentInline, DecisionInline
from referrals.forms import ByHandForm
from referrals.models import Referral, ReferralStep
from referrals.services.by_hand import bind_by_hand
from referrals.services.lifecycle import STAFF_REASONS, reopen_referral, void_referral
from referrals.services.review import approve_referral, hold_referral


class StepInline(ReadOnlyInline):
    """The whole way of a referral, step by step."""

    model = ReferralStep
    related = ("event",)
    fields = ("at", "what", "why", "who", "event", "inputs")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "what happened, and why"

    @admin.display(description="by")
    def who(self, step: ReferralStep) -> str:
        """Who decided."""
        return step.actor or "the rules"

    @admin.display(description="on what")
    def inputs(self, step: ReferralStep) -> str:
        """The values the decision rests on."""
        return shown_json(step.data) if step.data else "–"


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    """One friend in one program, credited to one advocate."""

    list_display = ("friend", "advocate", "program", "state", "reason", "channel", "bound_at", "qualified_at")
    list_filter = ("state", "held", "program", "method", "channel", "reason")
    list_select_related = ("friend", "advocate", "program")
    search_fields = (
        *("public_id", "code", "friend__external_id", "friend__email", "friend__name"),
        *("advocate__external_id", "advocate__email", "advocate__name"),
    )
    date_hierarchy = "bound_at"
    ordering = ("-bound_at", "-pk")
    inlines = (StepInline, AssessmentInline, DecisionInline)
    actions_list = ("bind_by_hand_action",)
    actions = ("approve_action", "hold_action", "void_action", "reopen_action")
    fieldsets = (
        (None, {"fields": ("state", "reason", "review_page", "friend_page", "advocate_page", "program", "offer")}),
        ("How they met", {"fields": ("method", "code", "channel", "click", "binding_event", "touch_at", "bound_at")}),
        ("What came of it", {"fields": ("qualifying_event", "qualified_at", "approve_at", "approved_at")}),
        ("Held", {"fields": ("held", "held_for", "held_at", "held_until", "cleared_at")}),
        ("For support", {"fields": ("public_id", "expires_at", "created_at")}),
    )
    readonly_fields = ("review_page", "friend_page", "advocate_page")

    @action(description="Bind by hand…", url_path="by-hand", permissions=["decide"])  # type: ignore[untyped-decorator]
    def bind_by_hand_action(self, request: HttpRequest) -> HttpResponse:
        """Ask who brought whom, and bind them as the rules allow."""
        form = ByHandForm(request.POST or None, initial={"friend": request.GET.get("friend", "")})
        if form.is_valid() and (referral := _bind_by_hand(form, actor=str(request.user))):
            if referral.state == Referral.State.VOIDED:
                self.message_user(request, f"It does not count: {referral.reason}.", messages.WARNING)
            else:
                self.message_user(request, "The friend is bound.", messages.SUCCESS)
            return redirect("admin:referrals_referral_change", referral.pk)
        page = {**self.admin_site.each_context(request), "title": "Bind a friend by hand", "form": form}
        return render(request, "admin_actions/by_hand.html", page | {"opts": self.opts})

    @admin.display(description="review")
    def review_page(self, referral: Referral) -> str:
        """The page on which to decide, with both people side by side."""
        return format_html(
            '<a href="{}">both people, side by side</a>', reverse("review_pair", args=[referral.public_id])
        )

    @admin.display(description="friend")
    def friend_page(self, referral: Referral) -> str:
        """The friend, to go there."""
        return link_to(referral.friend)

    @admin.display(description="advocate")
    def advocate_page(self, referral: Referral) -> str:
        """The advocate, to go there."""
        return link_to(referral.advocate)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Only those who may change referrals."""
        return request.user.has_perm("referrals.change_referral")

    @admin.action(description="Approve…", permissions=["decide"])
    def approve_action(self, request: HttpRequest, queryset: QuerySet[Referral]) -> HttpResponse | None:
        """Ask why, then let the held referrals go."""

        def approve(referral: Referral, note: str) -> Referral:
            return approve_referral(referral=referral, note=note, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request,
            queryset,
            approve,
            action="approve_action",
            title="Approve",
            warning="These referrals are no longer held; their rewards are paid once their hold has passed.",
            done="approved",
        )

    @admin.action(description="Hold…", permissions=["decide"])
    def hold_action(self, request: HttpRequest, queryset: QuerySet[Referral]) -> HttpResponse | None:
        """Ask why, then hold: nothing more of them is paid until somebody approves."""

        def hold(referral: Referral, note: str) -> Referral:
            return hold_referral(referral=referral, note=note, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request,
            queryset,
            hold,
            action="hold_action",
            title="Hold",
            warning="Nothing more of these referrals is paid until somebody approves them in the review queue.",
            done="held",
        )

    @admin.action(description="Void…", permissions=["decide"])
    def void_action(self, request: HttpRequest, queryset: QuerySet[Referral]) -> HttpResponse | None:
        """Ask why, then void: everything the referral earned goes back."""
        kind = request.POST.get("kind", "manual")

        def void(referral: Referral, note: str) -> Referral:
            by = str(request.user)
            return void_referral(referral=referral, reason=kind, note=note, actor=by, at=timezone.now())

        return self.act_with_reason(
            request,
            queryset,
            void,
            action="void_action",
            title="Void",
            warning="Everything these referrals earned, for both sides, goes back. You can reopen them later.",
            done="voided",
            choices=(("kind", "What is it?", STAFF_REASONS),),
        )

    @admin.action(description="Reopen…", permissions=["decide"])
    def reopen_action(self, request: HttpRequest, queryset: QuerySet[Referral]) -> HttpResponse | None:
        """Ask why, then judge anew in spite of the void reason."""

        def reopen(referral: Referral, note: str) -> Referral:
            return reopen_referral(referral=referral, note=note, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request,
            queryset,
            reopen,
            action="reopen_action",
            title="Reopen",
            warning="These referrals are judged anew by what the friend bought, and earn what they then earn.",
            done="reopened",
        )


def _bind_by_hand(form: ByHandForm, *, actor: str) -> Referral | None:
    given = form.cleaned_data
    now = timezone.now()
    try:
        return bind_by_hand(
            program=given["program"],
            advocate=given["advocate"],
            friend=given["friend"],
            reason=given["reason"],
            actor=actor,
            occurred_at=start_of_day(given["since"], timezone.get_default_timezone()) if given["since"] else now,
            at=now,
        )
    except Refused as refusal:
        form.add_error(None, refusal.detail)
        return None
