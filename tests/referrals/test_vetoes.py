"""The shop's veto: a signed question before anything is paid, and what its answers do."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from werkzeug import Response

from messaging.models import Message
from referrals.apps import check_veto
from referrals.models import Referral, VetoCall
from referrals.services import vetoes
from referrals.services.lifecycle import approve_due, void_referral, weigh_due
from referrals.services.review import approve_referral
from referrals.services.vetoes import ask_due, ask_now
from tests.factories import UserFactory
from tests.scenes import moment
from tests.shop import PROGRAM, Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db
KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PLAIN = PROGRAM.replace("  - {id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}\n", "")


@pytest.fixture
def till(httpserver, settings):
    """The shop's end of the line: `till.answers` is what it says next, `till.asked` what it was asked."""
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    settings.VETO_URL = httpserver.url_for("/veto")
    settings.VETO_SECRET = SECRET
    httpserver.asked, httpserver.answer = [], Response("{}", 200)

    def answer(request):
        httpserver.asked.append((request.headers, request.get_data()))
        return httpserver.answer

    httpserver.expect_request("/veto", method="POST").respond_with_handler(answer)
    return httpserver


@pytest.fixture
def shop(till):
    return Shop(PLAIN)


def bring(shop, who="bob", buys=1.0, **more):
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.signup(who, day(0), email=f"{who}@web.de", code=code, **more), at=day(0))
    shop.report(shop.purchase(who, day(buys), f"order-{who}", "59.90"), at=day(buys))


def work(at):
    with moment(at):
        weigh_due(at=at)
        ask_due(at=at)
        approve_due(at=at)


def standing(who="bob"):
    referral = Referral.objects.get(friend__external_id=who)
    return referral.state, referral.held, referral.held_for


def test_qualify_waits_for_the_shop_and_is_not_asked_before_it_matters(shop, till):
    bring(shop)

    work(day(14))

    assert standing() == ("qualified", True, "veto")
    assert till.asked == []
    call = VetoCall.objects.get()
    assert (call.stage, call.state, call.due_at) == ("qualified", "waiting", day(15))


def test_ask_due_signs_the_question_as_standard_webhooks_do(shop, till):
    bring(shop)

    work(day(15))

    [(headers, body)] = till.asked
    call = VetoCall.objects.get()
    signed = f"{call.call_id}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == call.call_id
    assert headers["webhook-timestamp"] == str(int(day(15).timestamp()))
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(body)
    assert told["type"] == "referral.release_requested"
    assert (told["data"]["advocate"], told["data"]["friend"], told["data"]["order"]) == ("ann", "bob", "order-bob")
    assert "@" not in body.decode()


def test_answer_200_lets_go_and_approves(shop):
    bring(shop)

    work(day(15))

    assert standing() == ("approved", False, "")
    assert VetoCall.objects.get().state == "paid"
    shop.pass_time(day(15))
    assert shop.points("ann") == (502, 0, 0)
    assert_books_balance()


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_answer_4xx_with_a_reason_voids_with_it(status, shop, till):
    till.answer = Response(json.dumps({"reason": "charged back"}), status)
    bring(shop)

    work(day(15))

    referral = Referral.objects.get()
    assert (referral.state, referral.reason, referral.held) == ("voided", "manual", False)
    step = referral.steps.last()
    assert (step.what, step.why, step.actor) == ("voided", "charged back", "the shop")
    assert shop.points("ann") == (0, 0, 0)
    assert_books_balance()


@pytest.mark.parametrize(
    "answer",
    [
        Response("down", 503),
        Response("not found", 404),
        Response('{"reason": ""}', 422),
        Response('{"reason": 7}', 422),
        Response('["reason"]', 400),
        Response("", 302, {"Location": "/veto"}),
        Response("{}", 202),
    ],
    ids=["503", "404", "empty", "number", "list", "redirect", "202"],
)
def test_answer_that_is_none_keeps_it_held_and_asks_again_later(answer, shop, till):
    till.answer = answer
    bring(shop)

    work(day(15))
    work(day(15))

    call = VetoCall.objects.get()
    assert standing() == ("qualified", True, "veto")
    assert (call.state, call.attempts, len(till.asked)) == ("waiting", 1, 1)
    assert call.due_at > day(15)
    assert str(answer.status_code) in call.last_error


def test_ask_due_without_anybody_there_keeps_it_held(shop, settings):
    settings.VETO_URL = "http://127.0.0.1:9/veto"
    bring(shop)

    work(day(15))

    assert standing() == ("qualified", True, "veto")
    assert "Unreachable" in VetoCall.objects.get().last_error


def test_ask_due_without_anybody_there_does_not_wait_for_each(shop, settings):
    settings.VETO_URL = "http://127.0.0.1:9/veto"
    bring(shop)
    bring(shop, "carl")

    work(day(15))

    assert sorted(VetoCall.objects.values_list("attempts", flat=True)) == [0, 1]


def test_ask_due_at_an_address_inside_is_not_called(shop, settings, till):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False
    bring(shop)

    work(day(15))

    assert till.asked == []
    assert standing() == ("qualified", True, "veto")


