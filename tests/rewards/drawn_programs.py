"""Program files drawn at random, as plain values."""

from typing import Any

from hypothesis import strategies as st

RULES: list[dict[str, Any]] = [
    {"id": "friend-welcome", "to": "friend", "on": "signup", "points": 100, "hold_days": 0},
    {"id": "advocate-signup", "to": "advocate", "on": "signup", "points": 30},
    {"id": "advocate-fixed", "to": "advocate", "on": "qualified", "points": 500},
    {"id": "advocate-part", "to": "advocate", "on": "qualified", "percent": "7.5", "max_points": 150},
    {"id": "friend-first", "to": "friend", "on": "qualified", "points": 40, "hold_days": 3},
    {"id": "friend-coupon", "to": "friend", "on": "qualified", "coupon": "WELCOME10"},
    {"id": "advocate-share", "to": "advocate", "on": "purchase", "percent": 5, "max_points": 200, "repeat_days": 60},
    {"id": "advocate-first", "to": "advocate", "on": "purchase", "points": 9, "repeat_days": 0},
    {"id": "friend-each", "to": "friend", "on": "purchase", "points": 3, "hold_days": 0},
    {
        "id": "big-basket",
        "to": "advocate",
        "on": "purchase",
        "points": 77,
        "when": {"any": [{"order.amount": {"gte": "100"}}, {"channel": {"in": ["whatsapp"]}}]},
    },
    {
        "id": "group-high",
        "to": "advocate",
        "on": "qualified",
        "points": 300,
        "first_match": "basket",
        "when": {"order.amount": {"gte": "100"}},
    },
    {
        "id": "group-middle",
        "to": "advocate",
        "on": "qualified",
        "points": 110,
        "first_match": "basket",
        "when": {"order.amount": {"gte": "50"}},
    },
    {"id": "group-low", "to": "advocate", "on": "qualified", "points": 11, "first_match": "basket"},
]
TIERS = {
    "window_days": 45,
    "levels": [
        {"name": "Bronze", "from": 0, "multiplier": "1"},
        {"name": "Silver", "from": 1, "multiplier": "1.25"},
        {"name": "Gold", "from": 2, "multiplier": "1.5"},
    ],
}
MILESTONES = [
    {"referrals": 1, "badge": "first"},
    {"referrals": 2, "badge": "second", "points": 250},
    {"referrals": 3, "points": 90, "when": {"order.amount": {"gte": "50"}}},
]
LIMITS: list[dict[str, Any]] = [
    {"per_advocate": {"referrals": 1, "period": "month"}},
    {"per_advocate": {"referrals": 2, "period": "total"}},
    {"budget_points": 900},
    {"budget_points": 2500, "per_advocate": {"referrals": 1, "period": "year"}},
]
CHANGES: list[dict[str, Any]] = [
    {"hold_days": 7},
    {"limits": {"budget_points": 1500}},
    {"other_rules": [RULES[3], RULES[6], RULES[9]]},
    {"milestones": MILESTONES[1:]},
    {"tiers": None},
]
"""What is changed of a running program: each is a new offer, for friends who come after it."""


@st.composite
def programs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two programs: one that qualifies on purchase, one on anything."""
    return [draw(_program("first", st.just("purchase"))), draw(_program("second", st.sampled_from(ON)))]


ON = ["purchase", "signup", "custom:booked"]


@st.composite
def _program(draw: st.DrawFn, slug: str, on: st.SearchStrategy[str]) -> dict[str, Any]:
    chosen = draw(st.sets(st.integers(0, len(RULES) - 1), min_size=2, max_size=7))
    qualifies: dict[str, Any] = {"on": draw(on)}
    if qualifies["on"] == "purchase":
        qualifies["min_amount"] = "20.00"
    rules = [RULES[number] for number in sorted(chosen)]
    if qualifies["on"] != "purchase":
        rules = [rule for rule in rules if not (rule["on"] == "qualified" and "percent" in rule)] or [RULES[0]]
    file: dict[str, Any] = {
        "program": slug,
        "name": slug,
        "status": "active",
        "currency": "EUR",
        "landing_url": "https://shop.example/",
        "qualifies": qualifies,
        "conversion_window_days": 60,
        "hold_days": draw(st.sampled_from([14, 0])),
        "expires_days": draw(st.sampled_from([None, 20])),
        "rewards": rules,
    }
    if draw(st.booleans()):
        file["tiers"] = TIERS
    if draw(st.booleans()):
        file["milestones"] = MILESTONES
    if draw(st.booleans()):
        file["limits"] = draw(st.sampled_from(LIMITS))
    return file
