"""Rewards, the books, tiers, badges, perks, events, leaderboards and appeals in the admin."""

from rewards.admin import appeals, badges, leaderboards, ledger, perk_events, standing

__all__ = ["appeals", "badges", "leaderboards", "ledger", "perk_events", "standing"]
