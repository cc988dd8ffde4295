"""What people do: the work list, choices."""

import pytest

from core.errors import Invalid
from messaging.models import Message
from rewards.models import ChoiceGroup, ChoiceOption, Reward
from rewards.queries.badges import is_known_badge
from rewards.queries.budgets import budget_of, burn_down, granted_points
from rewards.queries.segment_fields import badges, perks
from rewards.queries.standing import badges_of, perk_slugs_of
from rewards.queries.standing_cards import earned_badges
from rewards.services import choosing
from rewards.services.choosing import BudgetExhausted, NothingToChoose, choose_reward
from rewards.services.fulfilling import FulfilmentInWrongState, retry_fulfilment
from rewards.services.handiwork import decline_handiwork, finish_handiwork
from tests.rewards.fulfilment.conftest import PROGRAM, GiftShop, make_pool, order_of, states, work
from tests.shop import apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db
FIXED = "{id: fixed, to: advocate, on: qualified, points: 300}"


@pytest.fixture
def handiwork(gift_shop):
    shop = gift_shop("manual: Plant a tree")
    reward = shop.earn()
    shop.release()
    return shop, reward


def test_finish_handiwork_gives_the_reward_once(handiwork):
    _, reward = handiwork
    asked = states(reward)

    finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(15))

    assert asked == ("available", "asked")
    assert states(reward) == ("fulfilled", "done")
    step = reward.steps.order_by("pk").last()
    assert (step.what, step.why, step.actor) == ("fulfilled", "an oak", "boss")
    with pytest.raises(FulfilmentInWrongState):
        finish_handiwork(order=order_of(reward), note="a beech", actor="boss", at=day(16))
    assert order_of(reward).note == "an oak"


def test_finish_handiwork_without_a_note_is_refused(handiwork):
    _, reward = handiwork

    with pytest.raises(Invalid):
        finish_handiwork(order=order_of(reward), note=" ", actor="boss", at=day(15))
    assert states(reward) == ("available", "asked")


def test_decline_handiwork_fails_the_reward_until_it_is_tried_again(handiwork):
    _, reward = handiwork

    decline_handiwork(order=order_of(reward), reason="no ground", actor="boss", at=day(15))
    failed = states(reward)
    retry_fulfilment(order=order_of(reward), why="ground bought", actor="boss", at=day(16))
    work(16)

    assert failed == ("failed", "failed")
    assert states(reward) == ("available", "asked")


def test_take_back_handiwork_puts_what_is_done_back_on_the_list(handiwork):
    shop, reward = handiwork
    finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(15))

    shop.refund_all(at=20)
    listed = states(reward)
    finish_handiwork(order=order_of(reward), note="felled it", actor="boss", at=day(21))

    assert listed == ("revoked", "take_back")
    assert states(reward) == ("revoked", "stopped")


def test_take_back_handiwork_that_is_open_takes_it_off_the_list(handiwork):
    shop, reward = handiwork

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    with pytest.raises(FulfilmentInWrongState):
        finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(21))
    assert states(reward) == ("revoked", "stopped")


@pytest.mark.parametrize(("gift", "what"), [("perk: early-access", "early-access"), ("badge: connector", "connector")])
def test_fulfil_mark_is_given_at_once(gift_shop, gift, what):
    shop = gift_shop(gift)
    reward = shop.earn()

    shop.release()

    assert states(reward) == ("fulfilled", "done")
    assert reward.detail == {"what": what}
    assert not Message.objects.filter(kind="gift_ready").exists()


# Choices


def make_group() -> ChoiceGroup:
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose your thank-you")
    options: list[dict] = [
        {"name": "300 points", "kind": "points", "points": 300},
        {"name": "A coupon", "kind": "coupon", "what": "THANKS10"},
        {"name": "A tree", "kind": "manual", "what": "Plant a tree"},
        {"name": "Ten in cash", "kind": "cash", "amount_minor": 1000, "currency": "EUR"},
        {"name": "Sold out", "kind": "perk", "what": "gone", "offered": False},
    ]
    for place, fields in enumerate(options):
        ChoiceOption.objects.create(group=group, place=place, **fields)
    return group


