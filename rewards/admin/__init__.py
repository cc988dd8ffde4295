"""Rewards, the books, the catalogue, tiers, badges, perks, events, leaderboards and appeals in the admin."""

from rewards.admin import appeals, badges, books, catalogue, leaderboards, ledger, perk_events, standing

__all__ = ["appeals", "badges", "books", "catalogue", "leaderboards", "ledger", "perk_events", "standing"]
