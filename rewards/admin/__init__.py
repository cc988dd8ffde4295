"""Rewards, the catalogue and the books in the admin."""

from rewards.admin import books, catalogue, ledger

__all__ = ["books", "catalogue", "ledger"]
