"""Rule 15: within one friend's history and one advocate the order of arrival does not matter."""

import random

import pytest
from django.db import transaction

from referrals.models import Customer, Referral
from rewards.models import Reward
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db

HISTORIES = 40


def make_history(shop, rng, code):
    """Return the facts of one friend: sign-up, purchases, refunds, evidence here and there, in natural order."""
    facts = []
    moments = sorted(rng.sample(range(0, 400), 8))
    orders = []
    for number, moment in enumerate(moments):
        kind = rng.choice(["signup", "purchase", "purchase", "purchase", "refund"])
        more = {"code": code} if rng.random() < 0.5 else {}
        if kind == "signup":
            facts.append(shop.signup("bob", day(moment), **more))
        elif kind == "purchase":
            amount, currency = rng.choice(
                [("19.99", "EUR"), ("20.00", "EUR"), ("150.00", "EUR"), ("0.00", "EUR"), ("80.00", "USD")]
            )
            orders.append((str(number), amount, currency))
            facts.append(shop.purchase("bob", day(moment), str(number), amount, currency, **more))
        elif orders:
            order, amount, currency = rng.choice(orders)
            given = rng.choice([amount, "5.00", "10.00"])
            facts.append(shop.refund(rng.choice(["bob", "eve"]), day(moment), order, given, currency))
    return facts


def outcome():
    """Return what stands in the end, without ids and without what the books alone remember."""
    live = [
        (r.state, r.reason, r.bound_at, r.touch_at, r.qualified_at, r.expires_at, r.approve_at)
        for r in Referral.objects.filter(state__in=Referral.LIVE)
    ]
    rewards = sorted(
        (r.rule, r.recipient.external_id, r.points, str(r.state), r.available_at, r.event.event_id)
        for r in Reward.objects.filter(state__in=Reward.STANDING).select_related("recipient", "event")
    )
    return live, rewards


def play(shop, facts, at):
    """Report the facts in this order, each when all of them have happened; return the outcome and undo it."""
    sid = transaction.savepoint()
    shop.report(*facts, at=at)
    result = (
        *outcome(),
        shop.points("ann"),
        shop.points("bob") if Customer.objects.filter(external_id="bob") else None,
    )
    assert_books_balance()
    transaction.savepoint_rollback(sid)
    return result


@pytest.mark.parametrize("seed", range(10))
def test_judge_event_ends_equal_in_any_order(seed):
    rng = random.Random(seed)
    shop = Shop()
    code = shop.code_of("ann")
    for _ in range(HISTORIES // 10):
        facts = make_history(shop, rng, code)
        at = day(rng.choice([0, 50, 420, 421 + 180]))
        facts = [fact for fact in facts if fact["occurred_at"] <= at.isoformat()]
        natural = play(shop, facts, at)

        for _ in range(3):
            shuffled = [*facts, *rng.sample(facts, len(facts) // 2)]
            rng.shuffle(shuffled)
            assert play(shop, shuffled, at) == natural


def test_report_late_purchase_revives_the_first_of_two_expired_referrals():
    """Both windows hold the purchase; were both to live again, the friend would have two referrals."""
    shop = Shop()
    first, second = shop.code_of("ann"), shop.code_of("amy")
    shop.report(shop.signup("bob", day(0), code=first), at=day(300))
    shop.report(shop.signup("bob", day(20), code=second), at=day(300))

    shop.report(shop.purchase("bob", day(100), "1", "50.00"), at=day(300))

    states = Referral.objects.order_by("bound_at").values_list("advocate__external_id", "state")
    assert list(states) == [("ann", "approved"), ("amy", "expired")]
    assert_books_balance()
