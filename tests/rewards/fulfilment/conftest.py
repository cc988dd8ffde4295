import pytest

from rewards.models import CouponPool, Fulfilment, Reward
from rewards.services.calling import send_calls_due
from rewards.services.fulfilling import fulfil_due
from rewards.services.pools import add_codes, watch_stock
from tests.shop import Shop, day

PROGRAM = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 14
expires_days: 365
rewards:
  - {id: gift, to: advocate, on: qualified, GIFT}
"""


class GiftShop(Shop):
    """A shop whose advocates get one reward of a kind that is no points."""

    def __init__(self, gift: str, program: str = PROGRAM) -> None:
        super().__init__(program.replace("GIFT", gift))
        self.code = self.code_of("ann", email="ann@shop.example", name="Ann Example")

    def earn(self, friend: str = "bob", order: str = "1", at=0) -> Reward:
        """Have a friend buy; return the advocate's pending reward for it."""
        self.report(self.purchase(friend, day(at), order, "59.90", code=self.code), at=day(at))
        return Reward.objects.get(referral__friend__external_id=friend, rule="gift")

    def refund_all(self, friend: str = "bob", order: str = "1", at=1) -> None:
        self.report(self.refund(friend, day(at), order, "59.90"), at=day(at))

    def release(self, at=14) -> None:
        self.pass_time(day(at))


@pytest.fixture
def gift_shop(db):
    return GiftShop


def make_pool(name="THANKS10", codes=(), **fields) -> CouponPool:
    pool = CouponPool.objects.create(name=name, gives=fields.pop("gives", "10 % off"), check_at=day(0), **fields)
    if codes:
        add_codes(pool=pool, codes=codes, at=day(0))
    return pool


def work(at) -> dict[str, int]:
    """Do what is due for fulfilment."""
    return {
        "given": fulfil_due(at=day(at)),
        "called": send_calls_due(at=day(at)),
        "alerts": watch_stock(at=day(at)),
    }


def states(reward: Reward) -> tuple[str, str]:
    """Return (state of the reward, state of its fulfilment)."""
    reward.refresh_from_db()
    order = getattr(reward, "fulfilment", None)
    if order is not None:
        order.refresh_from_db()
    return str(reward.state), str(order.state) if order else ""


def order_of(reward: Reward) -> Fulfilment:
    """Return how the reward is given, as it stands in the database."""
    return Fulfilment.objects.select_related("reward").get(reward=reward)
