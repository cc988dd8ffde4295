from rewards.models.catalogue import CatalogueItem, Redemption, RedemptionStep
from rewards.models.ledger import Account, Entry, Lot, LotUse, Transfer
from rewards.models.rewards import Reward, RewardStep, Settlement
from rewards.models.seals import Seal

__all__ = [
    "Account",
    "CatalogueItem",
    "Entry",
    "Lot",
    "LotUse",
    "Redemption",
    "RedemptionStep",
    "Reward",
    "RewardStep",
    "Seal",
    "Settlement",
    "Transfer",
]
