"""Programs that qualify on other events than purchases: what a percent is of."""

import pytest

from rewards.models import Reward
from tests.rewards.programs import program
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db
PERCENT = "{id: share, to: advocate, on: qualified, percent: 10}"


def lead(shop, stage, at, **value):
    return shop.fact("lead_stage", "bob", at, lead={"id": "L1", "stage": stage, **value})


@pytest.mark.parametrize(
    ("currency", "outcome"), [("EUR", (40, "pending", "")), ("USD", (0, "refused", "currency_mismatch"))]
)
def test_points_of_a_won_lead_are_of_its_value_told_earlier(currency, outcome):
    shop = Shop(program(PERCENT, qualifies="lead_won"))
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    shop.report(lead(shop, "qualified", day(1), value="400.00", currency=currency), at=day(1))

    shop.report(lead(shop, "won", day(2)), at=day(2))

    reward = Reward.objects.get()
    assert (reward.points, str(reward.state), reward.reason) == outcome
    assert_books_balance()


def test_points_of_a_custom_event_have_no_amount_to_take_a_percent_of():
    shop = Shop(program(PERCENT, "{id: fixed, to: friend, on: qualified, points: 7}", qualifies="custom:demo"))
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))

    shop.report(shop.fact("custom", "bob", day(1), name="demo"), at=day(1))

    assert shop.rewards("ann") == [("share", 0, "pending")]
    assert shop.rewards("bob") == [("fixed", 7, "pending")]
