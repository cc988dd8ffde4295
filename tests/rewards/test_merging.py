"""Two ids of one person become one: nothing is lost, nothing is had twice, and what cannot be true of one ends."""

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.services.rollups import refresh_rollups
from messaging.queries import wishes_of
from messaging.services import set_preference
from messaging.tokens import preference_token
from referrals.models import Customer, Event, Link, Merge, Referral
from referrals.services import merging
from referrals.services.batches import record_events
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.identities import Erased
from referrals.services.merging import CannotMerge, merge_customers
from rewards.models import Account, Reward, TierStanding
from rewards.queries.balances import points_of
from rewards.services.grants import release_due
from rewards.services.redeeming import cancel_redemption
from tests.analytics.ask import values
from tests.rewards.goods import available, give, lots, make_item, redeem
from tests.rewards.programs import FIXED, FRIEND, TIERS, program
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db

SIGNUP = "{id: welcome, to: friend, on: signup, points: 7, hold_days: 0}"
MILESTONES = "milestones:\n  - {referrals: 1, points: 50}\n  - {referrals: 3, points: 300}\n"


@pytest.fixture
def shop():
    yield Shop(program(FIXED, FRIEND, SIGNUP, more=MILESTONES + TIERS))
    assert_books_balance()


def who(external_id):
    return Customer.objects.get(external_id=external_id)


def merge(source, into, *, at=None):
    at = at or day(100)
    with time_machine.travel(at, tick=False):
        return merge_customers(source=who(source), into=who(into), reason="two accounts", by="t", at=at)


def buy(shop, friend, number, code, order=""):
    order = order or friend
    shop.report(shop.purchase(friend, day(number), order, "50.00", code=code), at=day(number))


def states(**where):
    return list(Referral.objects.filter(**where).order_by("bound_at").values_list("state", "reason"))


def test_merge_customers_moves_facts_friends_points_and_codes(shop):
    one, two = shop.code_of("ann", name="Ann", email="ann@a.example"), shop.code_of("anna", locale="de")
    buy(shop, "bob", 0, one)
    buy(shop, "bea", 1, two)
    shop.report(shop.purchase("anna", day(2), "own", "9.00"), at=day(2))
    release_due(at=day(20))

    merged = merge("anna", "ann")

    assert points_of(who("ann")).available == 100 + 50 + 100
    assert merged.moved | {"mails": 0} == {
        **{"events": 1, "links": 1, "advocates": 0, "mails": 0},
        **{"points": 100, "rewards": 2, "friends": 1, "answers": 0, "imported_rows": 0},
    }
    assert set(Referral.objects.values_list("advocate__external_id", flat=True)) == {"ann"}
    assert Event.objects.get(order_id="own").customer.external_id == "ann"
    assert Link.objects.get().codes.count() == 2
    buy(shop, "ben", 30, two)
    assert Referral.objects.get(friend__external_id="ben").advocate.external_id == "ann"
    ann, anna = who("ann"), who("anna")
    assert (ann.name, ann.email, ann.locale, anna.merged_into) == ("Ann", "ann@a.example", "de", ann)
    assert (anna.name, anna.email, anna.locale) == ("", "", "")


def test_merge_customers_again_changes_nothing(shop):
    shop.code_of("ann")
    give(who("ann"), 10)
    shop.code_of("anna")
    give(who("anna"), 20)

    first = merge("anna", "ann")
    again = merge("anna", "ann", at=day(101))

    assert (first.pk, Merge.objects.count(), available(who("ann"))) == (again.pk, 1, 30)


@pytest.mark.parametrize(("source", "into"), [("ann", "ann"), ("ann", "gone"), ("gone", "ann"), ("alias", "zoe")])
def test_merge_customers_refuses_and_changes_nothing(shop, source, into):
    for name in ("ann", "gone", "alias", "zoe"):
        shop.code_of(name)
    erase_customer(customer=who("gone"), by="t", at=day(1))
    merge("alias", "ann")
    before = list(Customer.objects.order_by("pk").values())

    with pytest.raises(CannotMerge):
        merge(source, into)

    assert list(Customer.objects.order_by("pk").values()) == before


def test_merge_customers_ends_what_they_brought_each_other(shop):
    code = shop.code_of("ann")
    buy(shop, "anna", 0, code)
    release_due(at=day(20))
    assert points_of(who("ann")).available == 150

    merge("anna", "ann")

    assert states() == [("voided", "self_referral")]
    assert (points_of(who("ann")).available, points_of(who("ann")).debt) == (0, 0)
    assert set(Reward.objects.values_list("state", flat=True)) == {"revoked"}


def test_merge_customers_keeps_the_first_of_two_advocates(shop):
    xena, yuri = shop.code_of("xena"), shop.code_of("yuri")
    buy(shop, "bob", 0, xena)
    buy(shop, "bobby", 1, yuri)

    merge("bob", "bobby", at=day(3))

    assert states(advocate__external_id="xena") == [("qualified", "")]
    assert states(advocate__external_id="yuri") == [("voided", "same_person")]
    assert points_of(who("yuri")).pending == 0
    assert points_of(who("bobby")).available + points_of(who("bobby")).pending == 17


