"""Rewards, the books and appeals in the admin."""

from rewards.admin import appeals, ledger

__all__ = ["appeals", "ledger"]
