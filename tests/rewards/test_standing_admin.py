"""Tiers, badges, perks, events and leaderboards in the admin."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.services import ensure_roles
from rewards.models import (
    Badge,
    DisplayName,
    EventInvitation,
    Leaderboard,
    LeaderboardResult,
    Perk,
    PerkEvent,
    TierStanding,
)
from rewards.services.leaderboards import choose_display_name
from tests.factories import CustomerFactory, UserFactory
from tests.rewards.test_pictures import png
from tests.rewards.test_standing import PROGRAM
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = Shop(PROGRAM)
    shop.now = day(0)
    code = shop.code_of("ann", email="ann@shop.example", name="Ann Archer")
    for number, who in enumerate(("bob", "cem")):
        at = day(1 + number)
        shop.report(shop.purchase(who, at, f"order-{who}", "59.90", code=code), at=at)
    return shop


@pytest.fixture
def staff(client):
    """Return a function that signs somebody in with just these permissions."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def choose(client, model, action, rows, **answers):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/rewards/{model}/", chosen | answers, follow=True)


def moments(**values):
    return {f"{name}_{part}": text for name, pair in values.items() for part, text in zip("01", pair, strict=True)}


def event_form(**changes):
    return {
        "title": "Tasting",
        "words": "Come by.",
        "place": "Hamburg",
        "places": "2",
        "zone": "Europe/Berlin",
        "tiers": ["Silver"],
        **moments(
            opens_at=("2026-03-04", "08:00:00"),
            closes_at=("2026-04-01", "12:00:00"),
            starts_at=("2026-04-10", "18:30:00"),
            ends_at=("2026-04-10", "21:00:00"),
        ),
        "invitations-TOTAL_FORMS": 0,
        "invitations-INITIAL_FORMS": 0,
        **changes,
    }


def test_tier_standing_pages_show_the_history_and_change_nothing(shop, admin_client):
    row = TierStanding.objects.get()

    found = admin_client.get("/admin/rewards/tierstanding/?q=ann@shop.example")
    page = admin_client.get(f"/admin/rewards/tierstanding/{row.pk}/change/")
    write = admin_client.post(f"/admin/rewards/tierstanding/{row.pk}/change/", {"level": "Gold"})

    assert "Ann Archer" in found.text
    assert "referrals came or went" in page.text
    assert write.status_code == 403
    assert TierStanding.objects.get().level == "Silver"


def test_badge_form_takes_a_picture_and_gives_it_back(admin_client):
    form = {"slug": "connector", "title": "Connector"}

    admin_client.post(
        "/admin/rewards/badge/add/", form | {"upload": SimpleUploadedFile("b.png", png(), content_type="image/png")}
    )
    badge = Badge.objects.get()
    uploaded = bytes(badge.picture)
    admin_client.post(f"/admin/rewards/badge/{badge.pk}/change/", form | {"title": "Connector!", "drawn": "on"})

    badge.refresh_from_db()
    assert uploaded == png()
    assert (badge.title, badge.picture, badge.picture_hash) == ("Connector!", None, "")


def test_badge_form_refuses_what_is_no_picture(admin_client):
    upload = SimpleUploadedFile("b.png", b"<svg onload='alert(1)'/>", content_type="image/png")

    page = admin_client.post("/admin/rewards/badge/add/", {"slug": "x", "title": "X", "upload": upload})

    assert "This is no PNG picture." in page.text
    assert Badge.objects.count() == 0


def test_perk_event_form_reads_moments_in_the_events_zone(shop, admin_client):
    admin_client.post("/admin/rewards/perkevent/add/", event_form())

    event = PerkEvent.objects.get()
    assert (event.state, event.tiers, event.starts_at) == (
        "draft",
        ["Silver"],
        datetime(2026, 4, 10, 16, 30, tzinfo=UTC),
    )
    assert 'value="18:30:00"' in admin_client.get(f"/admin/rewards/perkevent/{event.pk}/change/").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tiers": []}, "Say for whom it is"),
        ({"zone": "Mars/Base"}, "IANA time zone"),
        ({"ends_at_1": "18:30:00"}, "Expected: opens, then closes"),
        ({"closes_at_0": "2026-05-01"}, "Expected: opens, then closes"),
    ],
)
def test_perk_event_form_says_what_is_wrong(shop, admin_client, changes, words):
    page = admin_client.post("/admin/rewards/perkevent/add/", event_form(**changes))

    assert words in page.text
    assert PerkEvent.objects.count() == 0


@pytest.fixture
def event(shop):
    now = timezone.now()
    return PerkEvent.objects.create(
        title="Tasting",
        starts_at=now + timedelta(days=10),
        ends_at=now + timedelta(days=11),
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=9),
        places=1,
        tiers=["Silver"],
    )


def invite(event, *names, **more):
    return [
        EventInvitation.objects.create(
            event=event, customer=CustomerFactory(name=name), invited_at=timezone.now(), **more
        )
        for name in names
    ]


def test_perk_event_form_changes_places_and_moves_up(event, admin_client):
    PerkEvent.objects.filter(pk=event.pk).update(state="published")
    (first, second) = invite(event, "Emma", "Noah")
    for one in (first, second):
        choose(admin_client, "eventinvitation", "yes_action", [one])
    before = [one.state for one in EventInvitation.objects.order_by("pk")]
    page = admin_client.get(f"/admin/rewards/perkevent/{event.pk}/change/")
    form = {
        name: value for name, value in page.context["adminform"].form.initial.items() if isinstance(value, str | list)
    }
    local = page.context["adminform"].form.initial
    form |= moments(
        **{name: (f"{local[name]:%Y-%m-%d}", f"{local[name]:%H:%M:%S}") for name in ("opens_at", "closes_at")},
        **{name: (f"{local[name]:%Y-%m-%d}", f"{local[name]:%H:%M:%S}") for name in ("starts_at", "ends_at")},
    )
    form |= {"places": "2", "invitations-TOTAL_FORMS": 0, "invitations-INITIAL_FORMS": 0}

    saved = admin_client.post(f"/admin/rewards/perkevent/{event.pk}/change/", form)

    assert saved.status_code == 302, saved.context["errors"]
    assert before == ["coming", "waiting"]
    assert [one.state for one in EventInvitation.objects.order_by("pk")] == ["coming", "coming"]


