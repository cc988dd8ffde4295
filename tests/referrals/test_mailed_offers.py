"""Mails that carry the offer: sent is a view, followed is an opening, and nothing in them spies."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from analytics.services.rollups import refresh_rollups
from core import dispatch
from core.models import Delivery
from messaging.kinds import KINDS
from messaging.models import Message
from messaging.services import send_again, send_due, set_preference
from referrals import handlers
from referrals.models import Code, Link, OfferView
from referrals.services.links import ensure_link, rename_code
from referrals.views import public
from tests.analytics.ask import grouped, values
from tests.analytics.test_rollups import snapshot
from tests.factories import CustomerFactory, make_program, report
from tests.messaging.test_sending import Vanishing
from tests.scenes import NOON, moment

pytestmark = pytest.mark.django_db
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
BOT = {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
DAY = ("2026-05-01", "2026-05-02")


@pytest.fixture
def thanks():
    """A thank-you that waits to be sent."""
    with moment(NOON):
        make_program()
        report("purchase", CustomerFactory(external_id="ann", email="ann@shop.example"), NOON)
    return Message.objects.get(kind="purchase_thanks")


def send(at=NOON):
    with moment(at):
        return send_due(at=at)


def counted():
    return list(OfferView.objects.order_by("pk").values_list("kind", "placement", "program__slug", "at"))


def test_a_mail_with_the_offer_counts_as_one_view_when_it_is_handed_over(thanks):
    before = counted()

    sent = (send(), send())

    assert before == []
    assert sent == (1, 0)
    assert counted() == [("view", "mail", "refer-a-friend", NOON)]
    assert thanks.context["share_url"].endswith("?c=email&p=mail")


def test_a_mail_is_dated_by_the_run_that_sends_it(thanks):
    later = NOON + timedelta(days=2)

    send(later)

    assert [at for *_, at in counted()] == [later]
    assert values("offer_views", *DAY) == [0]


def test_mails_count_by_placement_and_alike_in_full(thanks):
    send()
    refresh_rollups(at=NOON)
    incremental = snapshot()

    refresh_rollups(at=NOON, full=True)

    assert snapshot() == incremental
    assert grouped("offer_views", *DAY, group="placement") == {"mail": 1}
    assert values("offer_views", *DAY, program="refer-a-friend") == [1]


def test_a_mail_that_is_not_sent_is_not_counted(thanks):
    set_preference(recipient_key=thanks.recipient_key, purpose="referral_tips", allowed=False, source="test")

    assert send() == 0
    assert (Message.objects.get(pk=thanks.pk).state, counted()) == ("not_sent", [])


def test_a_mail_of_which_nobody_knows_whether_it_left_counts_once_it_was_sent_again(thanks, settings):
    good = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{Vanishing.__module__}.{Vanishing.__name__}"
    send()
    unknown = (Message.objects.get(pk=thanks.pk).state, counted())
    settings.EMAIL_BACKEND = good
    with moment(NOON):
        send_again(message=thanks, reason="asked for it", by="boss")

    send()

    assert unknown == ("unknown", [])
    assert len(counted()) == 1


def test_mails_without_the_offer_are_not_counted():
    program = make_program()
    ann = CustomerFactory(email="ann@shop.example")
    with moment(NOON):
        report("signup", CustomerFactory(), NOON, code=ensure_link(customer=ann, program=program).code)

    assert send() == 2
    assert set(Message.objects.values_list("kind", flat=True)) == {"friend_joined", "reward_available"}
    assert counted() == []


def test_exactly_the_kinds_with_a_share_link_are_announced():
    assert {name for name, kind in KINDS.items() if kind.offer} == {
        name for name, kind in KINDS.items() if "share_url" in kind.variables
    }


def test_a_count_that_fails_is_made_up_for_once(thanks, monkeypatch):
    monkeypatch.setattr(handlers, "link_of_code", lambda code: 1 / 0)
    sent = send()
    failed = counted()
    monkeypatch.undo()

    with moment(NOON + timedelta(hours=1)):
        done = [dispatch.deliver_due(at=NOON + timedelta(hours=1)) for _ in range(2)]

    assert (sent, failed, done) == (1, [], [1, 0])
    assert counted() == [("view", "mail", "refer-a-friend", NOON)]
    assert not Delivery.objects.filter(state=Delivery.State.DUE).exists()


def test_a_mail_with_a_former_code_counts_and_one_whose_code_is_gone_does_not_fail(thanks):
    rename_code(link=Link.objects.get(), code="SUNSHINE")
    send()
    assert len(counted()) == 1

    with moment(NOON):
        report("purchase", CustomerFactory(email="bob@shop.example"), NOON)
    Code.objects.filter(link__customer__email="bob@shop.example").update(code="GONE")

    assert send() == 1
    assert len(counted()) == 1
    assert not Delivery.objects.exclude(state=Delivery.State.DONE).exists()


def way_of(sent):
    """The path that the mail's button leads to."""
    return re.search(r"\w+://[^/\s]+(/share/\S+)", sent.body)[1]


def follow(path, headers=PERSON, method="get"):
    with moment(NOON):
        return getattr(Client(), method)(path, headers=headers)


def test_following_the_mail_counts_an_opening_and_leads_to_the_portal(thanks):
    send()

    answer = follow(way_of(mail.outbox[0]))

    assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (302, "/", "no-store")
    assert counted()[1:] == [("open", "mail", "refer-a-friend", NOON)]
    assert grouped("offer_opens", *DAY, group="placement") == {"mail": 1}


@pytest.mark.parametrize(
    "way",
    [
        {"headers": BOT},
        {"headers": {}},
        {"headers": PERSON | {"sec-purpose": "prefetch"}},
        {"method": "head"},
        {"path": "/share/{code}/"},
        {"path": "/share/{code}/?p=moon"},
        {"path": "/share/ZZZZZZZ/?p=mail"},
    ],
)
def test_machines_unknown_places_and_unknown_codes_are_led_on_and_not_counted(thanks, way):
    path = way.pop("path", "/share/{code}/?p=mail").format(code=Link.objects.get().code)

    answer = follow(path, **way)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert counted() == []


def test_following_that_looks_at_nobody_would_count_machines(thanks, monkeypatch):
    path = f"/share/{Link.objects.get().code}/?p=mail"
    monkeypatch.setattr(public, "judge_visit", lambda headers: Anybody)

    follow(path, BOT)

    assert counted() == [("open", "mail", "refer-a-friend", NOON)]


class Anybody:
    """What every visit would be taken for."""

    kind = "person"


def test_no_mail_with_the_offer_fetches_anything(thanks):
    send()

    html = mail.outbox[0].alternatives[0].content

    assert not re.search(r"<img|background=|url\(|<link", html)
