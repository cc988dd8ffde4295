"""Who stands on the block list is voided where the domain says, in its order."""

import pytest

from core.errors import Refused
from referrals.models import BlockEntry, Referral
from referrals.services import binding, weighing
from referrals.services.blocks import ListedAlready, add_block_entry, remove_block_entry
from referrals.services.lifecycle import reopen_referral
from tests.shop import NOON, PROGRAM, Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def block(pattern, kind="email", *, effect="block", until=None, at=NOON):
    return add_block_entry(
        kind=kind, pattern=pattern, reason="a reseller", added_by="eva", at=at, effect=effect, until=until
    )


def bring(shop, who="bob", email="bob@spam.example", at=1.0):
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.purchase(who, day(at), f"order-{who}", "59.90", email=email, code=code), at=day(at))
    return shop.referral(who)


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("email", "bob@spam.example"),
        ("email", "BOB@*"),
        ("email", "*@spam.example"),
        ("domain", "spam.example"),
        ("domain", "@Spam.*"),
        ("customer", "bob"),
        ("customer", "ann"),  # the advocate is blocked as well
        ("email", "ann@shop.example"),
    ],
)
def test_bind_somebody_on_the_block_list_is_voided(kind, pattern, shop):
    block(pattern, kind)

    referral = bring(shop)

    assert (referral.state, referral.reason) == ("voided", "blocked")
    assert shop.points("ann") == shop.points("bob") == (0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "pattern"), [("email", "bobby@spam.example"), ("domain", "*.spam.example"), ("customer", "bo")]
)
def test_bind_somebody_whom_no_entry_fits_is_left_alone(kind, pattern, shop):
    block(pattern, kind)

    assert bring(shop).state == "qualified"


def test_bind_somebody_on_the_block_list_sabotaged(shop, monkeypatch):
    """Were the list not asked, the blocked would earn."""
    block("*@spam.example")
    monkeypatch.setattr(binding, "is_blocked", lambda *_, at: False)

    assert bring(shop).state == "qualified"


def test_block_ends_with_its_moment(shop):
    block("*@spam.example", until=day(1))

    assert bring(shop, "early", "a@spam.example", at=0.5).reason == "blocked"
    assert bring(shop, "late", "b@spam.example", at=1).state == "qualified"


def test_blocked_is_named_after_self_referral_and_before_existing_customer(shop):
    block("*@spam.example")
    block("ann@shop.example")
    shop.report(shop.purchase("bob", day(-3), "before", "10.00", email="bob@spam.example"), at=day(-3))

    assert bring(shop).reason == "blocked"
    assert bring(shop, "ann-2", "ann+x@shop.example").reason == "self_referral"


def test_block_after_the_sign_up_voids_what_qualifies_then(shop):
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.signup("bob", day(0), email="bob@spam.example", code=code), at=day(0))
    block("*@spam.example", at=day(0.5))

    shop.report(shop.purchase("bob", day(1), "order-bob", "59.90"), at=day(1))

    referral = shop.referral("bob")
    assert (referral.state, referral.reason, referral.qualifying_event) == ("voided", "blocked", None)
    assert_books_balance()


def test_block_after_the_sign_up_sabotaged(shop, monkeypatch):
    """Were the list asked at the binding alone, a known fraud would still be paid."""
    monkeypatch.setattr(weighing, "_is_blocked_since", lambda _: False)
    with pytest.raises(AssertionError):
        test_block_after_the_sign_up_voids_what_qualifies_then(shop)

    assert shop.referral("bob").state == "qualified"


def test_reopen_somebody_blocked_pardons_them(shop):
    block("*@spam.example")
    referral = bring(shop)

    reopen_referral(referral=referral, note="a mistake", actor="eva", at=day(2))
    shop.report(shop.purchase("bob", day(3), "order-2", "30.00"), at=day(3))

    assert shop.referral("bob").state == "qualified"


def test_remove_block_entry_lets_the_next_one_in(shop):
    entry = block("*@spam.example")
    first = bring(shop)

    remove_block_entry(entry=entry)

    assert Referral.objects.get(pk=first.pk).reason == "blocked"
    assert bring(shop, "carl", "carl@spam.example", at=2).state == "qualified"


def test_watched_are_held_and_not_blocked():
    shop = Shop(PROGRAM + "risk: {review_at: 50}\n")
    block("*@spam.example", effect="watch")

    referral = bring(shop)

    assert (referral.state, referral.held) == ("flagged", True)
    assert referral.assessments.get().signals[0]["evidence"] == "On the watch list: a reseller"


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("email", "*"), ("email", "*@*"), ("email", "spam.example"), ("domain", "*.*"), ("domain", "a@b.example"),
     ("customer", "*"), ("customer", "*a"), ("customer", "")],
)  # fmt: skip
def test_add_block_entry_that_fits_everybody_or_nobody_is_refused(kind, pattern):
    with pytest.raises(Refused):
        block(pattern, kind)

    assert BlockEntry.objects.count() == 0


def test_add_block_entry_twice_is_refused_and_keeps_the_first():
    first = block("*@spam.example")

    with pytest.raises(ListedAlready):
        block("*@SPAM.example")

    assert BlockEntry.objects.get() == first


def test_add_block_entry_that_has_ended_is_refused():
    with pytest.raises(Refused):
        block("*@spam.example", until=day(0))

    assert BlockEntry.objects.count() == 0
