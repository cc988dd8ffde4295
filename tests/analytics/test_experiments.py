"""What came of each variant: exact numbers on the page and in the metrics, and when not to believe them."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import ensure_roles
from analytics.queries import experiments as results
from analytics.queries.experiments import result_of
from analytics.services.rollups import refresh_rollups
from referrals.bots import Verdict
from referrals.models import Exposure, Variant
from referrals.services.clicks import Visit, record_click
from referrals.services.experiments import end_experiment, note_exposures
from referrals.services.lifecycle import void_referral
from referrals.services.links import ensure_link
from referrals.services.placements import record_share
from referrals.services.takeovers import start_takeover
from tests.analytics.ask import ask, grouped, values
from tests.analytics.test_rollups import snapshot
from tests.factories import CustomerFactory, make_program, report
from tests.scenes import NOON, do_due, moment
from tests.trials import draft, links_in, running

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAY = ("2026-05-01", "2026-06-01")


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def analyst(client):
    user = User.objects.create_user("ana@shop.example", is_staff=True)
    user.groups.add(*[group for group in ensure_roles() if group.name == "Analyst"])
    client.force_login(user)
    return client


def expose(*links, at=NOON, name=""):
    for link in links:
        variant = Variant.objects.get(name=name or link.arm)
        with moment(at):
            note_exposures(shown=[(link, variant)], placement="portal", at=at)


def arms(experiment, **counts):
    """Return links by variant, each knowing which one it is in."""
    found = {name: links_in(experiment, name, count) for name, count in counts.items()}
    for name, links in found.items():
        for link in links:
            link.arm = name
    return found


def share(link, at, times=1):
    with moment(at):
        for _ in range(times):
            record_share(link=link, program=link.program, channel="copy", placement="portal", at=at)


def click(link, at, verdict="person"):
    with moment(at):
        record_click(link=link, visit=Visit(verdict=Verdict(verdict)), at=at)


def befriend(link, at, *, orders=0):
    """Have a friend sign up by the link and buy so often, a day apart."""
    friend = CustomerFactory()
    with moment(at):
        report("signup", friend, at, code=link.code)
    for number in range(orders):
        bought = at + (number + 1) * DAY
        with moment(bought):
            report("purchase", friend, bought)
    return friend


def told(result):
    """What a result says, by variant: exposed, then (times, people) of each step, then orders."""
    return {
        one.variant.name: (one.exposed, *((reach.times, reach.people) for reach in one.reaches), one.orders)
        for one in result.variants
    }


def test_result_counts_what_happens_to_links_from_exposure_to_the_end(program):
    experiment = running(program)
    found = arms(experiment, today=3, bold=2)
    (calm, quiet, late), (bold, bare) = found["today"], found["bold"]
    share(calm, NOON + HOUR)  # before it was shown
    click(bold, NOON + HOUR)
    befriend(calm, NOON + HOUR, orders=1)
    expose(calm, quiet, bold, bare, at=NOON + 2 * HOUR)
    share(calm, NOON + 2 * HOUR)  # in the same instant
    share(calm, NOON + DAY, times=2)
    share(quiet, NOON + DAY)
    share(bold, NOON + DAY)
    click(calm, NOON + DAY)
    click(bold, NOON + DAY)
    click(bold, NOON + 2 * DAY)
    click(bold, NOON + 2 * DAY, verdict="bot")
    click(late, NOON + 2 * DAY)  # never shown anything
    befriend(bold, NOON + DAY, orders=2)
    befriend(bold, NOON + 9 * DAY, orders=1)  # qualifies when the experiment is over
    befriend(bare, NOON + DAY)
    befriend(calm, NOON + DAY, orders=3)
    end_experiment(experiment=experiment, learnt="", at=NOON + 10 * DAY - HOUR)
    share(bold, NOON + 10 * DAY)
    click(bold, NOON + 10 * DAY)
    befriend(bold, NOON + 10 * DAY, orders=1)

    result = result_of(experiment)

    assert told(result) == {
        "today": (2, (4, 2), (1, 1), (1, 1), (1, 1), 3),
        "bold": (2, (1, 1), (2, 1), (3, 2), (2, 1), 3),
    }
    assert [one.expected for one in result.variants] == [2, 2]
    assert result.split_p == 1.0


def test_result_leaves_out_void_friends_and_takes_back_refunded_ones(program):
    experiment = running(program)
    [[calm], [bold]] = arms(experiment, today=1, bold=1).values()
    expose(calm, bold)
    voided, refunded = befriend(calm, NOON + DAY, orders=1), befriend(bold, NOON + DAY, orders=1)
    with moment(NOON + 3 * DAY):
        void_referral(
            referral=voided.referrals_received.get(), reason="manual", note="", actor="boss", at=NOON + 3 * DAY
        )
        report("refund", refunded, NOON + 3 * DAY, order=refunded.events.get(type="purchase").order_id)
    do_due(NOON + 20 * DAY)

    assert told(result_of(experiment)) == {
        "today": (1, (0, 0), (0, 0), (0, 0), (0, 0), 0),
        "bold": (1, (0, 0), (0, 0), (1, 1), (0, 0), 0),
    }


def test_result_keeps_experiments_and_programs_apart(program):
    other = make_program("other")
    one = running(program)
    two = running(other, {"name": "x"}, {"name": "y", "colour": "#aa0000"}, subject="picture", slug="two")
    [ann] = links_in(one, "bold", 1)
    elsewhere = ensure_link(customer=ann.customer, program=other)
    expose(ann, name="bold")
    expose(elsewhere, name="x")
    share(ann, NOON + DAY)
    share(elsewhere, NOON + DAY, times=2)
    befriend(elsewhere, NOON + DAY)

    assert told(result_of(one))["bold"] == (1, (1, 1), (0, 0), (0, 0), (0, 0), 0)
    assert told(result_of(two))["x"] == (1, (2, 1), (0, 0), (1, 1), (0, 0), 0)


def test_result_counts_friends_whom_another_program_has_taken_over(program):
    cheap = make_program("cheap")
    with moment(NOON):
        start_takeover(program=program, to=cheap, why="spent", budget_points=1, granted_points=1, at=NOON)
    experiment = running(cheap)
    [ann] = links_in(experiment, "bold", 1)
    link = ensure_link(customer=ann.customer, program=program)
    expose(link, name="bold", at=NOON + HOUR)
    friend = befriend(link, NOON + DAY, orders=1)

    referral = friend.referrals_received.get()

    assert (referral.program, referral.instead_of) == (cheap, program)
    assert told(result_of(experiment))["bold"] == (1, (0, 0), (0, 0), (1, 1), (1, 1), 1)


def test_result_that_forgets_when_would_count_what_was_before(program, monkeypatch):
    experiment = running(program)
    [[bold]] = arms(experiment, bold=1).values()
    share(bold, NOON)
    expose(bold, at=NOON + HOUR)
    right = told(result_of(experiment))["bold"][1]
    monkeypatch.setattr(results, "exposed_by_then", lambda *_: results.Q())

    assert (right, told(result_of(experiment))["bold"][1]) == ((0, 0), (1, 1))


# Metrics


def test_metrics_split_shares_and_clicks_by_variant_and_agree_in_full(program):
    experiment = running(program)
    picture = running(program, {"name": "x"}, {"name": "y", "colour": "#aa0000"}, subject="picture", slug="red")
    found = arms(experiment, today=1, bold=1)
    [calm], [bold] = found["today"], found["bold"]
    share(bold, NOON)
    expose(calm, bold, at=NOON + HOUR)
    share(bold, NOON + DAY, times=2)
    share(calm, NOON + DAY)
    click(bold, NOON + DAY)
    click(bold, NOON + DAY, verdict="bot")
    refresh_rollups(at=NOON + 2 * DAY)
    expose(bold, at=NOON + 2 * DAY, name="x")
    share(bold, NOON + 2 * DAY)
    end_experiment(experiment=experiment, learnt="", at=NOON + 3 * DAY)
    share(bold, NOON + 4 * DAY)
    with moment(NOON + 5 * DAY):
        by_variant = grouped("shares", *MAY, group="variant")
        incremental = snapshot()
        refresh_rollups(at=NOON + 5 * DAY, full=True)

    assert snapshot() == incremental
    assert by_variant == {"bold/bold": 3, "bold/today": 1, "red/x": 2}
    assert values("shares", *MAY) == [6]
    assert grouped("shares", *MAY, group="variant", program="refer-a-friend") == by_variant
    assert grouped("clicks", *MAY, group="variant") == {"bold/bold": 1}
    assert picture.slug == "red"


def test_an_exposure_told_late_is_counted_for_all_the_days_since(program):
    experiment = running(program)
    [[bold]] = arms(experiment, bold=1).values()
    share(bold, NOON + DAY)
    refresh_rollups(at=NOON + DAY)
    before = grouped("shares", *MAY, group="variant")

    with moment(NOON + 2 * DAY):
        note_exposures(shown=[(bold, Variant.objects.get(name="bold"))], placement="mail", at=NOON)

    assert before == {}
    assert grouped("shares", *MAY, group="variant") == {"bold/bold": 1}
    incremental = snapshot()
    refresh_rollups(at=NOON + 2 * DAY, full=True)
    assert snapshot() == incremental


def test_metrics_without_variants_refuse_to_be_split_by_them():
    with pytest.raises(Exception, match="cannot be split by variant"):
        ask("orders", *MAY, group="variant")


# The pages


def words_of(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_page_tells_each_variants_numbers_with_their_intervals(analyst, program):
    experiment = running(program)
    [calm, bold] = experiment.variants.all()
    _expose_many(calm, 120, shared=30)
    _expose_many(bold, 100, shared=40)

    words = words_of(analyst.get("/dashboard/experiments/bold/").text)

    assert "Try bold" in words
    assert "today (control) 120 weight 1, expected 110 25.0 % (30) 18.1 % … 33.4 % 30 in all" in words
    assert "bold 100 weight 1, expected 110 40.0 % (40) 30.9 % … 49.8 % 40 in all 0.0 % (0)" in words
    assert "0 in all · too early to tell" in words
    assert "Too early to tell. Each variant" not in words
    assert "by chance with probability 0.178" in words
    assert "What was expected: more friends" in words
    assert "Do not rely" not in words


def test_page_says_where_it_is_too_early(analyst, program):
    experiment = running(program)
    [calm, bold] = experiment.variants.all()
    _expose_many(calm, 100, shared=50)
    _expose_many(bold, 99, shared=50)

    words = words_of(analyst.get("/dashboard/experiments/bold/").text)

    assert "Too early to tell. Each variant needs at least 100 advocates; the smallest has 99." in words


def test_page_warns_of_a_split_that_chance_does_not_make(analyst, program):
    experiment = running(program)
    [calm, bold] = experiment.variants.all()
    _expose_many(calm, 200)
    _expose_many(bold, 120)

    words = words_of(analyst.get("/dashboard/experiments/bold/").text)

    assert "Do not rely on these numbers. The advocates are not split by the weights (p < 0.0001)" in words


def test_page_that_knew_no_bound_would_not_warn(analyst, program, monkeypatch):
    experiment = running(program)
    _expose_many(experiment.variants.first(), 120)
    monkeypatch.setattr(results, "UNEVEN", 0)

    assert "Do not rely" not in analyst.get("/dashboard/experiments/bold/").text


def test_page_of_one_that_nobody_has_seen_yet(analyst, program):
    running(program)

    words = words_of(analyst.get("/dashboard/experiments/bold/").text)

    assert "Nobody has been shown a variant yet." in words
    assert "today (control) 0 weight 1, expected 0 – (0)" in words


def test_drafts_have_no_results_and_the_list_leads_to_the_others(analyst, program):
    empty = analyst.get("/dashboard/experiments/")
    draft(program, slug="later")
    running(program)

    listed = analyst.get("/dashboard/experiments/").text

    assert "No experiment has begun yet" in empty.text
    assert 'href="/dashboard/experiments/bold/"' in listed
    assert "later" not in listed
    assert analyst.get("/dashboard/experiments/later/").status_code == 404


def test_pages_ask_as_often_for_many_as_for_one(analyst, program):
    experiment = running(program)
    found = arms(experiment, today=1, bold=1)

    def queries(path):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert analyst.get(path).status_code == 200
        return len(asked)

    def grow(number):
        for link in (*found["today"], *found["bold"]):
            share(link, NOON + number * DAY)
            befriend(link, NOON + number * DAY, orders=1)

    expose(*found["today"], *found["bold"])
    grow(1)
    pages = ("/dashboard/experiments/", "/dashboard/experiments/bold/")
    few = [queries(page) for page in pages]
    more = arms(experiment, today=2, bold=2)
    expose(*more["today"], *more["bold"])
    found = more
    grow(2)
    end_experiment(experiment=experiment, learnt="", at=NOON + 9 * DAY)
    running(program, {"name": "x"}, {"name": "y", "colour": "#aa0000"}, subject="picture", slug="two")

    assert [queries(page) for page in pages] == few


def _expose_many(variant, count, shared=0):
    """Expose so many new customers to a variant, of whom the first `shared` share once."""
    for number in range(count):
        link = ensure_link(customer=CustomerFactory(), program=variant.experiment.program)
        Exposure.objects.create(
            experiment=variant.experiment, variant=variant, customer=link.customer, link=link, at=NOON
        )
        if number < shared:
            share(link, NOON + HOUR)
