"""How each kind of reward reaches its recipient: one file a kind, all in one dict."""

from collections.abc import Mapping

from rewards.fulfilment.badge import BADGE
from rewards.fulfilment.base import FulfilmentKind
from rewards.fulfilment.cash import CASH
from rewards.fulfilment.choice import CHOICE
from rewards.fulfilment.coupon import COUPON
from rewards.fulfilment.credit import CREDIT
from rewards.fulfilment.gift_card import GIFT_CARD
from rewards.fulfilment.manual import MANUAL
from rewards.fulfilment.perk import PERK
from rewards.fulfilment.points import POINTS

FULFILMENTS: Mapping[str, FulfilmentKind] = {
    "points": POINTS,
    "coupon": COUPON,
    "credit": CREDIT,
    "gift_card": GIFT_CARD,
    "cash": CASH,
    "perk": PERK,
    "badge": BADGE,
    "choice": CHOICE,
    "manual": MANUAL,
}
