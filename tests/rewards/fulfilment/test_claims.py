"""The gift before any order: handed out once, evidence when it is used, a reward when the friend is bound."""

import pytest
from django.conf import settings as django_settings

from accounts.services import create_api_key
from referrals.models import Claim, Click, Link, Referral
from referrals.services.claims import MOST_A_DAY, Claimant, TooManyClaims
from referrals.services.clicks import purge_daily_keys
from referrals.services.lifecycle import reopen_referral, void_referral
from rewards.models import Coupon, Reward
from rewards.services import claiming
from rewards.services.claiming import NoGift, NotRunning, OutOfStock, claim_gift
from rewards.services.reviewing import revoke_reward
from tests.rewards.fulfilment.conftest import PROGRAM, make_pool, states
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db

GIFT = """
  - {id: welcome, to: friend, on: claim, coupon: WELCOME10}
  - {id: fixed, to: advocate, on: qualified, points: 500}
"""
TEXT = PROGRAM.replace("  - {id: gift, to: advocate, on: qualified, GIFT}\n", GIFT.lstrip("\n"))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def shop(db):
    shop = Shop(TEXT)
    shop.code = shop.code_of("ann", name="Ann Example", email="ann@shop.example")
    shop.link = Link.objects.select_related("program", "customer").get(code=shop.code)
    return shop


@pytest.fixture
def pool(db):
    return make_pool("WELCOME10", codes=[f"HELLO-{number}" for number in range(40)], valid_days=30)


def visit(shop, visitor="v" * 22) -> Click:
    return Click.objects.create(
        link=shop.link, program=shop.program, at=day(0), visitor=visitor, verdict="person", channel="whatsapp"
    )


def test_claim_gift_gives_the_same_visitor_the_same_coupon(shop, pool):
    first = claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(0))
    again = claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(1))
    other = claim_gift(claimant=Claimant(link=shop.link, click=visit(shop, "w" * 22)), at=day(1))

    assert (first.coupon, first.expires_at) == ("HELLO-0", day(30))
    assert (again.pk, other.coupon) == (first.pk, "HELLO-1")
    assert Coupon.objects.filter(state="given").count() == 2
    assert not Reward.objects.exists()


def test_claim_gift_without_stock_or_pool_is_refused_and_gives_nothing(shop):
    with pytest.raises(OutOfStock):
        claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(0))
    make_pool("WELCOME10")
    with pytest.raises(OutOfStock):
        claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(0))

    assert not Claim.objects.exists()


def test_claim_gift_of_a_program_without_one_or_that_does_not_run_is_refused(pool):
    plain = Shop()
    link = Link.objects.get(code=plain.code_of("ann"))
    with pytest.raises(NoGift):
        claim_gift(claimant=Claimant(link=link), at=day(0))
    ended = Shop(TEXT.replace("status: active", "status: ended").replace("refer-a-friend", "old"))
    link = Link.objects.get(code=ended.code_of("ann"))
    with pytest.raises(NotRunning):
        claim_gift(claimant=Claimant(link=link), at=day(0))

    assert not Claim.objects.exists()
    assert not Coupon.objects.exclude(state="free").exists()


def test_claim_gift_is_limited_by_network_and_day(shop, pool):
    def ask(number, at, network="192.0.2"):
        return claim_gift(
            claimant=Claimant(link=shop.link, visitor=f"own:{number}", address=f"{network}.{number}"), at=at
        )

    for number in range(MOST_A_DAY):
        ask(number, day(0))
    with pytest.raises(TooManyClaims) as refused:
        ask(99, day(0))
    kept = Claim.objects.count()

    ask(99, day(0), network="198.51.100")
    ask(98, day(1))

    assert kept == MOST_A_DAY
    assert refused.value.retry_after == 12 * 3600 + 1
    assert ask(3, day(0)).coupon == "HELLO-3"  # who has one is shown it


def test_claim_gift_sabotaged_gives_one_visitor_many(shop, pool, monkeypatch):
    """Were nobody known again, reloading the page would empty the pool."""
    monkeypatch.setattr(claiming, "holder_of", lambda claimant, at: "")

    for _ in range(3):
        claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(0))

    assert Coupon.objects.filter(state="given").count() == 3


def claimed(shop, visitor="v" * 22) -> Claim:
    return claim_gift(claimant=Claimant(link=shop.link, click=visit(shop, visitor)), at=day(0))


def order(shop, coupon, who="bob", number="1", at=2):
    shop.report(shop.purchase(who, day(at), number, "59.90", referral={"coupon": coupon}), at=day(at))


