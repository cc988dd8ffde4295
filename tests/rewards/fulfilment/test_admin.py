"""Staff at work: pools, codes, choices, endpoints, the work list, payouts."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from rewards.models import (
    ChoiceGroup,
    Coupon,
    CouponPool,
    Fulfilment,
    FulfilmentEndpoint,
    OutboundCall,
    PayoutBatch,
    PayoutItem,
)
from tests.factories import UserFactory
from tests.rewards.fulfilment.conftest import GiftShop, make_pool, states
from tests.shop import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    """Return a function that signs somebody in with just these permissions."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def act(client, model, action, rows, **answers):
    return client.post(
        f"/admin/rewards/{model}/", {"action": action, "_selected_action": [row.pk for row in rows], **answers}
    )


POOL = {"name": "THANKS10", "gives": "10 % off", "source": "uploaded", "pattern": "", "valid_days": "30"}


def test_add_pool_keeps_it_and_wakes_what_waited(admin_client):
    shop = GiftShop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()
    waiting = admin_client.get("/admin/rewards/couponpool/")

    answer = admin_client.post("/admin/rewards/couponpool/add/", POOL | {"alert_days": "21"})

    assert "Refer a friend: names the pool THANKS10, which does not exist. Rewards wait." in waiting.content.decode()
    assert answer.status_code == 302
    assert CouponPool.objects.values_list("name", "valid_days", "source").get() == ("THANKS10", 30, "uploaded")
    assert "which does not exist" not in admin_client.get("/admin/rewards/couponpool/").content.decode()
    assert states(reward) == ("waiting_stock", "due")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "with space"},
        {"source": "pattern", "pattern": "A-##"},
        {"source": "pattern", "pattern": ""},
        {"pattern": "TY-########"},
        {"valid_days": "0"},
        {"valid_days": "99999999"},
    ],
)
def test_add_pool_that_cannot_work_is_refused(admin_client, changes):
    answer = admin_client.post("/admin/rewards/couponpool/add/", POOL | {"alert_days": "21"} | changes)

    assert answer.status_code == 200
    assert not CouponPool.objects.exists()


def upload(client, pool, text, **more):
    return client.post(
        f"/admin/rewards/couponpool/{pool.pk}/codes/",
        {"file": SimpleUploadedFile("codes.csv", text.encode() if isinstance(text, str) else text), **more},
        follow=True,
    )


def test_add_codes_from_a_file_with_wrong_rows_adds_nothing_until_they_are_left_out(admin_client):
    make_pool("OTHER", codes=["KNOWN-1"])
    pool = make_pool()
    text = "code\nAAA-1\nB C D E\nKNOWN-1\nAAA-1\n"

    refused = upload(admin_client, pool, text)
    nothing = pool.coupons.count()
    added = upload(admin_client, pool, text, skip="on")

    words = refused.content.decode()
    assert "Nothing was added: 3 rows are wrong, 2 are fine." in words
    assert "line 3: B C D E: expected 3 to 40 letters" in words
    assert "line 5: AAA-1: stands in this file twice" in words
    assert "KNOWN-1: is in a pool already" in words
    assert nothing == 0
    assert list(pool.coupons.values_list("code", flat=True)) == ["AAA-1"]
    assert "1 codes added, 3 rows left out." in added.content.decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        ("", "empty"),
        ("code\n", "no code in this"),
        ("A" * 5_000_001, "larger than 5 MB"),
    ],
)
def test_add_codes_from_what_is_no_list_says_so(admin_client, text, told):
    pool = make_pool()

    answer = upload(admin_client, pool, text)

    assert told in answer.content.decode()
    assert not Coupon.objects.exists()


def test_add_codes_typed_in_needs_the_permission(staff):
    pool = make_pool()
    address = f"/admin/rewards/couponpool/{pool.pk}/codes/"
    looking = staff("view_couponpool").post(address, {"text": "AAA-1"})
    nothing = Coupon.objects.count()

    working = staff("view_couponpool", "change_couponpool").post(address, {"text": "AAA-1\nBBB-2"})

    assert (looking.status_code, nothing) == (403, 0)
    assert working.status_code == 302
    assert Coupon.objects.count() == 2


def test_blocked_action_answers_the_codes_to_switch_off(admin_client):
    pool = make_pool(codes=["AAA-1", "BBB-2"])
    Coupon.objects.filter(code="BBB-2").update(state="blocked")

    answer = act(admin_client, "couponpool", "blocked_action", [pool])

    assert answer.content.decode().splitlines() == ["pool,code", "THANKS10,BBB-2"]


def test_release_action_undoes_a_use(admin_client):
    make_pool(codes=["AAA-1"])
    coupon = Coupon.objects.get()
    Coupon.objects.update(state="used", order_id="9")

    act(admin_client, "coupon", "release_action", [coupon], reason="cancelled in the shop")

    coupon.refresh_from_db()
    assert (coupon.state, coupon.order_id) == ("given", "")


