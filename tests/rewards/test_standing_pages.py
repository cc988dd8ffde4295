"""Tiers, badges, perks, events and leaderboards as customers see them."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail

from referrals.models import Customer
from rewards.invitation_tokens import token_of
from rewards.models import Badge, DisplayName, EventInvitation, Leaderboard, Perk, PerkEvent, Reward, TierStanding
from rewards.services.badges import replace_picture
from rewards.services.leaderboards import schedule_leaderboard
from rewards.services.perk_events import open_events_due, publish_event
from tests.factories import CustomerFactory, UserFactory
from tests.rewards.test_pictures import png
from tests.rewards.test_standing import PROGRAM
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = Shop(PROGRAM)
    shop.now = day(0)
    shop.code = shop.code_of("ann", email="ann@shop.example", name="Ann Archer")
    for number, who in enumerate(("bob", "cem")):
        at = day(1 + number)
        shop.report(shop.purchase(who, at, f"order-{who}", "59.90", code=shop.code), at=at)
    shop.pass_time(day(3))
    return shop


@pytest.fixture
def signed_in(client, shop):
    client.force_login(UserFactory(email="ann@shop.example"))
    return client


@pytest.fixture
def invitation(shop):
    event = PerkEvent.objects.create(
        title="Tasting",
        words="Come by.",
        starts_at=day(20),
        ends_at=day(20) + timedelta(hours=2),
        zone="Europe/Berlin",
        place="Hamburg",
        places=1,
        opens_at=day(3),
        closes_at=day(15),
        tiers=["Silver"],
    )
    with time_machine.travel(day(3), tick=False):
        publish_event(event=event)
        open_events_due(at=day(3))
    return EventInvitation.objects.get()


def words_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def get(client, path, at=None):
    with time_machine.travel(at or day(4), tick=False):
        return client.get(path)


def post(client, path, data, at=None, **more):
    with time_machine.travel(at or day(4), tick=False):
        return client.post(path, data, **more)


def test_show_portal_shows_tier_way_milestone_and_badges(signed_in):
    words = words_of(get(signed_in, "/"))

    assert "Your standing" in words
    assert "Silver 2 friends to Gold New friends bring you 1.5 times the points." in words
    assert "Next milestone · 2 friends to go" in words
    assert "For 4 friends: 500 points" in words
    assert "Your badges First two" in words


def test_show_portal_says_until_when_a_tier_is_kept(signed_in):
    words = words_of(get(signed_in, "/", day(95)))

    assert "Silver is yours until 20 June. 2 more friends by then keep it." in words


def test_show_portal_in_german(signed_in, client):
    client.cookies["django_language"] = "de"

    words = words_of(get(signed_in, "/"))

    assert "noch 2 Freunde bis Gold" in words
    assert "Nächster Meilenstein · noch 2 Freunde" in words


def test_show_portal_without_tiers_and_milestones_says_nothing_of_standing(client):
    Shop().code_of("zoe", email="zoe@shop.example")
    client.force_login(UserFactory(email="zoe@shop.example"))

    assert "Your standing" not in words_of(client.get("/"))


def test_drawn_badge_is_an_svg_of_known_names_only(client, shop):
    known, unknown = client.get("/badges/first-two.svg"), client.get("/badges/nobody-has-it.svg")

    assert (known.status_code, known["Content-Type"]) == (200, "image/svg+xml")
    assert "<title>First two</title>" in known.text
    assert unknown.status_code == 404


def test_uploaded_badge_takes_the_place_of_the_drawn_one_and_back(client, shop):
    badge = Badge.objects.create(slug="first-two", title="Two of a kind")

    replace_picture(badge=badge, upload=png())
    drawn, uploaded = client.get("/badges/first-two.svg"), client.get("/badges/first-two.png")
    replace_picture(badge=badge, upload=None)
    again, gone = client.get("/badges/first-two.svg"), client.get("/badges/first-two.png")

    assert (drawn.status_code, drawn["Location"]) == (302, "/badges/first-two.png")
    assert (uploaded["Content-Type"], uploaded.content) == ("image/png", png())
    assert uploaded["X-Content-Type-Options"] == "nosniff"
    assert "<title>Two of a kind</title>" in again.text
    assert gone.status_code == 404


def test_answer_event_by_link_shows_on_get_and_acts_on_post_without_sign_in(client, invitation):
    path = f"/events/{token_of(invitation.public_id)}"

    shown = get(client, path)
    before = EventInvitation.objects.get().state
    answered = post(client, path, {"answer": "yes"}, follow=True)
    after = EventInvitation.objects.get()
    off = post(client, path, {"answer": "no"}, follow=True)

    assert "Tasting Saturday, 21 March 2026, 13:00 –15:00 Europe/Berlin Hamburg Come by. I am coming" in words_of(shown)
    assert before == "invited"
    assert (after.state, after.seat) == ("coming", 1)
    assert "You are coming – your place is safe." in words_of(answered)
    assert "You are not coming." in words_of(off)


def test_answer_event_in_german_writes_the_day_as_germans_do(client, signed_in, invitation):
    client.cookies["django_language"] = "de"

    invited = words_of(get(client, f"/events/{token_of(invitation.public_id)}"))
    listed = words_of(get(signed_in, "/perks/"))

    assert "Samstag, 21. März 2026, 13:00 –15:00" in invited
    assert "21. März 2026, 13:00 · Hamburg" in listed


def test_answer_event_full_says_the_place_in_line(client, invitation):
    EventInvitation.objects.create(
        event=invitation.event, customer=CustomerFactory(), state="coming", seat=1, invited_at=day(3)
    )

    page = post(client, f"/events/{token_of(invitation.public_id)}", {"answer": "yes"}, follow=True)

    assert "You are number 1 on the waiting list" in words_of(page)


def test_answer_event_too_late_changes_nothing(client, invitation):
    page = post(client, f"/events/{token_of(invitation.public_id)}", {"answer": "yes"}, at=day(16))

    assert page.status_code == 409
    assert "The time for answers is over, so nothing was changed." in words_of(page)
    assert EventInvitation.objects.get().state == "invited"


@pytest.mark.parametrize("token", ["forged", "inv_X.abc"])
def test_answer_event_with_a_forged_token_is_404(client, invitation, token):
    assert client.get(f"/events/{token}").status_code == 404
    assert post(client, f"/events/{token}", {"answer": "yes"}).status_code == 404
    assert EventInvitation.objects.get().state == "invited"


def test_save_event_answers_a_calendar_file(client, invitation):
    answer = get(client, f"/events/{token_of(invitation.public_id)}/event.ics")

    assert answer["Content-Type"].startswith("text/calendar")
    assert "DTSTART:20260321T120000Z\r\n" in answer.text
    assert "SUMMARY:Tasting\r\n" in answer.text


def test_the_invitations_link_leads_to_the_page(client, invitation, settle):
    settle(at=day(3.1))
    sent = next(one for one in mail.outbox if one.extra_headers["X-Goodword-Kind"] == "event_invitation")

    path = re.search(r"https?://[^/]+(/events/\S+)", sent.body).group(1)

    assert get(client, path).status_code == 200


def test_show_perks_lists_perks_and_invitations(signed_in, invitation):
    Perk.objects.create(
        slug="early-access", title="Early access", instructions="Use the code EARLY", link="https://shop.example/x"
    )

    words = words_of(get(signed_in, "/perks/"))

    assert "Tasting 21 March 2026, 13:00 · Hamburg Please answer" in words
    assert "Early access Use the code EARLY Use it" in words


def test_show_perks_shows_nobody_elses(client, invitation):
    Perk.objects.create(slug="early-access", title="Early access", instructions="Use the code EARLY")
    CustomerFactory(external_id="eve", email="eve@shop.example")
    client.force_login(UserFactory(email="eve@shop.example"))

    words = words_of(get(client, "/perks/"))

    assert "No invitation yet" in words
    assert "No perk yet" in words
    assert "EARLY" not in words


@pytest.fixture
def board(shop):
    board = Leaderboard.objects.create(
        program=shop.program, title="Best of March", period="month", starts_on=date(2026, 1, 1)
    )
    return schedule_leaderboard(leaderboard=board, at=day(0))


def test_show_leaderboards_is_nameless_until_a_name_is_chosen(signed_in, board):
    before = words_of(get(signed_in, "/leaderboards/"))
    post(signed_in, "/leaderboards/", {"action": "show", "name": "Bean Queen"})
    after = words_of(get(signed_in, "/leaderboards/"))
    post(signed_in, "/leaderboards/", {"action": "leave"})

    assert "1 You 2" in before
    assert "Nobody sees who you are." in before
    assert "1 You (Bean Queen) 2" in after
    assert DisplayName.objects.count() == 0


def test_show_leaderboards_refuses_a_bad_name_in_words(signed_in, board):
    page = post(signed_in, "/leaderboards/", {"action": "show", "name": "evil.example"})

    assert page.status_code == 422
    assert "Please choose a name without addresses" in words_of(page)
    assert DisplayName.objects.count() == 0


def test_show_leaderboards_without_any_says_so(signed_in):
    assert "No leaderboard is running right now" in words_of(get(signed_in, "/leaderboards/"))


@pytest.mark.parametrize("path", ["/perks/", "/leaderboards/"])
def test_pages_of_standing_send_staff_without_customer_to_the_portal(client, shop, path):
    client.force_login(UserFactory(email="staff@shop.example", is_staff=True))

    assert client.get(path)["Location"] == "/"


@pytest.mark.parametrize("number", [1, 3])
def test_show_perks_asks_the_database_as_often_for_many_as_for_one(
    signed_in, invitation, number, django_assert_num_queries
):
    ann = Customer.objects.get(external_id="ann")
    for extra in range(number - 1):
        event = PerkEvent.objects.create(
            title=f"Event {extra}", starts_at=day(30), ends_at=day(31), closes_at=day(29), state="published"
        )
        EventInvitation.objects.create(event=event, customer=ann, invited_at=day(3))

    with django_assert_num_queries(10):
        get(signed_in, "/perks/")


def test_tier_of_a_perk_reward_and_a_tier_is_shown_once(signed_in, shop):
    ann = Customer.objects.get(external_id="ann")
    Reward.objects.filter(recipient=ann, kind="badge").update(kind="perk", detail={"what": "early-access"})

    words = words_of(get(signed_in, "/perks/"))

    assert words.count("Early access") == 1
    assert TierStanding.objects.get(customer=ann).perks == ["early-access"]