def test_record_event_with_a_claimed_coupon_binds_and_grants_the_gift_once(shop, pool):
    claim = claimed(shop)

    order(shop, "hello0")
    order(shop, "HELLO-0", number="2", at=3)

    referral = shop.referral("bob")
    assert (referral.state, referral.method, referral.code) == ("qualified", "coupon", "HELLO-0")
    assert (referral.advocate.external_id, referral.click_id, referral.channel) == ("ann", claim.click_id, "whatsapp")
    reward = Reward.objects.get(moment="claim")
    assert states(reward) == ("fulfilled", "done")
    assert (reward.rule, reward.side, reward.recipient.external_id) == ("welcome", "friend", "bob")
    assert reward.detail["coupon"] == "HELLO-0"
    assert (reward.coupon.state, reward.coupon.order_id) == ("used", "1")
    assert [event.warnings for event in referral.friend.events.order_by("pk")] == [[], []]
    assert shop.points("ann") == (0, 500, 0)


def test_record_event_with_the_click_alone_grants_the_gift_of_its_visitor(shop, pool):
    claim = claimed(shop)

    shop.report(shop.signup("bob", day(2), click_id=claim.click.click_id), at=day(2))

    assert shop.referral("bob").method == "link"
    assert Reward.objects.get(moment="claim").detail["coupon"] == "HELLO-0"
    claim.refresh_from_db()
    assert claim.friend.external_id == "bob"


def test_record_event_with_a_coupon_that_another_friend_claimed_grants_it_to_the_first_alone(shop, pool):
    claimed(shop)
    order(shop, "HELLO-0", who="bob", number="1")

    order(shop, "HELLO-0", who="cleo", number="2", at=3)

    assert [reward.recipient.external_id for reward in Reward.objects.filter(moment="claim")] == ["bob"]


def test_record_event_with_the_advocates_own_code_as_coupon_binds(shop):
    shop.report(shop.purchase("bob", day(1), "1", "59.90", referral={"coupon": shop.code.lower()}), at=day(1))

    referral = shop.referral("bob")
    assert (referral.method, referral.code, referral.state) == ("coupon", shop.code, "qualified")


def test_record_event_with_a_coupon_in_any_order_of_arrival_binds_alike(shop, pool):
    claimed(shop)
    late = shop.purchase("bob", day(5), "2", "59.90", referral={"coupon": "HELLO-0"})
    early = shop.purchase("bob", day(2), "1", "59.90", referral={"coupon": "HELLO-0"})

    shop.report(late, early, at=day(6))

    referral = shop.referral("bob")
    assert Referral.objects.count() == 1
    assert (referral.bound_at, referral.qualified_at) == (day(2), day(2))


def test_void_referral_takes_the_gift_back_and_reopening_grants_it_again(shop, pool):
    claim = claimed(shop)
    shop.report(shop.signup("bob", day(2), click_id=claim.click.click_id), at=day(2))
    void_referral(referral=shop.referral("bob"), reason="manual", note="test", actor="boss", at=day(3))
    voided = (states(Reward.objects.get(moment="claim")), Coupon.objects.get(code="HELLO-0").state)

    reopen_referral(referral=shop.referral("bob"), note="fine", actor="boss", at=day(4))

    assert voided == (("revoked", "stopped"), "blocked")
    reward = Reward.objects.filter(moment="claim").latest("pk")
    assert states(reward) == ("fulfilled", "done")
    assert Coupon.objects.get(code="HELLO-0").state == "given"
    assert reward.coupon.code == "HELLO-0"


def test_purge_daily_keys_forgets_who_claimed(shop, pool):
    claim_gift(claimant=Claimant(link=shop.link, address="192.0.2.7", agent="x"), at=day(0))
    before = Claim.objects.get()

    purge_daily_keys(at=day(3))

    after = Claim.objects.get()
    assert before.network
    assert after.network == ""
    assert after.holder.startswith("day:")
    assert after.holder != before.holder


# Through the front doors


def open_gift(client, shop, method="get", **headers):
    return getattr(client, method)(f"/r/{shop.code}/gift/", headers={"user-agent": BROWSER, **headers})


def now_shop():
    """A shop of today: the page has no other clock."""
    return Shop(TEXT)


@pytest.fixture
def page_shop(shop, pool):
    return shop


def test_show_gift_hands_out_on_post_alone_and_shows_it_again(client, page_shop):
    before = open_gift(client, page_shop)
    nothing = Claim.objects.count()
    posted = open_gift(client, page_shop, "post")
    after = open_gift(client, page_shop)
    open_gift(client, page_shop, "post")

    assert (before.status_code, nothing) == (200, 0)
    assert b"Ann has a gift for you" in before.content
    assert b'href="/programs/refer-a-friend/"' in before.content
    assert (posted.status_code, posted["Location"]) == (302, f"/r/{page_shop.code}/gift/")
    assert b"HELLO-0" in after.content
    claim = Claim.objects.get()
    assert claim.click.link == page_shop.link
    link = f"ref={page_shop.code}&amp;coupon=HELLO-0&amp;click={claim.click.click_id}"
    assert link.encode() in after.content
    assert after["Cache-Control"] == "no-store"


