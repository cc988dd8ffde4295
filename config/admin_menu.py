"""The admin's sidebar: every registered model under the heading where a marketer looks for it."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

OTHER = "System"
# Headings in their order, each with its models (or whole apps) in theirs.
GROUPS: dict[str, tuple[str, ...]] = {
    "Programs": (
        "referrals.program",
        "referrals.offer",
        "referrals.link",
        "referrals.sharetext",
        "referrals.experiment",
        "referrals.click",
    ),
    "Forecast": (),
    "People": ("referrals.customer", "referrals.segment", "referrals.referral", "referrals.event", "referrals"),
    "Risk": ("referrals.blockentry", "referrals.riskassessment", "referrals.reviewdecision", "referrals.vetocall"),
    "Rewards & ledger": ("rewards.reward", "rewards.redemption", "rewards.catalogueitem", "rewards"),
    "Tiers & events": (
        *("rewards.tierstanding", "rewards.badge", "rewards.perk", "rewards.perkevent", "rewards.eventinvitation"),
        *("rewards.leaderboard", "rewards.leaderboardresult", "rewards.displayname"),
    ),
    "Giving rewards": (
        "rewards.fulfilment",
        "rewards.couponpool",
        "rewards.coupon",
        "rewards.choicegroup",
        "rewards.payoutbatch",
        "rewards.payoutitem",
        "rewards.fulfilmentendpoint",
        "rewards.outboundcall",
    ),
    "Surveys": ("surveys.survey", "surveys"),
    "Messages": ("messaging.message", "messaging"),
    "Numbers": ("analytics",),
    "Decisions": ("rewards.appeal", "accounts.changerequest"),
    "Connections": (
        *("referrals.source", "referrals.inboundcall"),
        *("messaging.webhookendpoint", "messaging.webhookdelivery", "accounts.apikey"),
    ),
    OTHER: ("accounts.user", "auth.group", "core.delivery", "core.jobrun"),
}
# Pages that are no model's list, first under their heading: title, name of the address, the permission it needs.
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Forecast": (
        ("Budgets", "budgets", "referrals.view_program"),
        ("What if…", "what_ifs", "referrals.view_program"),
        ("What a hold risks", "holds", "referrals.view_program"),
    ),
    "People": (("Import from elsewhere", "imports", "rewards.import_history"),),
    "Risk": (("Review queue", "review", "referrals.view_referral"),),
    "Numbers": (
        ("Dashboard", "analytics:overview", "analytics.view_dailyvalue"),
        ("What experiments show", "analytics:experiments", "analytics.view_dailyvalue"),
    ),
    "Rewards & ledger": (("The books", "admin:rewards_books", "rewards.view_transfer"),),
}
ICONS = {
    "Programs": "campaign",
    "Forecast": "trending_up",
    "People": "group",
    "Risk": "shield",
    "Rewards & ledger": "redeem",
    "Tiers & events": "military_tech",
    "Giving rewards": "local_shipping",
    "Surveys": "thumb_up",
    "Messages": "mail",
    "Numbers": "monitoring",
    "Decisions": "how_to_vote",
    "Connections": "webhook",
    OTHER: "settings",
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for this person: only what they may see."""
    groups: dict[str, list[tuple[int, dict[str, Any]]]] = {title: [] for title in GROUPS}
    for heading, pages in PAGES.items():
        for words, route, permission in pages:
            if request.user.has_perm(permission):
                groups[heading].append((-1, {"title": words, "link": reverse(route), "icon": ICONS[heading]}))
    for model, model_admin in admin.site._registry.items():
        if not model_admin.has_module_permission(request) or not model_admin.has_view_permission(request):
            continue
        title, rank = _place(model)
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        words = str(model._meta.verbose_name_plural)
        groups[title].append((rank, {"title": words[:1].upper() + words[1:], "link": address, "icon": ICONS[title]}))
    if request.user.has_perm("referrals.view_customer") and request.user.has_perm("referrals.view_referral"):
        groups["People"].append((-1, {"title": "Find anybody", "link": reverse("find"), "icon": "search"}))
    return [
        {"title": title, "separator": True, "items": [item for _, item in sorted(items, key=_order)]}
        for title, items in groups.items()
        if items
    ]


def _order(ranked: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return ranked[0], ranked[1]["title"]


def _place(model: type[Model]) -> tuple[str, int]:
    for wanted in (model._meta.label_lower, model._meta.app_label):
        for title, members in GROUPS.items():
            if wanted in members:
                return title, members.index(wanted)
    return OTHER, 99
