"""What if…: staff edit a file, the worker replays the past, nothing is changed; and the pages that look ahead."""

from contextlib import nullcontext
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.services import ensure_roles
from core.errors import Invalid
from referrals.models import Offer
from referrals.program_file import ProgramFileRefused
from rewards.models import Simulation
from rewards.services import simulations
from rewards.services.simulations import (
    Days,
    SimulationOver,
    cancel_simulation,
    last_quarter,
    request_simulation,
    run_simulations,
)
from tests.factories import UserFactory
from tests.rewards.test_budgets import LIMITED
from tests.rewards.test_simulation import MARCH, four_friends
from tests.shop import PROGRAM, Shop, apply_text, day

pytestmark = pytest.mark.django_db

RICHER = PROGRAM.replace("points: 500", "points: 700")


@pytest.fixture
def shop(db):
    shop = Shop(PROGRAM)
    four_friends(shop)
    return shop


def member(role):
    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def marketer(shop):
    return member("Marketer")


@pytest.fixture
def analyst(shop):
    return member("Analyst")


def ask(shop, text=RICHER, days=MARCH):
    return request_simulation(program=shop.program, text=text, days=days, user=UserFactory(), at=timezone.now())


def test_what_if_the_whole_way(shop, marketer):
    """Edit, try, look, take the file over into the program's form, save."""
    offers = Offer.objects.count()
    page = marketer.get("/what-if/new/refer-a-friend/")
    assert "points: 500" in page.content.decode()

    answer = marketer.post(
        "/what-if/new/refer-a-friend/", {"file": RICHER, "first": "2026-03-01", "last": "2026-03-31"}
    )
    waiting = marketer.get(answer.url).content.decode()
    assert "Waiting for the worker" in waiting
    assert "data-follow" in waiting

    assert run_simulations(at=timezone.now()) == 1
    shown = marketer.get(answer.url).content.decode()
    assert "data-follow" not in shown
    assert "really 2,408: +800" in shown
    assert "Ann E." in shown
    assert "Ann Example" not in shown
    assert Offer.objects.count() == offers

    form = marketer.post(f"{answer.url}use")
    assert "points: 700" in marketer.get(form.url).content.decode()
    assert "points: 700" not in marketer.get(form.url.partition("?")[0]).content.decode()
    marketer.post(form.url, {"file": RICHER, **_inlines()})
    assert Offer.objects.count() == offers + 1


def _inlines():
    empty = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}
    return {f"{prefix}-{name}": value for prefix in ("offers", "statuses") for name, value in empty.items()}


def test_what_if_new_shows_the_line_that_is_wrong(marketer):
    answer = marketer.post(
        "/what-if/new/refer-a-friend/",
        {"file": PROGRAM.replace("hold_days: 14", "hold_days: soon"), "first": "2026-03-01", "last": "2026-03-31"},
    )

    assert answer.status_code == 422
    assert "Line 8" in answer.content.decode()
    assert not Simulation.objects.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"first": "2026-04-01"}, "The last day lies before the first."),
        ({"first": "1990-01-01"}, "At most ten years"),
        ({"file": PROGRAM.replace("refer-a-friend", "another")}, "program: expected refer-a-friend"),
        ({"file": ""}, "This field is required."),
    ],
)
def test_what_if_new_refuses_and_queues_nothing(marketer, change, told):
    given = {"file": RICHER, "first": "2026-03-01", "last": "2026-03-31"} | change

    answer = marketer.post("/what-if/new/refer-a-friend/", given)

    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert not Simulation.objects.exists()


def test_what_if_pages_are_closed_to_who_may_not_change_programs(analyst, shop):
    run = ask(shop)

    assert analyst.get("/what-if/").status_code == 200
    assert analyst.get(f"/what-if/{run.public_id}/").status_code == 200
    assert analyst.get("/what-if/new/refer-a-friend/").status_code == 403
    assert analyst.post(f"/what-if/{run.public_id}/cancel").status_code == 403
    assert analyst.post(f"/what-if/{run.public_id}/use").status_code == 403
    assert Simulation.objects.get().state == "waiting"


def test_what_ifs_says_what_to_do_where_there_are_none(marketer):
    shown = marketer.get("/what-if/").content.decode()

    assert "Nothing tried yet" in shown
    assert "/what-if/new/refer-a-friend/" in shown


def test_what_ifs_asks_the_same_for_one_and_three(marketer, shop, django_assert_max_num_queries):
    ask(shop)
    marketer.get("/what-if/")
    with django_assert_max_num_queries(12) as one:
        marketer.get("/what-if/")
    ask(shop)
    ask(shop)
    with django_assert_max_num_queries(12) as three:
        marketer.get("/what-if/")

    assert len(one) == len(three)


def test_what_if_edits_again_what_was_tried(marketer, shop):
    run = ask(shop)
    run_simulations(at=timezone.now())

    shown = marketer.get(f"/what-if/new/refer-a-friend/?again={run.public_id}").content.decode()

    assert "points: 700" in shown
    assert 'value="2026-03-31"' in shown


