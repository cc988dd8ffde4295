from rewards.models.appeals import Appeal
from rewards.models.badges import Badge
from rewards.models.catalogue import CatalogueItem, Redemption, RedemptionStep
from rewards.models.coupons import Coupon, CouponPool
from rewards.models.endpoints import FulfilmentEndpoint, OutboundCall
from rewards.models.forecasts import BudgetAlert, Simulation
from rewards.models.fulfilment import ChoiceGroup, ChoiceOption, Fulfilment
from rewards.models.imports import HistoryImport, HistoryRow
from rewards.models.leaderboards import (
    DisplayName,
    Leaderboard,
    LeaderboardPlace,
    LeaderboardPrize,
    LeaderboardResult,
)
from rewards.models.ledger import Account, Entry, Lot, LotUse, Transfer
from rewards.models.payouts import PayoutBatch, PayoutItem
from rewards.models.perks import EventInvitation, Perk, PerkEvent
from rewards.models.rewards import Reward, RewardStep, Settlement
from rewards.models.seals import Seal
from rewards.models.standing import TierChange, TierStanding

__all__ = [
    "Account",
    "Appeal",
    "Badge",
    "BudgetAlert",
    "CatalogueItem",
    "ChoiceGroup",
    "ChoiceOption",
    "Coupon",
    "CouponPool",
    "DisplayName",
    "Entry",
    "EventInvitation",
    "Fulfilment",
    "FulfilmentEndpoint",
    "HistoryImport",
    "HistoryRow",
    "Leaderboard",
    "LeaderboardPlace",
    "LeaderboardPrize",
    "LeaderboardResult",
    "Lot",
    "LotUse",
    "OutboundCall",
    "PayoutBatch",
    "PayoutItem",
    "Perk",
    "PerkEvent",
    "Redemption",
    "RedemptionStep",
    "Reward",
    "RewardStep",
    "Seal",
    "Settlement",
    "Simulation",
    "TierChange",
    "TierStanding",
    "Transfer",
]
