"""What customers see of their coupons, gifts and choices."""

import re

import pytest

from referrals.models import Customer
from rewards.models import Coupon, Fulfilment, Reward
from rewards.queries.gifts import gift_items, gifts_of
from rewards.services.choosing import choose_reward
from rewards.services.coupons import redeem_coupon
from rewards.services.handiwork import decline_handiwork
from tests.factories import CustomerFactory, UserFactory
from tests.rewards.fulfilment.conftest import GiftShop, make_pool
from tests.rewards.fulfilment.test_people import make_group
from tests.shop import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(client):
    user = UserFactory(email="ann@shop.example")
    client.force_login(user)
    return client


def words_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def stages(at=15) -> list[tuple[str, str]]:
    customer = Customer.objects.get(external_id="ann")
    return [(item.gift, item.stage) for item in gift_items(gifts_of(customer), at=day(at))]


def test_gift_items_tell_a_coupons_whole_life():
    make_pool(codes=["AAA-1"], valid_days=30)
    shop = GiftShop("coupon: THANKS10")
    shop.earn()
    told = [stages(at=1)]
    shop.release()
    told += [stages(at=15), stages(at=44)]
    redeem_coupon(code="AAA-1", order_id="9", at=day(16))
    told.append(stages(at=17))
    shop.refund_all(at=20)
    told.append(stages(at=21))

    assert [one for [one] in told] == [
        ("10 % off", stage) for stage in ("coming", "ready", "expired", "used", "taken_back")
    ]


@pytest.mark.parametrize(
    ("gift", "expected"),
    [
        ("coupon: THANKS10", ("Coupon", "waiting_stock")),
        ('credit: "10.00"', ("€10.00 store credit", "in_work")),
        ('gift_card: "25.00"', ("€25.00 gift card", "in_work")),
        ('cash: "15.00"', ("€15.00 in cash", "in_work")),
        ("perk: early-access", ("early access", "ready")),
        ("choice: thank-you", ("A reward of your choice", "in_work")),
        ("manual: Plant a tree", ("Plant a tree", "in_work")),
    ],
)
def test_gift_items_name_every_kind(gift, expected):
    shop = GiftShop(gift)
    shop.earn()
    shop.release()
    if gift.startswith("choice"):
        assert stages() == [("A reward of your choice", "choose")]
        make_group()
        Fulfilment.objects.update(due_at=day(15))
        expected = ("Choose your thank-you", "choose")

    assert stages() == [expected]


def test_gift_items_that_failed_say_no_reason():
    shop = GiftShop("manual: Plant a tree")
    reward = shop.earn()
    shop.release()
    order = Fulfilment.objects.select_related("reward").get(reward=reward)
    decline_handiwork(order=order, reason="no ground", actor="boss", at=day(15))

    assert stages() == [("Plant a tree", "failed")]


def test_show_gifts_shows_the_owner_the_code_and_nobody_else(ann, client):
    make_pool(codes=["AAA-1"])
    shop = GiftShop("coupon: THANKS10")
    shop.earn()
    shop.release()

    own = ann.get("/gifts/")
    portal = ann.get("/")
    client.force_login(UserFactory(email=CustomerFactory().email))
    other = client.get("/gifts/")

    assert b"AAA-1" in own.content
    assert b"AAA-1" in portal.content
    assert b"AAA-1" not in other.content
    assert "No gifts yet" in words_of(other)


def test_show_gifts_filters_what_can_be_used_now(ann):
    make_pool(codes=["AAA-1", "BBB-2"])
    shop = GiftShop("coupon: THANKS10")
    for number in range(3):
        shop.earn(f"bob-{number}", str(number))
    shop.release()
    redeem_coupon(code="AAA-1", order_id="9", at=day(15))

    def codes(show):
        return re.findall(r"AAA-1|BBB-2|comes by itself", ann.get(f"/gifts/?show={show}").content.decode())

    assert (codes("open"), codes("coming"), codes("past")) == (["BBB-2"], ["comes by itself"], ["AAA-1"])
    assert sorted(codes("")) == ["AAA-1", "BBB-2", "comes by itself"]
    Coupon.objects.filter(code="BBB-2").update(expires_at=day(1))
    assert (codes("open"), sorted(codes("past"))) == ([], ["AAA-1", "BBB-2"])
    assert "There are none of these" in words_of(ann.get("/gifts/?show=open"))


@pytest.mark.parametrize("count", [1, 3])
def test_show_gifts_asks_the_database_as_often_for_many_as_for_one(ann, count, django_assert_num_queries):
    make_pool(codes=[f"CODE-{number}" for number in range(count)])
    shop = GiftShop("coupon: THANKS10")
    for number in range(count):
        shop.earn(f"bob-{number}", str(number))
    shop.release()

    with django_assert_num_queries(8):
        ann.get("/gifts/")


@pytest.fixture
def choice(ann):
    group = make_group()
    shop = GiftShop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    return shop, reward, {option.kind: option for option in group.options.select_related("group")}


def test_choose_gift_on_the_page_once(ann, choice):
    shop, reward, options = choice
    shown = words_of(ann.get("/gifts/"))

    chosen = ann.post(f"/gifts/{reward.public_id}/choose/", {"option": options["points"].pk}, follow=True)
    again = ann.post(f"/gifts/{reward.public_id}/choose/", {"option": options["manual"].pk}, follow=True)

    assert "300 points A coupon A tree Ten in cash €10.00 in cash" in shown
    assert "Sold out" not in shown
    assert "Good choice! “300 points” is yours." in words_of(chosen)
    assert "chosen already" in words_of(again)
    assert shop.points("ann") == (300, 0, 0)
    assert Reward.objects.get().detail["chosen"] == "300 points"


@pytest.mark.parametrize("answer", [{}, {"option": "x"}, {"option": "999999"}])
def test_choose_gift_without_an_option_asks_for_one(ann, choice, answer):
    _, reward, _ = choice

    told = ann.post(f"/gifts/{reward.public_id}/choose/", answer, follow=True)

    assert "Please choose one of the rewards first." in words_of(told)
    assert "chosen" not in Reward.objects.get().detail


def test_choose_gift_of_somebody_else_is_404(client, choice):
    _, reward, options = choice
    client.force_login(UserFactory(email=CustomerFactory().email))

    answer = client.post(f"/gifts/{reward.public_id}/choose/", {"option": options["points"].pk})

    assert answer.status_code == 404
    assert "chosen" not in Reward.objects.get().detail


def test_choose_reward_chosen_perk_needs_no_mail_and_reads_by_its_name(choice):
    _, reward, options = choice
    perk = options["perk"]
    perk.offered = True
    perk.save()

    choose_reward(reward=reward, option=perk, at=day(15))

    assert stages() == [("Sold out", "ready")]
    assert Reward.objects.get().detail["gift"] == {"kind": "perk", "what": "gone"}
