"""Store credit and gift cards through signed calls, against a real server."""

import json
from datetime import timedelta

import pytest
from werkzeug import Request, Response

from core.webhooks import signature_of
from rewards.models import Fulfilment, FulfilmentEndpoint, OutboundCall
from rewards.services import calling
from rewards.services.calling import send_calls_due
from rewards.services.endpoints import call_again, call_to_test, rotate_secret
from rewards.services.fulfilling import retry_fulfilment
from tests.rewards.fulfilment.conftest import states
from tests.shop import day

pytestmark = pytest.mark.django_db


class Shopkeeper:
    """The other side: keeps what it gets and answers as told."""

    def __init__(self, httpserver) -> None:
        self.answers: list[Response] = []
        self.got: list[Request] = []
        httpserver.expect_request("/give").respond_with_handler(self._answer)
        self.url = httpserver.url_for("/give").replace("localhost", "127.0.0.1")

    def _answer(self, request: Request) -> Response:
        request.get_data()
        self.got.append(request)
        return self.answers.pop(0) if self.answers else Response("{}", 200)

    def bodies(self) -> list[dict]:
        return [json.loads(request.get_data()) for request in self.got]


@pytest.fixture
def shopkeeper(httpserver, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    return Shopkeeper(httpserver)


@pytest.fixture
def endpoint(db, shopkeeper):
    return FulfilmentEndpoint.objects.create(kind="credit", url=shopkeeper.url)


@pytest.fixture
def credit(gift_shop, endpoint):
    """A shop with a store credit that has just become available."""
    shop = gift_shop('credit: "10.00"')
    reward = shop.earn()
    shop.release()
    return shop, reward


def test_send_calls_due_asks_the_shop_with_a_signature_and_keeps_the_code(credit, endpoint, shopkeeper):
    _, reward = credit
    asked = states(reward)
    shopkeeper.answers = [Response(json.dumps({"code": "CARD-77", "url": "https://shop.example/c/77", "x": 1}))]

    done = send_calls_due(at=day(14))

    assert (asked, done) == (("available", "asked"), 1)
    assert states(reward) == ("fulfilled", "done")
    assert reward.detail == {
        "amount_minor": 1000,
        "currency": "EUR",
        "code": "CARD-77",
        "url": "https://shop.example/c/77",
    }
    [request] = shopkeeper.got
    assert request.headers["webhook-id"] == f"ful_{reward.public_id}"
    assert request.headers["webhook-signature"] == signature_of(
        endpoint.secret,
        webhook_id=request.headers["webhook-id"],
        timestamp=int(request.headers["webhook-timestamp"]),
        body=request.get_data(),
    )
    [body] = shopkeeper.bodies()
    assert body["type"] == "reward.fulfil"
    assert body["data"] == {
        "reward": reward.public_id,
        "kind": "credit",
        "amount": "10.00",
        "currency": "EUR",
        "customer": "ann",
        "program": "refer-a-friend",
        "rule": "gift",
        "side": "advocate",
    }


def test_send_calls_due_tries_again_with_the_same_id_after_the_wait_asked_for(credit, shopkeeper):
    _, reward = credit
    shopkeeper.answers = [Response("busy", 503, headers={"Retry-After": "600"}), Response("no json")]

    tries = [send_calls_due(at=day(14) + timedelta(seconds=seconds)) for seconds in (0, 599, 600)]

    assert tries == [0, 0, 1]
    assert states(reward) == ("fulfilled", "done")
    assert {request.headers["webhook-id"] for request in shopkeeper.got} == {f"ful_{reward.public_id}"}
    assert len(shopkeeper.got) == 2
    assert OutboundCall.objects.values_list("state", "attempts", "last_error").get() == ("delivered", 2, "")


def test_send_calls_due_gives_up_after_ten_tries_and_staff_can_try_again(credit, shopkeeper):
    _, reward = credit
    shopkeeper.answers = [Response("no", 500) for _ in range(10)]
    at = day(14)
    for _ in range(12):
        send_calls_due(at=at)
        at += timedelta(hours=25)

    given_up = states(reward)
    order = Fulfilment.objects.get()
    retry_fulfilment(order=order, why="the shop is back", actor="boss", at=at)
    again = fulfil_and_send(at)

    assert len(shopkeeper.got) == 11
    assert given_up == ("failed", "failed")
    assert order.note == "the shop could not be asked: answered 500"
    assert again == 1
    assert states(reward) == ("fulfilled", "done")
    assert {request.headers["webhook-id"] for request in shopkeeper.got} == {f"ful_{reward.public_id}"}


def fulfil_and_send(at):
    from rewards.services.fulfilling import fulfil_due

    fulfil_due(at=at)
    return send_calls_due(at=at)


def test_send_calls_due_to_an_address_of_the_inside_is_never_made(credit, endpoint, shopkeeper, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False

    done = send_calls_due(at=day(14))

    assert (done, shopkeeper.got) == (0, [])
    call = OutboundCall.objects.get()
    assert call.state == "due"
    assert call.last_error


def test_send_calls_due_to_an_endpoint_that_is_gone_switches_it_off(credit, endpoint, shopkeeper):
    _, reward = credit
    shopkeeper.answers = [Response("", 410)]

    send_calls_due(at=day(14))

    endpoint.refresh_from_db()
    assert endpoint.enabled is False
    assert states(reward) == ("failed", "failed")


def test_send_calls_due_waits_while_an_endpoint_is_switched_off(credit, endpoint, shopkeeper):
    _, reward = credit
    FulfilmentEndpoint.objects.update(enabled=False)
    off = send_calls_due(at=day(14))
    FulfilmentEndpoint.objects.update(enabled=True)

    on = send_calls_due(at=day(15))

    assert (off, on) == (0, 1)
    assert states(reward) == ("fulfilled", "done")


def test_send_calls_due_leaves_a_failing_endpoint_alone_for_the_round(gift_shop, endpoint, shopkeeper):
    shop = gift_shop('credit: "10.00"')
    for number in range(3):
        shop.earn(f"friend-{number}", str(number))
    shop.release()
    shopkeeper.answers = [Response("no", 500)]

    first, second = send_calls_due(at=day(14)), send_calls_due(at=day(14))

    assert (first, second) == (0, 2)
    assert len(shopkeeper.got) == 3


def test_send_calls_due_of_a_lost_sender_is_made_again_with_the_same_id(credit, shopkeeper, monkeypatch):
    """Whether the first one arrived nobody knows; the shop knows the id."""
    _, reward = credit

    def lost(_call):
        raise SystemExit

    monkeypatch.setattr(calling, "_try", lost)
    with pytest.raises(SystemExit):
        send_calls_due(at=day(14))
    monkeypatch.undo()
    at_work = (send_calls_due(at=day(14)), OutboundCall.objects.get().state)
    OutboundCall.objects.update(lease_until=day(0))

    again = send_calls_due(at=day(14))

    assert (at_work, again) == ((0, "sending"), 1)
    assert [request.headers["webhook-id"] for request in shopkeeper.got] == [f"ful_{reward.public_id}"]


def test_take_back_call_that_was_never_tried_drops_it(credit, shopkeeper):
    shop, reward = credit

    shop.refund_all(at=20)
    send_calls_due(at=day(20))

    assert states(reward) == ("revoked", "stopped")
    assert shopkeeper.got == []
    assert OutboundCall.objects.get().state == "dropped"


def test_take_back_call_that_was_answered_asks_for_the_reversal(credit, shopkeeper):
    shop, reward = credit
    send_calls_due(at=day(14))

    shop.refund_all(at=20)
    done = send_calls_due(at=day(20))

    assert done == 1
    assert states(reward) == ("revoked", "stopped")
    assert [
        (request.headers["webhook-id"], body["type"])
        for request, body in zip(shopkeeper.got, shopkeeper.bodies(), strict=True)
    ] == [
        (f"ful_{reward.public_id}", "reward.fulfil"),
        (f"rev_{reward.public_id}", "reward.reverse"),
    ]
    assert reward.steps.order_by("pk").last().why == "the shop has taken it back"


def test_take_back_call_that_failed_once_drops_it_and_asks_for_the_reversal(credit, shopkeeper):
    """A try without an answer may have been heard."""
    shop, reward = credit
    shopkeeper.answers = [Response("no", 500)]
    send_calls_due(at=day(14))

    shop.refund_all(at=20)
    send_calls_due(at=day(20))

    assert states(reward) == ("revoked", "stopped")
    assert [body["type"] for body in shopkeeper.bodies()] == ["reward.fulfil", "reward.reverse"]


def test_take_back_call_reversal_that_fails_for_good_lands_on_the_work_list(credit, shopkeeper):
    shop, reward = credit
    send_calls_due(at=day(14))
    shop.refund_all(at=20)
    shopkeeper.answers = [Response("no", 500) for _ in range(10)]
    at = day(20)
    for _ in range(10):
        send_calls_due(at=at)
        at += timedelta(hours=25)

    assert states(reward) == ("revoked", "take_back")


def test_fulfil_call_without_an_endpoint_goes_on_the_work_list(gift_shop):
    shop = gift_shop('gift_card: "25.00"')
    reward = shop.earn()

    shop.release()

    assert states(reward) == ("available", "asked")
    assert reward.fulfilment.how == "hand"
    assert not OutboundCall.objects.exists()


def test_rotate_secret_signs_with_both_for_72_hours(endpoint, shopkeeper):
    from django.utils import timezone

    old = endpoint.secret
    now = timezone.now()
    rotate_secret(endpoint=endpoint, at=now)
    call_to_test(endpoint=endpoint, at=now)
    send_calls_due(at=now)
    FulfilmentEndpoint.objects.update(old_until=now)
    call_to_test(endpoint=endpoint, at=now)
    send_calls_due(at=now)

    both, one = (request.headers["webhook-signature"].split() for request in shopkeeper.got)
    endpoint.refresh_from_db()
    assert (len(both), len(one)) == (2, 1)
    assert endpoint.secret != old


def test_call_again_makes_a_given_up_test_due_and_leaves_a_delivered_one(endpoint, shopkeeper):
    dead = call_to_test(endpoint=endpoint, at=day(0))
    OutboundCall.objects.update(state="dead")
    delivered = call_to_test(endpoint=endpoint, at=day(0))
    OutboundCall.objects.filter(pk=delivered.pk).update(state="delivered")

    assert (call_again(call=dead, at=day(1)), call_again(call=delivered, at=day(1))) == (True, False)


def test_send_calls_due_sabotaged_gives_twice(credit, shopkeeper, monkeypatch):
    """Were the id another one at each try, a shop that heard the first would give again at the second."""
    shopkeeper.answers = [Response("no", 500)]
    original = calling.signed_headers

    def forgetful(**given):
        return original(**{**given, "webhook_id": f"{given['webhook_id']}-{len(shopkeeper.got)}"})

    monkeypatch.setattr(calling, "signed_headers", forgetful)
    send_calls_due(at=day(14))
    send_calls_due(at=day(15))

    assert len({request.headers["webhook-id"] for request in shopkeeper.got}) == 2