@pytest.fixture
def choice(gift_shop):
    group = make_group()
    shop = gift_shop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    states(reward)
    return shop, reward, {option.kind: option for option in group.options.select_related("group")}


def test_fulfil_choice_asks_the_customer(choice):
    _, reward, _ = choice

    assert states(reward) == ("available", "asked")
    assert Message.objects.get(kind="choose_gift").context["title"] == "Choose your thank-you"


def test_fulfil_choice_of_a_group_that_does_not_exist_waits_for_it(gift_shop):
    shop = gift_shop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    waiting = states(reward)

    make_group()
    work(15)

    assert waiting == ("available", "due")
    assert states(reward) == ("available", "asked")


def test_choose_reward_points_are_booked_like_any_reward(choice):
    shop, reward, options = choice

    choose_reward(reward=reward, option=options["points"], at=day(15), actor="ann")

    assert states(reward) == ("fulfilled", "done")
    assert shop.points("ann") == (300, 0, 0)
    [lot] = reward.lots.all()
    assert (lot.remaining, lot.expires_at) == (300, day(15 + 365))
    assert reward.detail["chosen"] == "300 points"
    assert_books_balance()


def test_choose_reward_points_are_taken_back_with_the_order(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    assert shop.points("ann") == (0, 0, 0)
    assert_books_balance()


def test_choose_reward_points_that_were_spent_become_debt(choice):
    from rewards.services.adjustments import adjust_points

    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))
    adjust_points(customer=reward.recipient, points=-250, reason="spent", actor="boss", at=day(16))

    shop.refund_all(at=20)

    assert shop.points("ann") == (0, 0, 250)
    assert_books_balance()


def test_choose_reward_stays_chosen_when_the_referral_is_judged_again(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))

    shop.report(shop.purchase("bob", day(17), "2", "80.00"), at=day(17))

    assert states(reward) == ("fulfilled", "done")
    assert shop.points("ann") == (300, 0, 0)
    assert_books_balance()


def test_choose_reward_is_given_by_its_kind(choice):
    make_pool(codes=["AAA-1"])
    _, reward, options = choice

    chosen = choose_reward(reward=reward, option=options["coupon"], at=day(15))

    assert states(reward) == ("fulfilled", "done")
    assert chosen.detail["coupon"] == "AAA-1"


def test_choose_reward_a_second_time_is_refused(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["manual"], at=day(15))

    with pytest.raises(NothingToChoose):
        choose_reward(reward=reward, option=options["points"], at=day(16))

    assert states(reward) == ("available", "asked")
    assert (order_of(reward).kind, order_of(reward).what) == ("manual", "Plant a tree")
    assert shop.points("ann") == (0, 0, 0)


def test_choose_reward_that_is_not_offered_or_of_another_group_is_refused(choice):
    _, reward, options = choice
    other = ChoiceGroup.objects.create(name="other", title="Other")
    stray = ChoiceOption.objects.create(group=other, name="Stray", kind="points", points=9000)

    for option in (options["perk"], stray):
        with pytest.raises(Invalid):
            choose_reward(reward=reward, option=option, at=day(15))

    assert states(reward) == ("available", "asked")


def test_choose_reward_taken_back_is_refused(choice):
    shop, reward, options = choice
    shop.refund_all(at=20)
    reward.refresh_from_db()

    with pytest.raises(NothingToChoose):
        choose_reward(reward=reward, option=options["points"], at=day(21))

    assert shop.points("ann") == (0, 0, 0)


