"""Moving the clock through the API: what is due on the way happens, each thing at its own moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from analytics.services import sandbox as service
from core import clocks
from core.webhooks import signed_headers
from messaging.models import Message
from referrals.models import Event, Referral
from referrals.program_file import parse_program
from referrals.services.programs import apply_program
from referrals.services.sources import create_source
from rewards.models import Lot, PerkEvent, Transfer
from rewards.services.perk_events import publish_event
from surveys.services.surveys import ensure_default_survey
from tests.factories import UserFactory
from tests.messaging.webhooks.receiver import Receiver
from tests.sandbox.conftest import PROGRAM
from tests.shop import assert_books_balance

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def told(answer, *kinds):
    return [(one["kind"], one["what"], one["customer"]) for one in answer.json()["happened"] if one["kind"] in kinds]


def at_of(answer, kind, what):
    found = [one for one in answer.json()["happened"] if (one["kind"], one["what"]) == (kind, what)]
    return [datetime.fromisoformat(one["at"]) for one in found]


def test_a_hold_of_14_days_ends_by_one_call(sandbox, mailoutbox):
    bought, answer = sandbox.buy()
    assert (answer.status_code, sandbox.points()) == (201, (500, 0, 0))

    moved = sandbox.move(advance_days=14)

    assert moved.status_code == 200
    assert moved.json()["failed"] == {}
    assert told(moved, "referral", "reward", "points", "tier") == [
        ("referral", "approved", "bob"),
        ("reward", "released", "ann"),
    ]
    (released,) = [one for one in moved.json()["happened"] if one["what"] == "released"]
    assert (released["program"], released["points"], released["event_id"]) == ("refer-a-friend", 500, "order-1")
    assert released["page"].startswith("http://127.0.0.1:8000/admin/find/ref_")
    assert released["api"].startswith("http://127.0.0.1:8000/api/v1/rewards/rwd_")
    assert told(moved, "mail")[-1] == ("mail", "sent", "ann@shop.example")
    assert len(told(moved, "mail")) == len(mailoutbox)
    assert mailoutbox[-1].to == ['"Ann" <ann@shop.example>']
    assert sandbox.points() == (0, 500, 0)
    assert timedelta(0) <= at_of(moved, "reward", "released")[0] - bought - 14 * DAY <= timedelta(seconds=1)
    assert timedelta(0) < sandbox.now() - bought - 14 * DAY < timedelta(minutes=1)
    assert_books_balance()


def test_what_follows_is_dated_from_what_it_follows(sandbox, mailoutbox):
    bought, _ = sandbox.buy()

    moved = sandbox.move(advance_days=40)

    released, expired = at_of(moved, "reward", "released"), at_of(moved, "points", "expired")
    assert sandbox.points() == (0, 0, 500)
    assert Lot.objects.get().expires_at - Lot.objects.get().available_at == 20 * DAY
    assert timedelta(0) <= released[0] - bought - 14 * DAY <= timedelta(seconds=1)
    assert timedelta(0) <= expired[0] - bought - 34 * DAY <= timedelta(seconds=2)
    assert Transfer.objects.get(kind="expire").event_at == expired[0]
    mails = {one["why"]: datetime.fromisoformat(one["at"]) for one in moved.json()["happened"] if one["kind"] == "mail"}
    (warned,) = [at for why, at in mails.items() if "expire" in why]
    assert timedelta(0) <= warned - bought - 27 * DAY <= timedelta(seconds=2)  # 7 days before


def test_what_follows_is_dated_from_what_it_follows_twin_one_jump(sandbox, monkeypatch):
    """Without the stops on the way everything would be dated at the end, and nothing would expire in time."""
    monkeypatch.setattr(service, "next_due", lambda **_: None)
    monkeypatch.setattr(service, "STRIDE", timedelta(days=400))
    bought, _ = sandbox.buy()

    moved = sandbox.move(advance_days=40)

    assert at_of(moved, "reward", "released")[0] - bought > 39 * DAY
    assert sandbox.points() == (0, 500, 0)


def test_a_day_of_the_sandbox_is_today_for_what_comes_in(sandbox, monkeypatch):
    sandbox.buy("order-1")
    sandbox.move(advance_days=30)

    now, answer = sandbox.buy("order-2")

    assert (answer.status_code, Event.objects.get(event_id="order-2").occurred_at) == (201, now)
    assert now > datetime.now(UTC) + 29 * DAY


def test_a_day_of_the_sandbox_is_today_twin_without_its_clock(sandbox, monkeypatch):
    sandbox.buy("order-1")
    sandbox.move(advance_days=30)
    monkeypatch.setattr(timezone, "now", clocks.real_now)

    _, answer = sandbox.buy("order-2")

    assert (answer.status_code, Event.objects.count()) == (422, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "2026-01-01T00:00:00Z"}, "only_forward"),
        ({"to": "2999-01-01T00:00:00Z"}, "too_far"),
        ({}, "invalid"),
        ({"advance_days": 1, "to": "2999-01-01T00:00:00Z"}, "invalid"),
        ({"advance_days": 0}, "invalid"),
        ({"advance_days": 367}, "invalid"),
        ({"advance_days": 1, "back": True}, "invalid"),
        ({"to": "tomorrow"}, "invalid"),
    ],
)
def test_move_is_refused_and_nothing_happens(sandbox, body, code):
    sandbox.buy()
    lead = sandbox.clock.lead()

    answer = sandbox.call("post", "/sandbox/clock", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (sandbox.clock.lead(), sandbox.clock.moves(), sandbox.points()) == (lead, [], (500, 0, 0))


def test_move_needs_the_right_to_write(sandbox):
    reader = create_api_key(name="reader", scopes=["read"])[1]

    seen = sandbox.call("get", "/sandbox/clock", key=reader)
    moved = sandbox.call("post", "/sandbox/clock", {"advance_days": 1}, key=reader)

    assert (seen.status_code, moved.status_code) == (200, 403)
    assert sandbox.clock.moves() == []


def test_move_while_somebody_moves_is_409(sandbox):
    sandbox.buy()
    with sandbox.clock.moving():
        answer = sandbox.move(advance_days=14)

    assert (answer.status_code, answer.json()["code"]) == (409, "clock_is_moving")
    assert (sandbox.clock.lead(), sandbox.points()) == (timedelta(0), (500, 0, 0))


def test_move_with_the_same_idempotency_key_moves_once(sandbox):
    first, again = (
        sandbox.call("post", "/sandbox/clock", {"advance_days": 1}, **{"Idempotency-Key": "a"}) for _ in range(2)
    )

    assert (first.json(), again["Idempotency-Replayed"]) == (again.json(), "true")
    assert DAY - timedelta(minutes=1) < sandbox.clock.lead() <= DAY


def test_a_failing_kind_is_told_and_the_rest_is_done(sandbox, settings):
    settings.DUE = "tests.sandbox.test_moving.DUE_WITH_A_FAULT"
    sandbox.buy()

    moved = sandbox.move(advance_days=14).json()

    assert moved["failed"] == {"faulty": "ValueError: no"}
    assert sandbox.points() == (0, 500, 0)


def _fail(*, at):
    raise ValueError("no")


def _due():
    from config.due import DUE

    return [("faulty", _fail), *DUE]


DUE_WITH_A_FAULT = _due()


class TestRealTime:
    """What others compare with their own clocks, and what a jump must not end, keeps the real time."""

    def test_a_call_signed_by_the_real_clock_is_genuine(self, sandbox):
        assert self._signed_call(sandbox).status_code == 200

    def test_a_call_signed_by_the_real_clock_twin(self, sandbox, monkeypatch):
        monkeypatch.setattr(clocks, "real_now", timezone.now)

        assert self._signed_call(sandbox).status_code == 401

    def _signed_call(self, sandbox):
        secret = "whsec_" + "c2VjcmV0" * 4
        create_source(kind="hmac", slug="crm", secret=secret)
        sandbox.move(advance_days=3)
        body = b"{}"
        signed = signed_headers(secrets=[secret], webhook_id="w-1", at=datetime.now(UTC), body=body)
        return sandbox.client.post("/in/hmac/crm/", body, content_type="application/json", headers=signed)

    def test_webhooks_go_out_in_a_move_signed_by_the_real_clock(self, sandbox, settings):
        settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
        receiver = Receiver()
        endpoint = sandbox.call("post", "/webhook-endpoints", {"url": receiver.url, "types": ["referral.approved"]})
        assert endpoint.status_code == 201
        sandbox.buy()

        moved = sandbox.move(advance_days=14)
        receiver.close()

        assert told(moved, "webhook") == [("webhook", "referral.approved", "")]
        ((headers, _),) = receiver.calls
        assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60

    @pytest.mark.parametrize("twin", [False, True])
    def test_a_mail_being_sent_is_not_taken_for_lost(self, sandbox, monkeypatch, twin):
        sandbox.buy()
        sandbox.move(advance_days=14)
        Message.objects.update(state="sending", lease_until=datetime.now(UTC) + timedelta(minutes=5))
        if twin:
            monkeypatch.setattr(clocks, "real_now", timezone.now)

        sandbox.move(advance_days=1)

        assert set(Message.objects.values_list("state", flat=True)) == ({"unknown"} if twin else {"sending"})


def test_referrals_expire_by_the_clock(sandbox):
    sandbox.call("put", "/customers/ann", {"email": "ann@shop.example"})
    code = sandbox.call("get", "/customers/ann").json()["programs"][0]["code"]
    fact = {"event_id": "s-1", "type": "signup", "occurred_at": sandbox.now().isoformat()}
    sandbox.call("post", "/events", fact | {"customer": {"external_id": "bob"}, "referral": {"code": code}})

    moved = sandbox.move(advance_days=11)

    assert told(moved, "referral") == [("referral", "expired", "bob")]
    assert Referral.objects.get().state == "expired"


TIERS = (
    PROGRAM
    + """
