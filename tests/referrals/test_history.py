"""Referrals of a former tool: they count, they pay nothing, and they can be taken back."""

from datetime import timedelta

import pytest

from core.clocks import clock_at
from core.errors import Refused
from messaging.models import Message
from referrals.models import Customer, Event, Offer, Referral
from referrals.program_file import parse_program
from referrals.queries.programs import current_offer, document_of, offer_live_at
from referrals.services import binding
from referrals.services.by_hand import NotBound
from referrals.services.history import MovedOn, VoidByRules, bind_from_history, undo_history
from referrals.terms import terms_from_json
from rewards.models import Leaderboard, Reward
from rewards.queries.backtests import load_material
from rewards.queries.leaderboards import count_places
from rewards.simulation.replay import Replay
from tests.factories import CustomerFactory
from tests.shop import NOON, PROGRAM, Shop, apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db

LONG_AGO = day(-400)
CLIMBING = (
    PROGRAM
    + """
starts: 2026-01-01
tiers:
  window_days: 365
  levels:
    - {name: Bronze, from: 0, multiplier: "1"}
    - {name: Silver, from: 2, multiplier: "2"}
milestones:
  - {referrals: 2, points: 1000}
  - {referrals: 3, points: 3000}
"""
)


@pytest.fixture
def shop(db):
    shop = Shop(CLIMBING)
    for who in ("ann", "carl"):
        CustomerFactory(external_id=who, email=f"{who}@shop.example")
    return shop


def bind(shop, friend, *, settled=True, advocate="ann", on=LONG_AGO, at=NOON, key=""):
    with clock_at(at):
        return bind_from_history(
            program=shop.program,
            advocate=Customer.objects.get(external_id=advocate),
            friend={"external_id": friend},
            settled=settled,
            key=key or f"imported-{friend}-{advocate}-{settled}",
            reason="from elsewhere",
            actor="mia",
            occurred_at=on,
            at=at,
        )


def standing(friend):
    row = Referral.objects.filter(friend__external_id=friend).latest("pk")
    return (row.state, row.reason, row.method, row.offer.number, row.advocate.external_id)


def test_bind_from_history_settled_counts_and_pays_nothing(shop):
    """Two of them, dated in the window, make the advocate Silver; no milestone, no reward, then or later."""
    bind(shop, "bob", on=day(-90))
    bind(shop, "eve", on=day(-89))

    assert standing("bob") == ("approved", "", "imported", Offer.SETTLED, "ann")
    assert not Reward.objects.exists()

    shop.report(shop.purchase("bob", day(1), "o-1", "100.00"), at=day(1))
    assert not Reward.objects.exists()

    shop.report(shop.signup("dan", day(2), code=shop.code_of("ann")), at=day(2))
    shop.report(shop.purchase("dan", day(2), "o-2", "100.00"), at=day(2))
    # The third: Silver doubles her 500 and her 5 % of 100.00; she climbs from 2 to 3, so that milestone is new.
    assert shop.rewards("ann") == [
        ("advocate-fixed", 1000, "pending"),
        ("advocate-share", 10, "pending"),
        ("milestone-3", 3000, "pending"),
    ]
    assert_books_balance()


def test_settled_offer_is_live_for_nobody(shop):
    live = offer_live_at(shop.program, day(0))
    bind(shop, "bob")
    shop.program.refresh_from_db()

    assert [offer_live_at(shop.program, day(n)) for n in (-1000, 0, 10_000)] == [live] * 3
    assert current_offer(shop.program) == live
    assert document_of(shop.program) == parse_program(CLIMBING)
    assert terms_from_json(Offer.objects.get(number=Offer.SETTLED).terms).rewards == ()
    apply_text(CLIMBING, at=day(3))
    assert sorted(shop.program.offers.values_list("number", flat=True)) == [0, 1]


def test_settled_referral_outlasts_purchases_from_before_and_evidence_from_before(shop):
    """What the former tool decided stands: a friend who bought before, a code used before, change nothing."""
    bind(shop, "bob", on=day(-10))
    before = standing("bob")

    shop.report(shop.purchase("bob", day(-20), "o-0", "50.00"), at=day(1))
    shop.report(shop.signup("bob", day(-30), code=shop.code_of("ann")), at=day(1))
    shop.report(shop.signup("bob", day(1), code=shop.code_of("carl")), at=day(1))

    assert standing("bob") == before
    assert Referral.objects.count() == 1
    assert not Reward.objects.exists()


def test_settled_referral_sabotaged_earlier_evidence_would_pay(shop, monkeypatch):
    """The twin: were it not held as decided, an earlier code of the advocate would move it to an offer that pays."""
    bind(shop, "bob", on=day(-10))
    monkeypatch.setattr(binding, "_is_by_staff", lambda referral: False)

    shop.report(shop.signup("bob", day(-30), code=shop.code_of("ann")), at=day(1))

    assert Reward.objects.exists()


def test_bind_from_history_open_is_paid_by_the_rules(shop):
    bind(shop, "bob", settled=False, on=day(-5))

    assert standing("bob") == ("signed_up", "", "imported", 1, "ann")
    shop.report(shop.purchase("bob", day(1), "o-1", "100.00"), at=day(1))
    assert shop.referral("bob").state == "qualified"
    assert ("advocate-fixed", 500, "pending") in shop.rewards("ann")


