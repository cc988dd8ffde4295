from rewards.models.appeals import Appeal
from rewards.models.ledger import Account, Entry, Lot, LotUse, Transfer
from rewards.models.rewards import Reward, RewardStep, Settlement

__all__ = ["Account", "Appeal", "Entry", "Lot", "LotUse", "Reward", "RewardStep", "Settlement", "Transfer"]
