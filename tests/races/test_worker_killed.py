"""The worker dies in the middle, Redis goes away: nothing is lost and nothing happens twice."""

import json
import urllib.request
from collections import Counter
from datetime import timedelta
from functools import wraps

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from core import dispatch
from core.doorbell import ring
from core.models import Delivery
from messaging.models import Message
from referrals.models import Customer, Event, Referral
from referrals.services.links import ensure_link
from rewards.models import Account, Reward
from tests.factories import CustomerFactory, make_program
from tests.races.product import Product, eventually
from tests.servers import Redis

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

EVENTS = 300
POINTS = 500


@pytest.fixture
def advocate() -> Customer:
    return CustomerFactory(external_id="advocate")


@pytest.fixture
def code(advocate) -> str:
    return ensure_link(customer=advocate, program=make_program()).code


@pytest.fixture
def key() -> str:
    return create_api_key(name="shop", scopes=["write"], publishable=False)[1]


@pytest.fixture
def own_redis():
    server = Redis()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def product(tmp_path, request):
    redis_url = request.getfixturevalue("own_redis").url if "own_redis" in request.fixturenames else settings.REDIS_URL
    running = Product(tmp_path, redis_url=redis_url)
    yield running
    running.stop()


def purchase(number: int, code: str) -> dict:
    return {
        "event_id": f"order-{number}-paid",
        "type": "purchase",
        "occurred_at": (timezone.now() - timedelta(minutes=1)).isoformat(),
        "customer": {"external_id": f"friend-{number}", "email": f"friend-{number}@shop.example"},
        "referral": {"code": code},
        "order": {"id": str(number), "amount": "59.90", "currency": "EUR"},
    }


def post(product: Product, key: str, body: dict) -> int:
    """Post the event to the running web server; return the status of the answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{product.port}/api/v1/events",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status


def refuse_to_decide(monkeypatch) -> None:
    """Make every handler of every event fail in this process, as a broken rule would; the worker's are well."""

    def failing(handler):
        @wraps(handler)
        def fail(event):
            raise RuntimeError("the rule is broken")

        return fail

    broken = {kind: [failing(handler) for handler in handlers] for kind, handlers in dispatch._subscriptions().items()}
    monkeypatch.setattr(dispatch, "_subscriptions", lambda: broken)


def messages_open() -> int:
    return Message.objects.filter(state__in=[*Message.OPEN, Message.State.SENDING]).count()


def deliveries_due() -> int:
    return Delivery.objects.filter(state=Delivery.State.DUE).count()


def still_open() -> str:
    """Say what is still to be done, for the message of a test that waits for it."""
    left = [*Delivery.objects.exclude(state="done").values_list("handler", "state", "attempts", "last_error")[:3]]
    return f"{deliveries_due()} deliveries, {messages_open()} messages; {left}"


def assert_everything_happened_once(product: Product, advocate: Customer) -> None:
    assert Event.objects.count() == EVENTS
    assert Counter(Delivery.objects.values_list("state", flat=True)).keys() == {Delivery.State.DONE}
    referrals = Referral.objects.filter(advocate=advocate, state=Referral.State.QUALIFIED)
    assert (referrals.count(), referrals.values("friend").distinct().count()) == (EVENTS, EVENTS)
    rewards = Reward.objects.filter(recipient=advocate)
    assert Counter(rewards.values_list("state", "points")) == {(Reward.State.PENDING, POINTS): EVENTS}
    assert rewards.values("referral").distinct().count() == EVENTS
    pending = Account.objects.get(customer=advocate, kind=Account.Kind.PENDING)
    assert pending.balance == EVENTS * POINTS
    call_command("audit_ledger")
    assert_each_mail_left_once(product)


def assert_each_mail_left_once(product: Product) -> None:
    """Each thank-you was written once; it left once, or is listed as unknown where the kill met its sending."""
    thanks = Counter(Message.objects.filter(kind="purchase_thanks").values_list("recipient_key", flat=True))
    assert (len(thanks), set(thanks.values())) == (EVENTS, {1})
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states.keys() <= {Message.State.SENT, Message.State.UNKNOWN}
    assert states[Message.State.UNKNOWN] <= int(settings.CELERY_WORKER_CONCURRENCY)
    written = [file.read_bytes() for file in product.mails.rglob("*.eml")]
    ids = Counter(line for text in written for line in text.splitlines() if line.lower().startswith(b"message-id:"))
    assert set(ids.values()) == {1}
    assert states[Message.State.SENT] <= len(written) <= sum(states.values())


def test_deliver_due_survives_a_worker_killed_in_the_middle(monkeypatch, caplog, product, advocate, code, key):
    shop = Client(headers={"Authorization": f"Bearer {key}"})
    caplog.set_level("CRITICAL", "core.dispatch")
    with monkeypatch.context() as patch:
        refuse_to_decide(patch)
        events = [purchase(number, code) for number in range(EVENTS)]
        answer = shop.post("/api/v1/events/batch", events, content_type="application/json")
    assert Counter((item["status"], item["settled"]) for item in answer.json()) == {("accepted", False): EVENTS}
    assert Referral.objects.count() == 0
    Delivery.objects.update(due_at=timezone.now())

    worker = product.start_worker()
    ring("core.tasks.deliver_due")
    eventually(lambda: Referral.objects.count() >= EVENTS // 5, within=60, every=0.01)
    product.kill(worker)
    decided = Referral.objects.count()
    product.start_worker()
    ring("core.tasks.deliver_due")
    eventually(lambda: deliveries_due() == 0 and messages_open() == 0, within=120, otherwise=still_open)

    assert EVENTS // 5 <= decided < EVENTS
    assert_everything_happened_once(product, advocate)


def test_record_event_survives_redis_stopped_and_the_worker_killed(product, own_redis, advocate, code, key):
    product.start_web()
    worker = product.start_worker()
    statuses = []
    for number in range(EVENTS):
        if number == EVENTS // 3:
            own_redis.halt()
        if number == EVENTS // 2:
            product.kill(worker)
        statuses.append(post(product, key, purchase(number, code)))
    assert not own_redis.answers()
    own_redis.start()
    product.start_worker()
    eventually(lambda: deliveries_due() == 0 and messages_open() == 0, within=120, otherwise=still_open)

    assert set(statuses) == {201}
    assert_everything_happened_once(product, advocate)
