from rewards.models.appeals import Appeal
from rewards.models.badges import Badge
from rewards.models.coupons import Coupon, CouponPool
from rewards.models.endpoints import FulfilmentEndpoint, OutboundCall
from rewards.models.forecasts import BudgetAlert, Simulation
from rewards.models.fulfilment import ChoiceGroup, ChoiceOption, Fulfilment
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
from rewards.models.standing import TierChange, TierStanding

__all__ = [
    "Account",
    "Appeal",
    "Badge",
    "BudgetAlert",
    "ChoiceGroup",
    "ChoiceOption",
    "Coupon",
    "CouponPool",
    "DisplayName",
    "Entry",
    "EventInvitation",
    "Fulfilment",
    "FulfilmentEndpoint",
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
    "Reward",
    "RewardStep",
    "Settlement",
    "Simulation",
    "TierChange",
    "TierStanding",
    "Transfer",
]