@pytest.mark.parametrize(("kind", "held"), [("perk", ([], ["lounge"])), ("badge", (["lounge"], []))])
def test_choose_reward_of_a_perk_or_badge_shows_where_the_customer_stands(gift_shop, kind, held):
    shop = gift_shop("choice: thank-you")
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose your thank-you")
    option = ChoiceOption.objects.create(group=group, name="The lounge", kind=kind, what="lounge")
    reward = shop.earn()
    shop.release()
    ann = reward.recipient
    before = (list(badges_of(ann)), perk_slugs_of(ann))

    choose_reward(reward=reward, option=option, at=day(15))

    assert (before, (list(badges_of(ann)), perk_slugs_of(ann))) == (([], []), held)
    assert [badge.card.slug for badge in earned_badges(ann)] == held[0]
    assert badges([ann.pk], ["lounge"]) == {ann.pk: {"lounge": kind == "badge"}}
    assert perks([ann.pk], ["lounge"]) == {ann.pk: {"lounge": kind == "perk"}}
    assert Message.objects.filter(kind="badge_earned").count() == (kind == "badge")
    assert is_known_badge("lounge") == (kind == "badge")


def test_take_back_of_a_chosen_perk_ends_it(gift_shop):
    shop = gift_shop("choice: thank-you")
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose your thank-you")
    option = ChoiceOption.objects.create(group=group, name="The lounge", kind="perk", what="lounge")
    reward = shop.earn()
    shop.release()
    choose_reward(reward=reward, option=option, at=day(15))

    shop.refund_all(at=16)

    assert perk_slugs_of(reward.recipient) == []


def limited(budget: int) -> str:
    return PROGRAM.replace("rewards:", f"limits: {{budget_points: {budget}}}\nrewards:")


def offer_choice(budget: int):
    group = make_group()
    shop = GiftShop("choice: thank-you", limited(budget))
    rewards = [shop.earn("bob", "1"), shop.earn("carl", "2")]
    shop.release()
    return shop, rewards, {option.kind: option for option in group.options.select_related("group")}


def test_choose_reward_counts_chosen_points_for_the_budget_until_they_are_taken_back(db):
    shop, (first, _), options = offer_choice(500)

    choose_reward(reward=first, option=options["points"], at=day(15))
    after = (granted_points(shop.program), budget_of(shop.program, at=day(16)).left)
    burnt = [(one.day, one.points) for one in burn_down(shop.program, budget=500, today=day(15).date())]
    shop.refund_all("bob", "1", at=16)

    assert (after, burnt) == ((300, 200), [(day(15).date(), 300)])
    assert granted_points(shop.program) == 0
    assert [one.granted for one in burn_down(shop.program, budget=500, today=day(16).date())] == [300, 0]
    assert_books_balance()


def test_choose_reward_refuses_points_beyond_the_budget_and_another_may_be_chosen(db):
    shop, (first, second), options = offer_choice(500)
    choose_reward(reward=first, option=options["points"], at=day(15))

    with pytest.raises(BudgetExhausted) as refused:
        choose_reward(reward=second, option=options["points"], at=day(15))
    second.refresh_from_db()
    unchanged = (second.detail, states(second), shop.points("ann"))
    choose_reward(reward=second, option=options["manual"], at=day(15))

    assert refused.value.detail == "300 points are more than is left of what the program gives"
    assert unchanged == ({"what": "thank-you"}, ("available", "asked"), (300, 0, 0))
    assert second.detail["chosen"] == "A tree"


def test_choose_reward_without_the_budget_guard_would_grant_too_much(db, monkeypatch):
    shop, rewards, options = offer_choice(500)
    monkeypatch.setattr(choosing, "_within_budget", lambda *_: None)

    for reward in rewards:
        choose_reward(reward=reward, option=options["points"], at=day(15))

    assert granted_points(shop.program) == 600


def test_grant_counts_chosen_points_of_others_against_the_budget(db):
    shop, (first, _), options = offer_choice(500)
    choose_reward(reward=first, option=options["points"], at=day(15))
    apply_text(limited(500).replace("{id: gift, to: advocate, on: qualified, GIFT}", FIXED))

    shop.report(shop.purchase("dora", day(20), "3", "59.90", code=shop.code), at=day(20))

    refused = Reward.objects.get(referral__friend__external_id="dora")
    assert (refused.state, refused.reason, refused.inputs["left"]) == ("refused", "budget_exhausted", 200)
