"""How fast events are decided: one by one and in batches, on the same machine in the same run."""

import itertools
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from referrals.models import Event
from referrals.services.links import ensure_link
from tests.factories import CustomerFactory, make_program

EVENTS = 100
_numbers = itertools.count(1)


def purchases(code: str) -> list[dict]:
    """Return so many purchases of new friends, each of which qualifies a referral."""
    at = (timezone.now() - timedelta(minutes=1)).isoformat()
    return [
        {
            "event_id": f"order-{number}-paid",
            "type": "purchase",
            "occurred_at": at,
            "customer": {"external_id": f"friend-{number}", "email": f"friend-{number}@shop.example"},
            "referral": {"code": code},
            "order": {"id": str(number), "amount": "59.90", "currency": "EUR"},
        }
        for number in itertools.islice(_numbers, EVENTS)
    ]


def per_second(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return EVENTS / (time.perf_counter() - started)


@pytest.mark.django_db(transaction=True)
def test_batch_decides_events_faster_than_one_by_one():
    code = ensure_link(customer=CustomerFactory(external_id="advocate"), program=make_program()).code
    shop = Client(headers={"Authorization": f"Bearer {create_api_key(name='shop', scopes=['write'])[1]}"})

    def singly() -> None:
        for event in purchases(code):
            assert shop.post("/api/v1/events", event, content_type="application/json").status_code == 201

    def in_a_batch() -> None:
        answer = shop.post("/api/v1/events/batch", purchases(code), content_type="application/json")
        assert {item["status"] for item in answer.json()} == {"accepted"}

    one_by_one = max(per_second(singly) for _ in range(2))
    batched = max(per_second(in_a_batch) for _ in range(2))

    print(f"\none by one {one_by_one:.0f}/s, batch {batched:.0f}/s, ratio {batched / one_by_one:.2f}")
    assert Event.objects.count() == 4 * EVENTS
    assert batched >= one_by_one
