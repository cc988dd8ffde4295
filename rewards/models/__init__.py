from rewards.models.appeals import Appeal
from rewards.models.badges import Badge
from rewards.models.catalogue import CatalogueItem, Redemption, RedemptionStep
from rewards.models.leaderboards import (
    DisplayName,
    Leaderboard,
    LeaderboardPlace,
    LeaderboardPrize,
    LeaderboardResult,
)
from rewards.models.ledger import Account, Entry, Lot, LotUse, Transfer
from rewards.models.perks import EventInvitation, Perk, PerkEvent
from rewards.models.rewards import Reward, RewardStep, Settlement
from rewards.models.seals import Seal
from rewards.models.standing import TierChange, TierStanding

__all__ = [
    "Account",
    "Appeal",
    "Badge",
    "CatalogueItem",
    "DisplayName",
    "Entry",
    "EventInvitation",
    "Leaderboard",
    "LeaderboardPlace",
    "LeaderboardPrize",
    "LeaderboardResult",
    "Lot",
    "LotUse",
    "Perk",
    "PerkEvent",
    "Redemption",
    "RedemptionStep",
    "Reward",
    "RewardStep",
    "Seal",
    "Settlement",
    "TierChange",
    "TierStanding",
    "Transfer",
]