def test_cancel_simulation_while_it_waits(marketer, shop):
    run = ask(shop)

    marketer.post(f"/what-if/{run.public_id}/cancel")

    assert Simulation.objects.get().state == "cancelled"
    assert run_simulations(at=timezone.now()) == 0
    with pytest.raises(SimulationOver):
        cancel_simulation(simulation=run, at=timezone.now())
    assert "Cancelled" in marketer.get(f"/what-if/{run.public_id}/").content.decode()


def test_cancel_simulation_while_it_runs(shop, monkeypatch):
    """The worker sees at its next report of progress that nobody waits any more, and keeps no result."""
    run = ask(shop)
    load = simulations.load_material

    def cancelled_meanwhile(**given):
        Simulation.objects.filter(pk=run.pk, state="running").update(state="cancelled")
        return load(**given)

    monkeypatch.setattr(simulations, "read_only", nullcontext)
    monkeypatch.setattr(simulations, "load_material", cancelled_meanwhile)

    run_simulations(at=timezone.now())

    run.refresh_from_db()
    assert (run.state, run.result) == ("cancelled", {})


def test_run_simulations_takes_over_from_a_worker_that_died(shop):
    run = ask(shop)
    gone = timezone.now() - timedelta(minutes=1)
    Simulation.objects.filter(pk=run.pk).update(state="running", due_at=gone, progress=40)

    assert run_simulations(at=timezone.now()) == 1

    run.refresh_from_db()
    assert (run.state, run.progress) == ("done", 100)


def test_run_simulations_leaves_what_another_worker_runs(shop):
    run = ask(shop)
    Simulation.objects.filter(pk=run.pk).update(state="running", due_at=timezone.now() + timedelta(minutes=5))

    assert run_simulations(at=timezone.now()) == 0


def test_run_simulations_keeps_why_it_failed(marketer, shop, monkeypatch):
    run = ask(shop)
    monkeypatch.setattr(simulations, "load_material", lambda **_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run_simulations(at=timezone.now())

    assert "ZeroDivisionError" in marketer.get(f"/what-if/{run.public_id}/").content.decode()


def test_run_simulations_is_part_of_what_is_due(shop, settle):
    ask(shop)

    assert settle()["simulations"] == 1
    assert Simulation.objects.get().result["points"] == 3208


@pytest.mark.parametrize(
    ("text", "days", "refusal"),
    [
        ("program: x", MARCH, ProgramFileRefused),
        (PROGRAM.replace("refer-a-friend", "another"), MARCH, Invalid),
        (PROGRAM, Days(start=date(2026, 3, 1), end=date(2026, 3, 1)), Invalid),
    ],
)
def test_request_simulation_refuses_and_keeps_nothing(shop, text, days, refusal):
    with pytest.raises(refusal):
        ask(shop, text, days)

    assert not Simulation.objects.exists()


def test_last_quarter_is_thirteen_weeks_up_to_yesterday():
    assert last_quarter(date(2026, 7, 1)) == Days(start=date(2026, 4, 1), end=date(2026, 7, 1))


def test_budgets_page_says_how_to_have_one(analyst):
    assert "No budget yet" in analyst.get("/budgets/").content.decode()


def test_budget_page_shows_what_burnt_down(analyst, shop):
    apply_text(LIMITED, at=day(9))

    assert "A referral" not in analyst.get("/budgets/").content.decode()
    shown = analyst.get("/budgets/refer-a-friend/?by=day").content.decode()

    assert "2,408 of 5,000 granted" in shown
    assert "Not enough yet" in shown
    assert "payload-burn" in shown
    assert analyst.get("/budgets/unknown/").status_code == 404


def test_budgets_page_shows_who_takes_over(analyst, shop):
    apply_text(LIMITED, at=day(9))

    shown = analyst.get("/budgets/").content.decode()

    assert "Then small-thanks takes over." in shown


def test_holds_page_says_not_enough_yet(analyst):
    shown = analyst.get("/holds/").content.decode()

    assert "Not enough yet" in shown
    assert analyst.get("/holds/?currency=USD").status_code == 404


def test_holds_page_tells_what_the_program_risks(analyst, shop):
    for number in range(40):
        shop.report(shop.purchase(f"b{number}", day(0), f"p{number}", "50.00"), at=day(0))
    for number in range(35):
        at = day(1 if number % 2 else 20)
        shop.report(shop.refund(f"b{number}", at, f"p{number}", "50.00"), at=at)

    shown = analyst.get("/holds/").content.decode()

    assert "Refer a friend holds 14 days:" in shown
    assert "of the orders released are refunded after that." in shown
    assert "payload-holds" in shown


def test_holds_page_without_orders_says_what_to_send(db):
    Shop(PROGRAM)

    assert "No orders yet" in member("Analyst").get("/holds/").content.decode()


def test_program_page_leads_to_both(marketer, shop):
    page = f"/admin/referrals/program/{shop.program.pk}/"

    shown = marketer.get(f"{page}change/").content.decode()

    assert "What if…" in shown
    assert marketer.get(f"{page}what-if/", follow=True).redirect_chain[-1][0] == "/what-if/new/refer-a-friend/"
    assert marketer.get(f"{page}budget/", follow=True).redirect_chain[-1][0] == "/budgets/refer-a-friend/"
