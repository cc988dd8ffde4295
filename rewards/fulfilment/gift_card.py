"""A gift card is given by the shop, which is asked with a signed call."""

from rewards.fulfilment.base import FulfilmentKind
from rewards.fulfilment.calls import fulfil_by_call, take_back_by_call

GIFT_CARD = FulfilmentKind("gift card", fulfil_by_call, take_back_by_call)
