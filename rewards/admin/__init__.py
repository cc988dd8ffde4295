"""Rewards, the books, tiers, badges, perks, events and leaderboards in the admin."""

from rewards.admin import badges, leaderboards, ledger, perk_events, standing

__all__ = ["badges", "leaderboards", "ledger", "perk_events", "standing"]
