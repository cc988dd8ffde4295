"""Handiwork: somebody of the company does it and says so on the work list."""

from rewards.fulfilment.base import FulfilmentKind, by_hand, take_back_by_hand

MANUAL = FulfilmentKind("by hand", by_hand, take_back_by_hand)
