"""Rewards, the books, the catalogue, gifts, tiers, badges, perks, events, leaderboards and appeals in the admin."""

from rewards.admin import (
    appeals,
    badges,
    books,
    catalogue,
    choices,
    coupons,
    endpoints,
    fulfilments,
    leaderboards,
    ledger,
    payouts,
    perk_events,
    standing,
)

__all__ = [
    "appeals",
    "badges",
    "books",
    "catalogue",
    "choices",
    "coupons",
    "endpoints",
    "fulfilments",
    "leaderboards",
    "ledger",
    "payouts",
    "perk_events",
    "standing",
]
