"""Rewards, the books, how rewards are given, tiers, badges, perks, events, leaderboards and appeals in the admin."""

from rewards.admin import (
    appeals,
    badges,
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