def group_form(**option):
    blank = {
        "name": "An option",
        "kind": "points",
        "what": "",
        "points": "0",
        "amount": "",
        "currency": "",
        "place": "0",
    }
    rows = {f"options-0-{key}": value for key, value in (blank | {"offered": "on"} | option).items()}
    counts = {"options-TOTAL_FORMS": "1", "options-INITIAL_FORMS": "0", "options-MIN_NUM_FORMS": "0"}
    return {"name": "thank-you", "title": "Choose", **counts, "options-MAX_NUM_FORMS": "100", **rows}


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        ({"points": "300"}, ("points", "", 300, None, "")),
        ({"kind": "coupon", "what": "THANKS10"}, ("coupon", "THANKS10", 0, None, "")),
        ({"kind": "credit", "amount": "5.00", "currency": "eur"}, ("credit", "", 0, 500, "EUR")),
    ],
)
def test_add_choice_keeps_its_options(admin_client, option, kept):
    answer = admin_client.post("/admin/rewards/choicegroup/add/", group_form(**option))

    assert answer.status_code == 302
    found = ChoiceGroup.objects.get().options.values_list("kind", "what", "points", "amount_minor", "currency")
    assert found.get() == kept


@pytest.mark.parametrize(
    "option",
    [
        {},
        {"kind": "coupon"},
        {"kind": "manual", "what": "A tree", "points": "5"},
        {"kind": "credit", "amount": "five", "currency": "EUR"},
        {"kind": "cash", "amount": "0", "currency": "EUR"},
        {"kind": "perk", "what": "x", "amount": "5.00"},
        {"kind": "choice", "what": "thank-you"},
    ],
)
def test_add_choice_with_an_option_that_cannot_be_given_is_refused(admin_client, option):
    answer = admin_client.post("/admin/rewards/choicegroup/add/", group_form(**option))

    assert answer.status_code == 200
    assert not ChoiceGroup.objects.exists()


def test_endpoint_shows_its_secret_to_those_who_may_change_it_alone(staff):
    endpoint = FulfilmentEndpoint.objects.create(kind="credit", url="https://shop.example/give")
    page = f"/admin/rewards/fulfilmentendpoint/{endpoint.pk}/change/"

    looking = staff("view_fulfilmentendpoint").get(page)
    changing = staff("view_fulfilmentendpoint", "change_fulfilmentendpoint").get(page)

    assert (looking.status_code, changing.status_code) == (200, 200)
    assert endpoint.secret not in looking.content.decode()
    assert endpoint.secret in changing.content.decode().replace("&#x2B;", "+")


def test_endpoint_actions_test_and_rotate(admin_client):
    endpoint = FulfilmentEndpoint.objects.create(kind="credit", url="https://shop.example/give")

    act(admin_client, "fulfilmentendpoint", "test_action", [endpoint])
    act(admin_client, "fulfilmentendpoint", "rotate_action", [endpoint])

    assert OutboundCall.objects.values_list("type", "state").get() == ("endpoint.test", "due")
    rotated = FulfilmentEndpoint.objects.get()
    assert rotated.secret != endpoint.secret == rotated.old_secret


@pytest.mark.parametrize("url", ["ftp://shop.example/", "https://user@shop.example/", "https://shop.example:22/", "x"])
def test_add_endpoint_that_may_not_be_called_is_refused(admin_client, url):
    answer = admin_client.post(
        "/admin/rewards/fulfilmentendpoint/add/", {"kind": "credit", "url": url, "enabled": "on"}
    )

    assert answer.status_code == 200
    assert not FulfilmentEndpoint.objects.exists()


@pytest.fixture
def tree(db):
    shop = GiftShop("manual: Plant a tree")
    reward = shop.earn()
    shop.release()
    return reward


def test_work_list_shows_what_is_to_do_and_takes_a_note(admin_client, tree):
    order = Fulfilment.objects.get()
    listed = admin_client.get("/admin/rewards/fulfilment/").content.decode()

    asked = act(admin_client, "fulfilment", "done_action", [order])
    before = states(tree)
    act(admin_client, "fulfilment", "done_action", [order], reason="an oak")

    assert "manual Plant a tree" in listed
    assert "Why?" in asked.content.decode()
    assert before == ("available", "asked")
    assert states(tree) == ("fulfilled", "done")
    assert "manual Plant a tree" not in admin_client.get("/admin/rewards/fulfilment/").content.decode()
    assert "manual Plant a tree" in admin_client.get("/admin/rewards/fulfilment/?show=done").content.decode()


def test_work_list_cannot_and_again(admin_client, tree):
    order = Fulfilment.objects.get()

    act(admin_client, "fulfilment", "cannot_action", [order], reason="no ground")
    failed = states(tree)
    act(admin_client, "fulfilment", "again_action", [order], reason="ground bought")

    assert failed == ("failed", "failed")
    assert states(tree) == ("available", "due")