tiers:
  window_days: 12
  levels: [{name: Bronze, from: 0}, {name: Silver, from: 1, vip: true}]
"""
)


def test_tiers_and_invitations_are_told_too(sandbox):
    apply_program(document=parse_program(TIERS), at=timezone.now())
    survey = ensure_default_survey()
    bought, _ = sandbox.buy()
    sandbox.move(advance_days=1)
    starts_at = bought + 10 * DAY
    event = PerkEvent.objects.create(
        title="Tasting",
        starts_at=starts_at,
        ends_at=starts_at + DAY / 8,
        opens_at=bought + 5 * DAY,
        closes_at=bought + 9 * DAY,
        places=2,
        for_vips=True,
    )
    publish_event(event=event)
    invited = sandbox.call("post", f"/surveys/{survey.slug}/invitations", {"customer": "ann"})
    assert invited.status_code == 201

    moved = sandbox.move(advance_days=31)

    assert told(moved, "tier", "invitation") == [
        ("invitation", "sent", "ann"),
        ("invitation", "invited", "ann"),
        ("tier", "lost", "ann"),
        ("invitation", "expired", "ann"),
    ]
    assert timedelta(0) <= at_of(moved, "invitation", "invited")[0] - bought - 5 * DAY <= timedelta(seconds=2)
    assert timedelta(0) <= at_of(moved, "tier", "lost")[0] - bought - 12 * DAY <= timedelta(seconds=2)
    pages = {one["page"].removeprefix("http://127.0.0.1:8000") for one in moved.json()["happened"]}
    staff = Client()
    staff.force_login(UserFactory(password="!", is_staff=True, is_superuser=True))
    explained = {page for page in pages if not page.startswith("/mails/")}
    assert {page: staff.get(page).status_code for page in explained} == dict.fromkeys(explained, 200)
