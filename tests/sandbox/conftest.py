"""A sandbox inside the test's process: its settings, its clock, its keys."""

import json
from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from config.sandbox import overrides
from core.sandbox import Clock
from referrals.program_file import parse_program
from referrals.services.programs import apply_program

PROGRAM = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase}
hold_days: 14
conversion_window_days: 10
expires_days: 20
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
"""


class Sandbox:
    """A developer with the test key: reports facts, moves the clock, looks."""

    def __init__(self, clock):
        self.clock = clock
        self.client = Client()
        self.key = create_api_key(name="developer")[1]

    def call(self, method, path, body=None, *, key=None, **headers):
        headers = {"Authorization": f"Bearer {key or self.key}"} | headers
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1{path}", headers=headers, **data)

    def move(self, **how):
        return self.call("post", "/sandbox/clock", how)

    def now(self):
        return datetime.fromisoformat(self.call("get", "/sandbox/clock").json()["now"])

    def buy(self, order="order-1"):
        """Have Bob buy by Ann's code at this moment of the sandbox; return the moment and the answer."""
        ann = {"email": "ann@shop.example", "name": "Ann"}
        code = self.call("put", "/customers/ann", ann).json()["programs"][0]["code"]
        now = self.now()
        fact = {
            "event_id": order,
            "type": "purchase",
            "occurred_at": now.isoformat(),
            "customer": {"external_id": "bob", "email": "bob@shop.example"},
            "referral": {"code": code},
            "order": {"id": order, "amount": "59.90", "currency": "EUR"},
        }
        return now, self.call("post", "/events", fact)

    def points(self, who="ann"):
        points = self.call("get", f"/customers/{who}").json()["points"]
        return points["pending"], points["available"], points["expired"]


@pytest.fixture
def sandbox(db, settings, monkeypatch, tmp_path):
    settings.SANDBOX = True
    settings.SANDBOX_CLOCK = Clock(tmp_path / "clock.json")
    for name, value in overrides(settings.MIDDLEWARE).items():
        setattr(settings, name, value)
    monkeypatch.setattr(timezone, "now", settings.SANDBOX_CLOCK.now)
    apply_program(document=parse_program(PROGRAM), at=timezone.now())
    return Sandbox(settings.SANDBOX_CLOCK)