def test_merge_customers_twin_without_ending_rivals_the_database_refuses(shop, monkeypatch):
    """The sabotage twin: one friend cannot have two live referrals."""
    buy(shop, "bob", 0, shop.code_of("xena"))
    buy(shop, "bobby", 1, shop.code_of("yuri"))
    monkeypatch.setattr(merging, "_end_rivals", lambda *people, **more: None)

    with pytest.raises(Exception, match=r"one_live_referral|UNIQUE"):
        merge("bob", "bobby")


def test_merge_customers_finds_an_existing_customer(shop):
    shop.report(shop.purchase("bobby", day(-50), "old", "5.00"), at=day(-50))
    buy(shop, "bob", 0, shop.code_of("ann"))

    merge("bobby", "bob")

    assert states() == [("voided", "existing_customer")]
    assert points_of(who("ann")).pending == 0


def test_merge_customers_ends_the_latest_of_a_circle(shop):
    buy(shop, "bob", 0, shop.code_of("ann"))
    buy(shop, "cid", 1, shop.code_of("bob"))
    buy(shop, "anna", 2, shop.code_of("cid"))

    merge("anna", "ann")

    assert states() == [("qualified", ""), ("qualified", ""), ("voided", "cycle")]


def test_merge_customers_grants_what_both_reach_and_takes_back_what_they_have_twice(shop):
    one, two = shop.code_of("ann"), shop.code_of("anna")
    for number, (friend, code) in enumerate([("a", two), ("b", one), ("c", two)]):
        buy(shop, friend, number, code)

    merge("anna", "ann", at=day(4))

    kept = Reward.objects.filter(moment="milestone").order_by("pk")
    assert [(one.rule, one.state, one.reason) for one in kept] == [
        ("milestone-1", "pending", ""),
        ("milestone-1", "cancelled", "same_person"),
        ("milestone-3", "pending", ""),
    ]
    assert {one.recipient.external_id for one in kept} == {"ann"}
    standing = TierStanding.objects.get()
    assert (standing.customer.external_id, standing.total) == ("ann", 3)


def test_merge_customers_moves_lots_with_their_ends_and_pays_debts(shop):
    shop.code_of("ann")
    shop.code_of("anna")
    give(who("anna"), 300, expires_days=40)
    give(who("anna"), 20)
    give(who("ann"), 5, expires_days=30)
    ends = [lot.expires_at for lot in Account.objects.get(customer=who("anna"), kind="available").lots.order_by("pk")]

    merge("anna", "ann", at=day(1))

    mine = Account.objects.get(customer=who("ann"), kind="available", closed=False)
    assert [(lot.remaining, lot.expires_at) for lot in mine.lots.order_by("pk")][1:] == [(300, ends[0]), (20, ends[1])]
    assert available(who("ann")) == 325
    closed = Account.objects.filter(customer=who("ann"), closed=True)
    assert sorted(closed.values_list("kind", "balance")) == [("available", 0), ("debt", 0), ("pending", 0)]


def test_merge_customers_pays_the_debt_of_one_with_the_points_of_the_other(shop):
    code = shop.code_of("anna")
    buy(shop, "bob", 0, code)
    release_due(at=day(20))
    mug = make_item(points=120)
    redeem(who("anna"), mug, 1)
    shop.report(shop.refund("bob", day(21), "bob", "50.00"), at=day(21))
    assert points_of(who("anna")).debt == 120
    shop.code_of("ann")
    give(who("ann"), 200)

    merge("anna", "ann")

    points = points_of(who("ann"))
    assert (points.available, points.debt, points.redeemed) == (80, 0, 120)


def test_cancel_redemption_of_a_merged_customer_gives_the_points_to_the_person(shop):
    shop.code_of("ann")
    shop.code_of("anna")
    give(who("anna"), 300, expires_days=40)
    redemption = redeem(who("anna"), make_item(points=120), 2)
    merge("anna", "ann", at=day(1))

    redemption.refresh_from_db()
    cancel_redemption(redemption=redemption, reason="changed my mind", actor="t", at=day(2))

    assert (available(who("ann")), points_of(who("ann")).redeemed, lots(who("ann"))[-1][1]) == (300, 0, 240)


def test_merge_customers_lets_later_refunds_and_releases_find_the_person(shop):
    code = shop.code_of("anna")
    buy(shop, "bob", 0, code)
    shop.code_of("ann")
    merge("anna", "ann", at=day(1))

    release_due(at=day(20))
    assert points_of(who("ann")).available == 150
    shop.report(shop.refund("bob", day(21), "bob", "50.00"), at=day(21))

    assert points_of(who("ann")).available == 0


