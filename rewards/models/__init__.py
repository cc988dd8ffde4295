from rewards.models.ledger import Account, Entry, Lot, LotUse, Transfer
from rewards.models.rewards import Reward, RewardStep, Settlement

__all__ = ["Account", "Entry", "Lot", "LotUse", "Reward", "RewardStep", "Settlement", "Transfer"]