def test_wait_between_questions_grows_and_the_id_stays(shop, till):
    till.answer = Response("", 503)
    bring(shop)
    waits = []
    at = day(15)
    for _ in range(4):
        work(at)
        due_at = VetoCall.objects.get().due_at
        waits.append(due_at - at)
        at = due_at

    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert len({headers["webhook-id"] for headers, _ in till.asked}) == 1


def test_silence_of_72_hours_is_told_to_staff_once_a_day(shop, till):
    till.answer = Response("", 503)
    eva = UserFactory(email="eva@shop.example", is_staff=True, is_superuser=True)
    UserFactory(email="analyst@shop.example", is_staff=True)
    bring(shop)
    bring(shop, "carl")

    work(day(15))
    work(day(18) - timedelta(seconds=1))
    before = Message.objects.filter(kind="staff_alert").count()
    work(day(18))
    work(day(18) + timedelta(hours=1))

    assert before == 0
    mail = Message.objects.get(kind="staff_alert")
    assert (mail.recipient_key, mail.email) == (f"user:{eva.pk}", "eva@shop.example")
    assert mail.context["details"] == "2 referrals wait for its answer. The last try ended with: the shop answered 503."
    assert standing() == ("qualified", True, "veto")


def test_answer_of_a_sender_who_lost_its_lease_counts_no_more(shop, till):
    bring(shop)
    call = vetoes._claim(VetoCall.objects.get().pk, at=day(15))
    VetoCall.objects.update(state="refused", claimed_by="another")

    assert vetoes._answer(call, state="paid", at=day(15)) is False

    assert VetoCall.objects.get().state == "refused"
    assert standing() == ("qualified", True, "veto")


def test_question_whose_sender_died_is_asked_again(shop, till):
    bring(shop)
    vetoes._claim(VetoCall.objects.get().pk, at=day(15))
    VetoCall.objects.update(lease_until=day(0))

    work(day(16))

    assert len(till.asked) == 1
    assert standing() == ("approved", False, "")


def test_claim_of_a_question_is_one_senders_alone(shop):
    bring(shop)
    pk = VetoCall.objects.get().pk

    assert vetoes._claim(pk, at=day(15)) is not None
    assert vetoes._claim(pk, at=day(15)) is None


def test_sign_up_rewards_wait_for_their_own_question(till):
    shop = Shop(PROGRAM)
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.signup("bob", day(0), email="bob@web.de", code=code), at=day(0))
    assert standing() == ("signed_up", True, "veto")

    work(day(0))
    after_first = standing()
    shop.report(shop.purchase("bob", day(1), "order-bob", "59.90"), at=day(1))

    assert after_first == ("signed_up", False, "")
    assert standing() == ("qualified", True, "veto")
    assert list(VetoCall.objects.order_by("pk").values_list("stage", "state")) == [
        ("signup", "paid"),
        ("qualified", "waiting"),
    ]


def test_approval_by_staff_still_waits_for_the_shop(till):
    shop = Shop(PLAIN + "risk: {review_at: 50}\n")
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.purchase("bob", day(1), "order-bob", "59.90", email="x@yopmail.com", code=code), at=day(1))
    referral = Referral.objects.get()
    assert standing() == ("flagged", True, "risk")

    with moment(day(2)):
        approve_referral(referral=referral, note="ok", actor="eva", at=day(2))

    assert standing() == ("qualified", True, "veto")
    work(day(15))
    assert standing() == ("approved", False, "")


def test_shops_yes_does_not_let_go_what_the_score_holds(till):
    shop = Shop(PLAIN + "risk: {review_at: 50}\n")
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.purchase("bob", day(1), "order-bob", "59.90", email="x@yopmail.com", code=code), at=day(1))

    work(day(15))

    assert VetoCall.objects.get().state == "paid"
    assert standing() == ("flagged", True, "risk")


def test_question_about_what_is_void_is_dropped_unasked(shop, till):
    bring(shop)
    void_referral(referral=Referral.objects.get(), reason="manual", note="x", actor="eva", at=day(2))

    work(day(15))

    assert till.asked == []
    assert VetoCall.objects.get().state == "dropped"


def test_address_taken_away_drops_open_questions_and_lets_go(shop, till, settings):
    bring(shop)
    settings.VETO_URL = ""

    work(day(15))

    assert VetoCall.objects.get().state == "dropped"
    assert standing() == ("approved", False, "")
    assert till.asked == []


def test_no_address_asks_and_holds_nothing(shop, settings):
    settings.VETO_URL = ""

    bring(shop)

    assert VetoCall.objects.count() == 0
    assert standing() == ("qualified", False, "")


def test_ask_now_makes_an_open_question_due(shop, till):
    till.answer = Response("", 503)
    bring(shop)
    work(day(15))
    call = VetoCall.objects.get()

    assert ask_now(calls=[call.pk], at=day(15)) == 1
    till.answer = Response("", 200)
    work(day(15))

    assert standing() == ("approved", False, "")


@pytest.mark.parametrize(
    ("url", "secret", "errors"),
    [
        ("", "", []),
        ("https://shop.example/veto", SECRET, []),
        ("https://shop.example/veto", "", ["referrals.E001"]),
        ("https://shop.example/veto", "hunter2", ["referrals.E001"]),
    ],
)
def test_check_veto_wants_a_secret_to_sign_with(url, secret, errors, settings):
    settings.VETO_URL, settings.VETO_SECRET = url, secret

    assert [error.id for error in check_veto(None)] == errors