def test_show_gift_to_a_browser_that_objects_sets_no_cookie_and_knows_it_that_day(client, page_shop):
    posted = open_gift(client, page_shop, "post", sec_gpc="1")
    again = open_gift(client, page_shop, "post", sec_gpc="1")
    shown = open_gift(client, page_shop, sec_gpc="1")

    assert "gw_visitor" not in client.cookies
    assert (posted.status_code, again.status_code) == (302, 200)
    assert b"HELLO-0" in shown.content
    assert Claim.objects.count() == 1


def test_show_gift_of_an_unknown_code_is_404_and_limited(client, shop):
    answers = [client.get("/r/NOBODY/gift/").status_code for _ in range(22)]

    assert answers == [404] * 20 + [429] * 2
    assert client.get(f"/r/{shop.code}/gift/").status_code == 429
    assert not Claim.objects.exists()


def test_show_gift_without_stock_says_so(client, shop):
    make_pool("WELCOME10")

    answer = open_gift(client, shop, "post")

    assert answer.status_code == 409
    assert b"come back a little later" in answer.content
    assert not Claim.objects.exists()


def test_show_gift_of_a_program_without_one_leads_to_the_shop(client, db):
    plain = Shop()
    plain.code = plain.code_of("ann")

    answer = open_gift(client, plain)

    assert (answer.status_code, answer["Location"]) == (302, f"/r/{plain.code}")


@pytest.fixture
def claim_by_api(client):
    def call(key, **body):
        return client.post(
            "/api/v1/claims", body, content_type="application/json", headers={"authorization": f"Bearer {key}"}
        )

    return call


def test_post_claims_with_either_key_gives_a_coupon_and_again_the_same(shop, pool, claim_by_api):
    public, secret = create_api_key(name="p", publishable=True)[1], create_api_key(name="w", scopes=["write"])[1]
    click = visit(shop)

    first = claim_by_api(public, click_id=click.click_id)
    again = claim_by_api(secret, click_id=click.click_id)
    by_code = claim_by_api(public, code=shop.code)
    by_code_again = claim_by_api(public, code=shop.code)
    own = claim_by_api(secret, code=shop.code, visitor="s-1")
    own_again = claim_by_api(secret, code=shop.code, visitor="s-1")

    assert (first.status_code, first.json()["coupon"], first.json()["program"]) == (201, "HELLO-0", "refer-a-friend")
    assert again.json() == first.json()
    assert by_code_again.json() == by_code.json() != first.json()
    assert own_again.json() == own.json() != by_code.json()
    assert Claim.objects.count() == 3


def test_post_claims_refuses_what_names_nothing(shop, pool, claim_by_api):
    secret, reader = create_api_key(name="w", scopes=["write"])[1], create_api_key(name="r", scopes=["read"])[1]

    nothing = claim_by_api(secret)
    unknown = claim_by_api(secret, code="NOBODY")
    strange = claim_by_api(secret, click_id="clk_none")
    reading = claim_by_api(reader, code=shop.code)

    assert [(one.status_code, one.json()["code"]) for one in (nothing, unknown, strange, reading)] == [
        (422, "invalid"),
        (404, "unknown_code"),
        (404, "unknown_code"),
        (403, "insufficient_scope"),
    ]
    assert not Claim.objects.exists()


def test_post_claims_with_a_publishable_key_limits_guesses(shop, pool, claim_by_api):
    public = create_api_key(name="p", publishable=True)[1]

    answers = [claim_by_api(public, code=f"GUESS{number}") for number in range(22)]

    assert [one.status_code for one in answers] == [404] * 21 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert django_settings.API_REQUESTS_PER_MINUTE > 22


def test_erase_customer_forgets_who_claimed_and_keeps_what_was_given(shop, pool):
    from referrals.services.erasing import erase_customer, export_customer

    claim = claimed(shop)
    order(shop, "HELLO-0")
    bob = shop.referral("bob").friend

    told = export_customer(customer=bob)["gifts"]
    erase_customer(customer=bob, by="boss", at=day(9))

    assert told["claimed"] == [{"at": day(0), "program": "refer-a-friend", "coupon": "HELLO-0"}]
    assert [one["kind"] for one in told["given"]] == ["coupon"]
    after = Claim.objects.get()
    assert after.holder.startswith("erased:")
    assert claim.holder != after.holder
    assert Reward.objects.get(moment="claim").detail["coupon"] == "HELLO-0"


def test_settle_claim_that_staff_took_back_stays_taken_back(shop, pool):
    claim = claim_gift(claimant=Claimant(link=shop.link, click=visit(shop)), at=day(0))
    shop.report(shop.signup("bob", day(1), code=shop.code, click_id=Click.objects.get().click_id), at=day(1))
    gift = Reward.objects.get(moment="claim")
    revoke_reward(reward=gift, note="a friend of the house", actor="staff", at=day(2))

    shop.report(shop.purchase("bob", day(3), "1", "59.90"), at=day(3))

    assert list(Reward.objects.filter(moment="claim").values_list("state", flat=True)) == ["revoked"]
    assert Coupon.objects.get(code=claim.coupon).state == "blocked"
