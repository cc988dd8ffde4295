"""The demo company: the same for the same seed, all of it or nothing, and its books hold."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import User
from analytics.demo import making, sign_ins
from analytics.demo.cast import ANN, PAIR, SIZE
from analytics.demo.making import make_demo
from analytics.demo.plan import DAYS, FEWEST, plan_story
from analytics.demo.story import Answered, Joined, Reported
from analytics.models import DailyValue, DirtyBucket
from core.models import Delivery
from messaging.models import Message
from referrals.models import Click, Customer, Event, Link, Program, Referral, ReferralStep
from rewards.models import Entry, EventInvitation, Reward, Transfer
from rewards.queries.balances import points_of
from rewards.services.audit import audit_ledger
from surveys.models import Invitation, Response
from tests.factories import CustomerFactory
from tests.shop import assert_books_balance

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
END = NOON.replace(hour=0)


@pytest.fixture(autouse=True)
def _sign_ins_go_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(sign_ins, "FILE", tmp_path / "sign_ins.txt")


@pytest.fixture(scope="class")
def company(django_db_setup, django_db_blocker, tmp_path_factory):
    """One small company for all tests that only look at it."""
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sign_ins, "FILE", tmp_path_factory.mktemp("demo") / "sign_ins.txt")
        with time_machine.travel(NOON, tick=False):
            seed()
        yield
        transaction.set_rollback(True)


def seed(*, customers=FEWEST, seed=1, at=NOON):
    return make_demo(customers=customers, seed=seed, at=at, on_progress=lambda done, total: None)


def facts():
    """Return what is the same for the same seed: all but codes, ids and passwords, which are drawn anew."""
    return {
        "customers": list(Customer.objects.order_by("pk").values_list("external_id", "email", "name", "locale")),
        "events": list(
            Event.objects.order_by("pk").values_list("event_id", "type", "occurred_at", "amount_minor", "warnings")
        ),
        "clicks": list(Click.objects.order_by("pk").values_list("at", "channel", "device", "verdict")),
        "referrals": list(
            Referral.objects.order_by("pk").values_list(
                "advocate__external_id", "friend__external_id", "state", "reason", "approved_at"
            )
        ),
        "rewards": list(Reward.objects.order_by("pk").values_list("recipient__external_id", "rule", "points", "state")),
        "transfers": list(Transfer.objects.order_by("pk").values_list("kind", "amount", "event_at")),
        "answers": list(Response.objects.order_by("pk").values_list("score", "comment", "at")),
        "numbers": sorted(DailyValue.objects.values_list("series", "day", "program", "group_value", "value")),
    }


def test_plan_story_is_the_same_for_the_same_seed():
    first, again, other = (plan_story(customers=200, seed=seed, end=END) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_plan_story_fits_its_eighteen_months_and_its_size():
    story = plan_story(customers=400, seed=1, end=END)

    assert len({one.person.external_id for one in story if isinstance(one, Joined)}) == 400
    assert len({one.person.email for one in story if isinstance(one, Joined)}) == 400
    assert all(END - timedelta(days=DAYS + 60) < one.at < END for one in story)
    assert END - story[-1].at < timedelta(days=1)
    assert all(
        one.person.email.rpartition(".")[2] in ("com", "org", "net") and "@example." in one.person.email
        for one in story
        if isinstance(one, Joined)
    )


def test_plan_story_is_believable():
    story = plan_story(customers=2000, seed=1, end=END)
    scores = [one.score for one in story if isinstance(one, Answered)]
    amounts = [one.amount_minor for one in story if isinstance(one, Reported) and one.type == "purchase"]
    refunds = [one for one in story if isinstance(one, Reported) and one.type == "refund"]

    assert 30 <= 100 * (sum(s >= 9 for s in scores) - sum(s <= 6 for s in scores)) / len(scores) <= 55
    assert 4000 < sum(amounts) / len(amounts) < 8000
    assert 1.3 < len(amounts) / 2000 < 2.5
    assert 0.03 < len(refunds) / len(amounts) < 0.09


@pytest.mark.django_db
@pytest.mark.usefixtures("company")
class TestCompany:
    def test_has_every_state_a_referral_can_have(self):
        states = set(Referral.objects.values_list("state", flat=True))
        reasons = set(Referral.objects.values_list("reason", flat=True))

        assert states == {"signed_up", "qualified", "flagged", "approved", "reversed", "voided", "expired"}
        assert {"self_referral", "existing_customer", "manual"} <= reasons

    def test_keeps_its_books(self):
        assert_books_balance()
        assert audit_ledger().findings == ()

    def test_dates_what_it_decides_by_the_day_it_happened(self):
        latest = [
            (ReferralStep, "at"),
            (Transfer, "event_at"),
            (Transfer, "created_at"),
            (Reward, "created_at"),
            (Referral, "created_at"),
            (Customer, "created_at"),
            (Event, "received_at"),
            (Message, "created_at"),
        ]

        assert [
            (model.__name__, name)
            for model, name in latest
            if model.objects.order_by(f"-{name}")[0].__dict__[name] >= NOON
        ] == []
        for referral in Referral.objects.filter(state="approved"):
            assert timedelta() <= referral.approved_at - referral.approve_at < timedelta(days=2)

    def test_shows_ann_everything(self):
        ann = Customer.objects.get(external_id=ANN.external_id)
        states = set(ann.referrals_made.values_list("state", flat=True))
        points = points_of(ann)

        assert states == {"signed_up", "qualified", "approved", "reversed", "voided", "expired"}
        assert ann.referrals_made.count() == SIZE - 1
        assert points.available > 0
        assert points.pending > 0

    def test_has_one_pair_that_waits_for_review(self):
        marta, victor, again = (person.external_id for person in PAIR)
        flagged = Referral.objects.get(state="flagged")

        assert (flagged.advocate.external_id, flagged.friend.external_id) == (victor, again)
        assert {signal["code"] for signal in flagged.assessments.latest("pk").signals} == {
            "lookalike_email",
            "same_device",
            "fast_conversion",
        }
        assert Referral.objects.get(friend__external_id=victor).state == "qualified"
        assert Referral.objects.get(friend__external_id=victor).advocate.external_id == marta
        assert not Reward.objects.filter(referral=flagged).exclude(state="pending").exists()

    def test_gives_everybody_a_link_in_the_running_program_alone(self):
        assert list(Program.objects.order_by("slug").values_list("slug", "status")) == [
            ("refer-a-friend", "active"),
            ("winter-double", "draft"),
        ]
        assert Link.objects.count() == Customer.objects.count() == FEWEST

    def test_mails_nobody_but_anns_circle_and_the_guests_of_the_evening(self):
        waiting = Message.objects.exclude(state="sent").exclude(kind="event_invitation")
        guests = {invitation.customer.email for invitation in EventInvitation.objects.all()}
        invited = set(Message.objects.filter(kind="event_invitation").values_list("email", flat=True))

        assert set(waiting.values_list("state", flat=True)) <= {"queued"}
        assert {email.partition("@")[0] for email in waiting.values_list("email", flat=True)} <= {
            "ann",
            "hannah.lindqvist",
        }
        assert ANN.email in invited <= guests
        assert Invitation.objects.filter(state="planned").count() == 0

    def test_leaves_nothing_to_do(self):
        assert Delivery.objects.exclude(state="done").count() == 0
        assert DirtyBucket.objects.count() == 0
        assert DailyValue.objects.exists()

    def test_has_staff_who_can_sign_in(self):
        text = sign_ins.FILE.read_text() if sign_ins.FILE.exists() else ""
        admin = User.objects.get(email="admin@goodword.example")
        marketer = User.objects.get(email="marketer@goodword.example")

        assert text == ""
        assert (admin.is_superuser, admin.is_staff, admin.has_usable_password()) == (True, True, True)
        assert (marketer.is_superuser, marketer.is_staff, marketer.groups.get().name) == (False, True, "Marketer")

    def test_made_again_changes_nothing_and_says_so(self):
        before, entries = facts(), list(Entry.objects.order_by("pk").values())
        out = StringIO()

        call_command("seed_demo", customers=90, seed=7, stdout=out)

        assert (facts(), list(Entry.objects.order_by("pk").values())) == (before, entries)
        assert "already here; nothing was changed: 40 customers" in out.getvalue()


@pytest.mark.once
@pytest.mark.django_db
def test_seed_demo_is_the_same_each_time_but_for_its_passwords():
    """Made twice from nothing: codes, ids and passwords are drawn anew, all else is the same."""
    results = []
    for _ in range(2):
        with transaction.atomic(), time_machine.travel(NOON, tick=False):
            seed(customers=FEWEST)
            results.append((facts(), sign_ins.FILE.read_text()))
            transaction.set_rollback(True)

    assert results[0][0] == results[1][0]
    assert results[0][1] != results[1][1]


@pytest.mark.django_db
def test_seed_demo_prints_sign_ins_and_keeps_them_for_the_next_start():
    out = StringIO()

    call_command("seed_demo", customers=FEWEST, stdout=out)

    kept = sign_ins.FILE.read_text()
    assert kept in out.getvalue()
    assert sign_ins.FILE.stat().st_mode & 0o077 == 0
    password = kept.split("admin@goodword.example  password ")[1].split()[0]
    assert User.objects.get(email="admin@goodword.example").check_password(password)
    assert "ann@example.com" in kept


@pytest.mark.django_db
def test_seed_demo_beside_real_customers_is_refused_and_changes_nothing():
    CustomerFactory()

    with pytest.raises(CommandError, match="already knows customers"):
        call_command("seed_demo")

    assert (Customer.objects.count(), Event.objects.count(), Program.objects.count(), User.objects.count()) == (
        1,
        0,
        0,
        0,
    )


@pytest.mark.django_db
def test_seed_demo_too_small_is_refused():
    with pytest.raises(CommandError, match=f"at least {FEWEST}"):
        call_command("seed_demo", customers=FEWEST - 1)

    assert Customer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_seed_demo_interrupted_leaves_nothing(monkeypatch):
    def interrupt(done, total):
        if done > total // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        making.make_demo(customers=FEWEST, seed=1, at=NOON, on_progress=interrupt)

    assert (Customer.objects.count(), Event.objects.count(), Program.objects.count()) == (0, 0, 0)
