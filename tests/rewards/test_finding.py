"""Staff find anybody by anything, see the whole story of a referral, and take steps back with a reason."""

import pytest
from django.contrib.auth.models import Permission

from referrals.models import Customer
from rewards.queries.finding import find_anything
from rewards.services.appeals import file_appeal
from tests.factories import UserFactory
from tests.rewards.fulfilment.conftest import make_pool
from tests.rewards.goods import available, give, make_item, redeem
from tests.shop import PROGRAM, Shop, assert_books_balance, day


@pytest.fixture
def shop(db):
    shop = Shop()
    code = shop.code_of("ann", name="Ann Archer", email="Ann.Archer@shop.example")
    shop.report(shop.signup("bob", day(0), code=code, email="bob@shop.example"), at=day(0))
    shop.report(shop.purchase("bob", day(1), "order-77", "59.90"), at=day(1))
    return shop


def staff(client, *codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


@pytest.fixture
def support(client):
    return staff(client, "view_customer", "view_referral", "change_referral", "change_reward", "view_reward")


def found(text):
    result = find_anything(text)
    return sorted(one.external_id for one in result.people), len(result.referrals)


def test_find_anything_by_whatever_there_is(shop):
    referral = shop.referral("bob")
    reward = referral.rewards.first()

    assert found("ann.archer@SHOP.example") == (["ann"], 1)
    assert found("Archer") == (["ann"], 1)
    assert found("bob@shop.example") == (["bob"], 1)
    assert found("bob") == (["bob"], 1)
    assert found("order-77") == (["bob"], 1)
    assert found(shop.code_of("ann").lower()) == (["ann"], 1)
    assert found(referral.public_id) == ([], 1)
    assert found(reward.public_id) == ([], 1)


@pytest.mark.parametrize("text", ["", " ", "nobody", "%", "_", "or", "order-7"])
def test_find_anything_without_a_match_is_empty(shop, text):
    assert find_anything(text).nothing


def test_find_page_lists_and_leads_on(shop, support):
    page = support.get("/admin/find/?q=archer").text

    assert f"/admin/find/{shop.referral('bob').public_id}/" in page
    assert "Ann.Archer@shop.example" in page
    assert "Nothing found for “zzz”" in support.get("/admin/find/?q=zzz").text
    assert "/admin/find/" in support.get("/admin/").text


def test_story_page_shows_the_chain_from_link_to_ledger(shop, support):
    page = support.get(f"/admin/find/{shop.referral('bob').public_id}/").text

    for step in (
        "Link made",
        "Fact signup",
        "Fact purchase",
        "Signed up",
        "Qualified",
        "Reward granted",
        "Ledger grant",
    ):
        assert step in page, step
    assert "59.90 EUR" in page


def step(client, shop, **given):
    return client.post(f"/admin/find/{shop.referral('bob').public_id}/", given, follow=True)


def test_story_page_voids_and_reopens_with_a_reason(shop, support):
    step(support, shop, step="void", kind="fraud", reason="one household")
    voided = (shop.referral("bob").state, shop.points("ann"))
    page = step(support, shop, step="reopen", reason="two after all").text

    assert voided == ("voided", (0, 0, 0))
    assert (shop.referral("bob").state, shop.points("ann")) == ("approved", (502, 0, 0))
    assert "one household" in page
    assert "two after all" in page
    assert_books_balance()


def test_story_page_holds_a_referral_and_lets_it_go(shop, support):
    step(support, shop, step="hold", reason="look at the addresses")
    held = shop.referral("bob").held
    offered = support.get(f"/admin/find/{shop.referral('bob').public_id}/").text
    step(support, shop, step="approve", reason="two households")

    assert held
    assert "Let it go" in offered
    assert not shop.referral("bob").held
    assert_books_balance()


def test_story_page_takes_steps_with_one_reward(shop, support):
    reward = shop.referral("bob").rewards.get(rule="advocate-fixed")

    step(support, shop, step="hold", reward=reward.public_id, reason="look")
    shop.pass_time(day(20))
    held = shop.points("ann")
    step(support, shop, step="approve", reward=reward.public_id, reason="fine")
    step(support, shop, step="revoke", reward=reward.public_id, reason="no")
    taken = shop.points("ann")
    step(support, shop, step="reopen", reward=reward.public_id, reason="yes")

    assert held == (2, 500, 0)
    assert taken == (2, 0, 0)
    assert shop.points("ann") == (502, 0, 0)
    assert_books_balance()


def test_story_page_without_a_reason_does_nothing(shop, support):
    page = step(support, shop, step="void", reason=" ").text

    assert "Say why." in page
    assert shop.referral("bob").state == "qualified"


def test_story_page_tells_what_is_refused(shop, support):
    reward = shop.referral("bob").rewards.get(rule="advocate-fixed")

    page = step(support, shop, step="revoke", reward=reward.public_id, reason="no").text

    assert "the reward is pending; it cannot be revoked" in page
    assert shop.points("ann") == (0, 502, 0)


@pytest.mark.parametrize("given", [{"step": "void"}, {"step": "hold", "reward": "any"}])
def test_story_page_steps_need_their_permission(shop, client, given):
    client = staff(client, "view_customer", "view_referral")

    answer = step(client, shop, reason="x", **given)

    assert answer.status_code == 403
    assert shop.referral("bob").state == "qualified"


@pytest.mark.parametrize("path", ["/admin/find/", "/admin/find/ref_x/"])
def test_find_pages_are_for_staff_who_may_see_people(client, shop, path):
    assert client.get(path).status_code == 302
    client.force_login(UserFactory())
    assert client.get(path).status_code == 404
    assert staff(client, "view_reward").get(path).status_code == 403


def test_story_page_of_nothing_is_404(shop, support):
    assert support.get("/admin/find/ref_x/").status_code == 404
    assert step(support, shop, step="hold", reward="rwd_x", reason="x").status_code == 404
    assert step(support, shop, step="nonsense", reason="x").status_code == 404


def test_story_page_shows_appeals(shop, support):
    step(support, shop, step="void", kind="fraud", reason="one household")
    referral = shop.referral("bob")
    file_appeal(referral=referral, customer=referral.advocate, text="We are two", at=day(3))

    page = support.get(f"/admin/find/{referral.public_id}/").text

    assert "We are two" in page


@pytest.fixture
def bought(shop):
    """Ann has bought a coupon with her points; one code more is free."""
    make_pool(codes=["AAA-1", "AAA-2"])
    ann = Customer.objects.get(external_id="ann")
    give(ann, 100)
    return redeem(ann, make_item(kind="coupon", what="THANKS10"))


def test_find_anything_by_redemption_and_by_any_code_of_a_pool(shop, bought):
    by_id, by_coupon, free = find_anything(bought.public_id), find_anything("aaa1"), find_anything("AAA 2")

    assert (by_id.redemptions, by_id.people) == ([bought], [])
    assert ([one.external_id for one in by_coupon.people], by_coupon.redemptions) == (["ann"], [bought])
    assert (free.people, free.redemptions, free.coupon.state) == ([], [], "free")
    assert find_anything("archer").redemptions == [bought]


def test_find_page_shows_redemptions_and_coupons(bought, support):
    page = support.get("/admin/find/?q=AAA-1").text

    assert f"/admin/find/redeemed/{bought.public_id}/" in page
    assert "of THANKS10: given, bought by Ann Archer" in page


def test_redemption_story_page_undoes_with_a_reason(bought, client):
    path = f"/admin/find/redeemed/{bought.public_id}/"
    desk = staff(client, "view_customer", "view_redemption", "change_redemption")
    before = desk.get(path).text

    nothing = desk.post(path, {"step": "cancel", "reason": " "}, follow=True).text
    after = desk.post(path, {"step": "cancel", "reason": "wrong item"}, follow=True).text
    again = desk.post(path, {"step": "cancel", "reason": "again"}, follow=True).text

    assert "Undo, points go back" in before
    assert "Say why." in nothing
    assert "wrong item" in after
    assert "the coupon is blocked" in after
    assert "the redemption is cancelled" in again
    bought.refresh_from_db()
    assert (bought.state, available(bought.customer)) == ("cancelled", 100)
    assert_books_balance()


def test_redemption_story_page_steps_need_their_permission(bought, client):
    path = f"/admin/find/redeemed/{bought.public_id}/"

    assert client.get(path).status_code == 302
    assert staff(client, "view_redemption").get(path).status_code == 403
    looks = staff(client, "view_customer", "view_redemption")
    assert "Undo, points go back" not in looks.get(path).text
    assert looks.post(path, {"step": "cancel", "reason": "x"}).status_code == 403
    bought.refresh_from_db()
    assert bought.state == "fulfilled"


def test_story_page_lets_one_side_go_and_cancels_the_other_of_a_referral_in_review(db, support):
    shop = Shop(PROGRAM.replace("on: signup, points: 100, hold_days: 0", "on: qualified, points: 100"))
    shop.report(shop.purchase("carl", day(1), "order-78", "59.90", code=shop.code_of("ann")), at=day(1))
    path = f"/admin/find/{shop.referral('carl').public_id}/"
    support.post(path, {"step": "hold", "reason": "look at it"})
    pending = shop.referral("carl").rewards.filter(state="pending")
    friend, advocate = (pending.filter(side=side).first() for side in ("friend", "advocate"))

    support.post(path, {"step": "approve", "reward": friend.public_id, "reason": "honest friend"})
    support.post(path, {"step": "cancel", "reward": advocate.public_id, "reason": "not the advocate"})

    friend.refresh_from_db()
    advocate.refresh_from_db()
    assert (friend.state, advocate.state, advocate.reason) == ("available", "cancelled", "by_staff")
    assert shop.referral("carl").held
    assert_books_balance()


def test_review_page_leads_to_each_side(shop, client):
    desk = staff(client, "view_customer", "view_referral", "change_referral")

    page = desk.get(f"/review/{shop.referral('bob').public_id}/").text

    assert f"/admin/find/{shop.referral('bob').public_id}/" in page