def test_perk_event_form_refuses_fewer_places_than_guests(event, admin_client):
    PerkEvent.objects.filter(pk=event.pk).update(state="published", places=2)
    for seat, one in enumerate(invite(event, "Emma", "Noah"), start=1):
        EventInvitation.objects.filter(pk=one.pk).update(state="coming", seat=seat)

    page = admin_client.post(f"/admin/rewards/perkevent/{event.pk}/change/", event_form(places="1"))

    assert "2 people already come." in page.text
    assert PerkEvent.objects.get().places == 2


def test_publish_and_cancel_actions_go_through_their_services(event, admin_client, settle):
    PerkEvent.objects.filter(pk=event.pk).update(tiers=["Bronze", "Silver"])
    choose(admin_client, "perkevent", "publish_action", [event])
    published = PerkEvent.objects.get().state
    settle()
    asked = choose(admin_client, "perkevent", "cancel_action", [event])
    still = PerkEvent.objects.get().state
    choose(admin_client, "perkevent", "cancel_action", [event], reason="rain")

    assert (published, still, PerkEvent.objects.get().state) == ("published", "published", "cancelled")
    assert "Everybody who comes or waits gets a mail" in asked.text
    assert EventInvitation.objects.get().customer.name == "Ann Archer"


def test_publish_action_needs_its_permission(event, staff):
    choose(staff("view_perkevent"), "perkevent", "publish_action", [event])

    assert PerkEvent.objects.get().state == "draft"


def test_attendance_is_noted_and_downloaded_without_formulas(event, admin_client):
    PerkEvent.objects.filter(pk=event.pk).update(state="published")
    (emma, evil) = invite(event, "Emma", "=HYPERLINK(1)")
    choose(admin_client, "eventinvitation", "yes_action", [emma, evil])

    choose(admin_client, "eventinvitation", "came_action", [emma, evil])
    sheet = choose(admin_client, "perkevent", "csv_action", [event]).text.splitlines()

    assert [one.came for one in EventInvitation.objects.order_by("pk")] == [True, None]
    assert sheet[0] == "event,name,email,customer,answer,answered,waiting,came"
    assert sorted(line.split(",")[1] for line in sheet[1:]) == ["'=HYPERLINK(1)", "Emma"]
    assert sheet[1].endswith("yes") or sheet[2].endswith("yes")


def test_leaderboard_form_schedules_and_close_action_freezes(shop, admin_client):
    shop.pass_time(day(3))
    form = {
        "program": shop.program.pk,
        "title": "Best ever",
        "period": "all",
        "starts_on": "2026-01-01",
        "shown": 10,
        "active": "on",
        "prizes-TOTAL_FORMS": 1,
        "prizes-INITIAL_FORMS": 0,
        "prizes-0-first_rank": 1,
        "prizes-0-last_rank": 3,
        "prizes-0-prize": "Trip",
        "results-TOTAL_FORMS": 0,
        "results-INITIAL_FORMS": 0,
    }
    admin_client.post("/admin/rewards/leaderboard/add/", form)
    board = Leaderboard.objects.get()
    page = admin_client.get(f"/admin/rewards/leaderboard/{board.pk}/change/")

    choose(admin_client, "leaderboard", "close_action", [board], reason="end of the season")

    assert "1. Ann Archer (nameless): 2" in page.text
    result = LeaderboardResult.objects.get()
    assert list(result.placed.values_list("customer__external_id", "rank", "count", "prize")) == [("ann", 1, 2, "Trip")]
    assert admin_client.get(f"/admin/rewards/leaderboardresult/{result.pk}/change/").status_code == 200


def test_take_off_action_removes_a_name(shop, admin_client, staff):
    ann = TierStanding.objects.get().customer
    row = choose_display_name(customer=ann, name="Bean Queen", at=day(3))

    choose(admin_client, "displayname", "take_off_action", [row], reason="not hers")

    assert DisplayName.objects.count() == 0


@pytest.mark.parametrize(("role", "allowed"), [("Marketer", True), ("Analyst", False)])
def test_roles_may_plan_events_or_look(shop, client, role, allowed):
    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)

    pages = [client.get(f"/admin/rewards/{model}/add/").status_code for model in ("perkevent", "badge", "leaderboard")]

    assert pages == [200 if allowed else 403] * 3
    assert client.get("/admin/rewards/tierstanding/").status_code == 200


def test_perk_pages_open(admin_client):
    perk = Perk.objects.create(slug="early", title="Early access")

    assert admin_client.get(f"/admin/rewards/perk/{perk.pk}/change/").status_code == 200
    assert "Early access" in admin_client.get("/admin/rewards/perk/?q=early").text


def test_leaderboard_that_has_results_keeps_its_program_and_period(shop, admin_client):
    board = Leaderboard.objects.create(program=shop.program, title="B", period="month", starts_on=date(2026, 1, 1))
    LeaderboardResult.objects.create(leaderboard=board, starts_at=day(0), ends_at=day(1), closed_at=day(1))

    page = admin_client.get(f"/admin/rewards/leaderboard/{board.pk}/change/")

    assert 'name="period"' not in page.text