def test_merged_id_is_understood_wherever_it_is_told(shop):
    shop.code_of("ann", email="ann@a.example")
    shop.code_of("anna")
    merge("anna", "ann")

    shop.report(shop.purchase("anna", day(3), "o-1", "5.00"), at=day(3))
    [again] = shop.report(shop.purchase("anna", day(3), "o-1", "5.00", event_id="other"), at=day(3))

    assert Event.objects.get(order_id="o-1").customer.external_id == "ann"
    assert again.duplicate
    merge_customers(source=who("ann"), into=who_new(shop, "zoe"), reason="", by="t", at=day(4))
    assert who("anna").merged_into.external_id == "zoe"


def who_new(shop, external_id):
    shop.code_of(external_id)
    return who(external_id)


def test_guest_joins_the_customer_whose_id_becomes_known(shop):
    guest = shop.purchase("", day(0), "g", "5.00") | {"customer": {"email": "bob@b.example"}}
    shop.report(guest, at=day(0))
    shop.report(shop.purchase("c-1", day(1), "k", "5.00"), at=day(1))

    shop.report(shop.purchase("c-1", day(2), "l", "5.00", email="Bob@b.example"), at=day(2))

    assert set(Event.objects.values_list("customer__external_id", flat=True)) == {"c-1"}
    merged = Merge.objects.get()
    assert (merged.by, merged.source.external_id[:6], merged.into.external_id) == ("", "email:", "c-1")


def test_merge_customers_keeps_objections_and_old_links_in_mails(shop, client):
    shop.code_of("ann", email="ann@a.example")
    shop.code_of("anna", email="anna@a.example")
    ann, anna = who("ann"), who("anna")
    set_preference(recipient_key=f"customer:{anna.pk}", purpose="surveys", allowed=False, source="t")
    merge("anna", "ann")

    page = client.get(f"/u/{preference_token(f'customer:{anna.pk}', 'rewards')}/".rstrip("/"), follow=True)
    client.post(page.request["PATH_INFO"], {"List-Unsubscribe": "One-Click"})

    wishes = wishes_of(f"customer:{ann.pk}")
    assert (wishes["surveys"], wishes["rewards"], wishes["news"]) == (False, False, True)


def test_erasing_a_merged_person_erases_their_other_ids_too(shop):
    shop.code_of("ann")
    shop.code_of("ann@a.example")
    merge("ann@a.example", "ann")
    assert export_customer(customer=who("ann"))["referrals"]["also_known_as"] == ["ann@a.example"]

    erase_customer(customer=who("ann"), by="t", at=day(101))

    assert not Customer.objects.filter(external_id__contains="@").exists()
    for told in ("ann", "ann@a.example"):
        [refused] = record_events(facts=[shop.purchase(told, day(102), told, "5.00")], at=day(102))
        assert isinstance(refused.refusal, Erased)


def test_merge_customers_counts_the_numbers_of_one_person(shop):
    shop.report(shop.purchase("ann", day(0), "1", "5.00"), at=day(0))
    shop.report(shop.purchase("anna", day(1), "2", "5.00"), at=day(1))
    refresh_rollups(at=day(2))

    merge("anna", "ann", at=day(2))
    refresh_rollups(at=day(3))

    assert values("new_customers") == [1]


facts = st.lists(
    st.tuples(
        st.sampled_from(["bob", "bobby"]),
        st.sampled_from(["signup", "purchase", "refund"]),
        st.integers(0, 9),
        st.sampled_from(["", "ann", "ann", "xena"]),
    ),
    min_size=1,
    max_size=7,
)


def tell(shop, told, codes, *, one):
    """Tell the facts in this order, of one id or of two; return who has what at the end."""
    for number, (name, kind, at, advocate) in enumerate(told):
        friend = "bob" if one else name
        if kind == "refund":
            shop.report(shop.refund(friend, day(10), f"o-{at}", "50.00"), at=day(10))
            continue
        more = {"code": codes[advocate]} if advocate else {}
        fact = (
            shop.signup(friend, day(at + number / 100), **more)
            if kind == "signup"
            else shop.purchase(friend, day(at + number / 100), f"o-{number}", "50.00", **more)
        )
        shop.report(fact, at=day(10))
    if not one and Customer.objects.filter(external_id__in=["bob", "bobby"]).count() == 2:
        merge("bobby", "bob", at=day(10))
    assert_books_balance()
    live = Referral.objects.filter(state__in=Referral.LIVE).values_list("advocate__external_id", "state", "bound_at")
    purses = {name: shop.points(name) for name in ("ann", "xena")}
    bob = Customer.objects.filter(external_id__in=["bob", "bobby"], merged_into=None).first()
    return sorted(live), purses, points_of(bob) if bob else None


@settings(
    max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(told=facts)
def test_merge_customers_ends_as_if_there_had_been_one_id_all_along(told):
    ends = []
    for one in (True, False):
        with transaction.atomic():
            shop = Shop(program(FIXED, FRIEND, SIGNUP, more=MILESTONES))
            codes = {name: shop.code_of(name) for name in ("ann", "xena")}
            ends.append(tell(shop, told, codes, one=one))
            transaction.set_rollback(True)

    assert ends[0] == ends[1]