def test_work_list_is_refused_without_the_permission(staff, tree):
    act(staff("view_fulfilment"), "fulfilment", "done_action", [Fulfilment.objects.get()], reason="an oak")

    assert states(tree) == ("available", "asked")


@pytest.fixture
def cash(db):
    shop = GiftShop('cash: "10.00"')
    shop.code_of("ann", name="=cmd()", email="ann@shop.example")
    rewards = [shop.earn("bob", "1"), shop.earn("cleo", "2")]
    shop.release()
    return rewards


PAYOUT = ("view_payoutbatch", "add_payoutbatch", "change_payoutbatch", "view_payoutitem", "change_payoutitem")


def test_payout_from_collecting_to_paid_takes_two_people(staff, cash):
    one = staff(*PAYOUT)
    one.post("/admin/rewards/payoutbatch/add/", {"currency": "eur", "minimum": "20.00"})
    batch = PayoutBatch.objects.get()
    early = act(one, "payoutbatch", "csv_action", [batch])
    act(one, "payoutbatch", "approve_action", [batch], reason="fine")
    own = PayoutBatch.objects.get().state
    two = staff(*PAYOUT)
    act(two, "payoutbatch", "approve_action", [batch], reason="fine")
    file = act(two, "payoutbatch", "csv_action", [batch])
    first, second = PayoutItem.objects.order_by("fulfilment__reward")
    act(two, "payoutitem", "paid_action", [first], reason="transfer 77")
    act(two, "payoutitem", "failed_action", [second], reason="no account")

    assert early.status_code == 302
    assert own == "draft"
    rows = file.content.decode().splitlines()
    assert rows[0] == "batch,item,reward,external_id,name,email,amount,currency"
    told = f"{batch.public_id},{first.public_id},{cash[0].public_id},ann,'=cmd(),ann@shop.example,10.00,EUR"
    assert told in rows
    assert [states(reward) for reward in cash] == [("fulfilled", "done"), ("failed", "failed")]
    batch.refresh_from_db()
    assert batch.state == "closed"
    assert two.get(f"/admin/rewards/payoutbatch/{batch.pk}/change/").status_code == 200


def test_add_payout_without_anything_to_pay_says_so(admin_client, cash):
    answer = admin_client.post("/admin/rewards/payoutbatch/add/", {"currency": "EUR", "minimum": "20.01"}, follow=True)

    assert "nobody has 20.01 EUR or more waiting" in answer.content.decode()
    assert not PayoutBatch.objects.exists()


@pytest.mark.parametrize("given", [{"currency": "XXZ", "minimum": "1"}, {"currency": "EUR", "minimum": "1.001"}])
def test_add_payout_of_what_is_no_money_is_refused(admin_client, cash, given):
    answer = admin_client.post("/admin/rewards/payoutbatch/add/", given)

    assert answer.status_code == 200
    assert not PayoutBatch.objects.exists()


def test_discard_and_send_actions_say_what_they_cannot(admin_client, cash):
    admin_client.post("/admin/rewards/payoutbatch/add/", {"currency": "EUR", "minimum": "0"})
    batch = PayoutBatch.objects.get()

    act(admin_client, "payoutbatch", "call_action", [batch], reason="now")
    kept = PayoutBatch.objects.get().state
    act(admin_client, "payoutbatch", "discard_action", [batch], reason="wrong month")

    assert kept == "draft"
    assert PayoutBatch.objects.get().state == "discarded"


@pytest.mark.parametrize(
    "model",
    [
        "couponpool",
        "coupon",
        "choicegroup",
        "fulfilment",
        "fulfilmentendpoint",
        "outboundcall",
        "payoutbatch",
        "payoutitem",
    ],
)
def test_every_list_and_row_opens_and_can_be_searched(admin_client, cash, model):
    make_pool(codes=["AAA-1"])
    ChoiceGroup.objects.create(name="thank-you", title="Choose")
    FulfilmentEndpoint.objects.create(kind="cash", url="https://shop.example/pay")
    admin_client.post("/admin/rewards/payoutbatch/add/", {"currency": "EUR", "minimum": "0"})
    OutboundCall.objects.create(
        endpoint=FulfilmentEndpoint.objects.get(), type="endpoint.test", payload={}, due_at=day(1)
    )
    rows = {
        "couponpool": CouponPool,
        "coupon": Coupon,
        "choicegroup": ChoiceGroup,
        "fulfilment": Fulfilment,
        "fulfilmentendpoint": FulfilmentEndpoint,
        "outboundcall": OutboundCall,
        "payoutbatch": PayoutBatch,
        "payoutitem": PayoutItem,
    }
    row = rows[model].objects.first()

    assert admin_client.get(f"/admin/rewards/{model}/?q=ann").status_code in (200, 302)
    assert admin_client.get(f"/admin/rewards/{model}/").status_code == 200
    assert admin_client.get(f"/admin/rewards/{model}/{row.pk}/change/").status_code == 200