def test_bind_from_history_mails_nobody(shop):
    bind(shop, "bob", on=day(-1))
    bind(shop, "eve", on=day(-1))
    bind(shop, "dan", settled=False, on=day(-1))

    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("friend", "settled", "advocate", "on", "refusal", "told"),
    [
        ("ann", True, "ann", -5, VoidByRules, "self_referral"),
        ("ann", True, "carl-of-ann", -5, VoidByRules, "cycle"),
        ("old", False, "ann", -5, VoidByRules, "existing_customer"),
        ("new", False, "ann", -300, VoidByRules, "program_not_running"),
        ("taken", True, "carl", -5, NotBound, "another advocate"),
        ("taken", True, "ann", -5, NotBound, "as open"),
    ],
)
def test_bind_from_history_refuses_and_stores_nothing(shop, friend, settled, advocate, on, refusal, told):
    if advocate == "carl-of-ann":
        bind(shop, "carl", on=day(-50))
        advocate = "carl"
    shop.report(shop.purchase("old", day(-40), "o-9", "50.00"), at=day(-40))
    shop.report(shop.signup("taken", day(-9), code=shop.code_of("ann")), at=day(-9))
    before = (Event.objects.count(), Referral.objects.count(), Customer.objects.count(), Reward.objects.count())

    with pytest.raises(refusal) as refused:
        bind(shop, friend, settled=settled, advocate=advocate, on=day(on), key="imported-refused")

    assert told in refused.value.detail
    assert (Event.objects.count(), Referral.objects.count(), Customer.objects.count(), Reward.objects.count()) == before
    assert isinstance(refused.value, Refused)


def test_undo_history_frees_the_friend_and_twice_changes_nothing(shop):
    referral, _ = bind(shop, "bob", on=day(-10))
    assert undo_history(referral=referral, note="wrong column", actor="mia", at=day(1)) is True
    steps = referral.steps.count()
    assert undo_history(referral=referral, note="wrong column", actor="mia", at=day(1)) is False

    assert (standing("bob")[:2], referral.steps.count()) == (("voided", "import_undone"), steps)
    again, new = bind(shop, "bob", advocate="carl", on=day(-10))
    assert (new, again.advocate.external_id, again.state) == (True, "carl", "approved")


def test_undo_history_then_the_same_advocate_again_stands_on_the_new_date(shop):
    """A fact that was undone is no evidence any more, also when it is older than the new one."""
    wrong, _ = bind(shop, "bob", settled=False, on=day(-30), key="first")
    undo_history(referral=wrong, note="wrong date", actor="mia", at=day(1))

    right, _ = bind(shop, "bob", settled=False, on=day(-3), key="second")

    assert (right.bound_at, right.state) == (day(-3), "signed_up")


def test_undo_history_leaves_what_has_moved_on(shop):
    referral, _ = bind(shop, "bob", settled=False, on=day(-5))
    shop.report(shop.purchase("bob", day(1), "o-1", "100.00"), at=day(1))
    before = (Reward.objects.count(), shop.points("ann"))

    with pytest.raises(MovedOn, match="qualified since"):
        undo_history(referral=referral, note="wrong", actor="mia", at=day(2))

    assert (shop.referral("bob").state, Reward.objects.count(), shop.points("ann")) == ("qualified", *before)


def test_undo_history_takes_sign_up_rewards_back(shop):
    referral, _ = bind(shop, "bob", settled=False, on=day(-5))
    assert shop.points("bob") == (100, 0, 0)

    undo_history(referral=referral, note="wrong", actor="mia", at=day(1))

    assert shop.points("bob") == (0, 0, 0)
    assert_books_balance()


def test_back_test_agrees_with_what_was_really_granted(shop):
    bind(shop, "bob", on=day(-90))
    bind(shop, "eve", on=day(-89))
    bind(shop, "fay", settled=False, on=day(-5))
    undone, _ = bind(shop, "gus", settled=False, on=day(-5))
    undo_history(referral=undone, note="wrong", actor="mia", at=day(0))
    shop.report(shop.purchase("bob", day(1), "o-1", "100.00"), at=day(1))
    shop.report(shop.purchase("fay", day(1), "o-2", "100.00"), at=day(1))
    shop.report(shop.purchase("gus", day(1), "o-3", "100.00"), at=day(1))

    material = load_material(program=shop.program, document=document_of(shop.program), at=day(2))
    replay = Replay(material.case)
    for fact in material.facts:
        replay.take(fact)

    given = {(due.rule, due.recipient_pk, due.points) for tie in replay.ties for due in tie.stands.values()}
    given |= {(due.rule, due.recipient_pk, due.points) for held in replay.milestones.values() for due in held.values()}
    real = Reward.objects.filter(state__in=Reward.STANDING)
    assert given == {(row.rule, row.recipient_id, row.points) for row in real}
    assert len(given) == 4
    assert sum(tie.state == "approved" for tie in replay.ties) == 2


def test_import_long_ago_stays_out_of_the_tier_of_today(shop):
    bind(shop, "bob", on=day(-400))
    bind(shop, "eve", on=day(-399))
    shop.report(shop.signup("dan", day(2), code=shop.code_of("ann")), at=day(2))
    shop.report(shop.purchase("dan", day(2), "o-2", "100.00"), at=day(2) + timedelta(hours=1))

    assert ("advocate-fixed", 500, "pending") in shop.rewards("ann")


def test_settled_referral_wins_no_leaderboard(shop):
    """Its date is the former tool's, and prizes are for what happened here."""
    referral, _ = bind(shop, "bob", on=day(-3))
    board = Leaderboard(program=shop.program)

    assert (referral.approved_at, referral.qualified_at) == (day(-3), day(-3))
    assert count_places(board, day(-10), day(10)) == []

    Referral.objects.update(offer=Offer.objects.get(number=1))
    assert len(count_places(board, day(-10), day(10))) == 1, "the twin: by its offer alone it is left out"
