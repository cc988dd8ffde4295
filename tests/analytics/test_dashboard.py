"""The staff dashboard: who may see it, what it shows, and that page, API and CSV tell the same."""

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from accounts.services import create_api_key, ensure_roles
from analytics.management.commands.document_metrics import metrics_page
from analytics.metrics import METRICS
from referrals.models import Link
from referrals.services.placements import record_share, record_view
from tests.analytics import facts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
PAGES = ("/dashboard/", "/dashboard/numbers/", "/dashboard/csv/orders.csv?from=2026-03-01&to=2026-04-01")


def staff(role: str) -> Client:
    ensure_roles()
    user = User.objects.create_user("boss@shop.example", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    return staff("Analyst")


@pytest.fixture(autouse=True)
def _in_march():
    with time_machine.travel(NOW, tick=False):
        yield


def a_few_facts() -> None:
    facts.click("ann", "2026-03-01", "email")
    bob = facts.referral("ann", "bob", "2026-03-02")
    facts.qualify(bob, facts.purchase("bob", "2026-03-03", 123456, channel="web"))
    facts.purchase("cay", "2026-03-04", 4000, "c-1")
    facts.refund("cay", "2026-03-05", 1000, "c-1")
    facts.purchase("dan", "2026-02-03", 2000)


@pytest.mark.parametrize("page", PAGES)
def test_dashboard_is_for_staff_whose_role_shows_the_numbers(page):
    stranger, customer = Client(), Client()
    customer.force_login(User.objects.create_user("ann@shop.example"))

    asked = stranger.get(page)

    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, "/accounts/login/")
    assert customer.get(page).status_code == 404
    assert staff("Support").get(page).status_code == 403
    User.objects.get(email="boss@shop.example").groups.add(Group.objects.get(name="Marketer"))
    again = Client()
    again.force_login(User.objects.get(email="boss@shop.example"))
    assert again.get(page).status_code == 200


def test_overview_says_what_to_do_where_there_is_nothing(boss):
    page = boss.get("/dashboard/").content.decode()

    assert "No numbers yet" in page
    assert page.count('class="empty"') == 6  # the page's own and one a chart
    assert "data-chart" not in page


def test_overview_shows_tiles_charts_and_the_tables_behind_them(boss):
    a_few_facts()

    page = boss.get("/dashboard/?first=2026-03-01&last=2026-03-31").content.decode()

    tiles = dict(re.findall(r'data-metric="(\w+)">([^<]*)<', page))
    assert tiles["revenue_net"] == "1,264.56 EUR"  # 1,234.56 + 40.00 − 10.00
    assert (tiles["orders"], tiles["new_customers"], tiles["customers"]) == ("2", "2", "3")
    assert (tiles["clicks"], tiles["signups_referred"], tiles["referrals_qualified"]) == ("1", "1", "1")
    assert (tiles["referral_share"], tiles["nps"]) == ("50.0\u00a0%", "–")
    assert "not enough yet" in page
    assert "▲ 100" in page  # two orders against one
    assert page.count("<caption") == 4
    assert "No confirmed answers in these days" in page
    payload = json.loads(re.search(r'<script id="payload-revenue" type="application/json">(.*?)</script>', page)[1])
    assert payload["axes"] == ["EUR", "orders"]
    assert payload["lines"][0]["values"][:5] == [0, 0, 1234.56, 40.0, -10.0]
    assert "<script>" not in page
    assert " style=" not in page


def test_overview_shows_views_openings_shares_and_clicks_by_placement(boss):
    empty = boss.get("/dashboard/").content.decode()
    for placement in ("portal", "portal", "", "newsletter"):
        facts.click("ann", "2026-03-01", placement=placement)
    link = Link.objects.get()
    for kind, placement in (("view", "mail"), ("view", "mail"), ("view", "portal"), ("open", "mail")):
        record_view(program=link.program, kind=kind, placement=placement, at=NOW)
    record_share(link=link, program=link.program, channel="copy", placement="portal", at=NOW)

    page = boss.get("/dashboard/?first=2026-03-01&last=2026-03-31").content.decode()

    table = page[page.index('id="placements"') :]
    rows = re.findall(r'<th scope="row">(.*?)</th>((?:<td class="number">\d+</td>)+)', table)
    assert [(title, re.findall(r">(\d+)<", cells)) for title, cells in rows] == [
        ("mail", ["2", "1", "0", "0"]),
        ("portal", ["1", "0", "1", "2"]),
        ("newsletter", ["0", "0", "0", "1"]),
        ("not known", ["0", "0", "0", "1"]),
    ]
    assert "mails sent, not seen" in table
    assert 'id="placements"' not in empty


def test_overview_keeps_to_a_program(boss):
    facts.click("ann", "2026-03-01", slug="one")
    facts.click("ann", "2026-03-01", slug="two")
    facts.click("bob", "2026-03-01", slug="two")

    page = boss.get("/dashboard/?range=30d&program=two").content.decode()

    assert re.search(r'data-metric="clicks">2<', page)
    assert "whole company" in page
    assert "range=90d&amp;program=two" in page


def test_overview_shows_one_currency_at_a_time(boss):
    facts.purchase("ann", "2026-03-01", 1000, currency="EUR")
    facts.purchase("ann", "2026-03-01", 500, currency="JPY")

    euro = boss.get("/dashboard/").content.decode()
    yen = boss.get("/dashboard/?currency=JPY").content.decode()

    assert 'data-metric="revenue_net">10.00 EUR<' in euro
    assert 'data-metric="revenue_net">500 JPY<' in yen
    assert "<option selected>JPY</option>" in yen


@pytest.mark.parametrize(
    "query",
    [
        "first=2026-03-05&last=2026-03-01",
        "first=soon",
        "range=ever",
        "program=none",
        "first=0001-01-01",
        "last=9999-12-31",
    ],
)
def test_overview_tells_of_filters_that_make_no_sense(boss, query):
    answer = boss.get(f"/dashboard/?{query}")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("range_", ["30d", "90d", "12m", "month", "year", "all"])
def test_overview_knows_its_presets(boss, range_):
    a_few_facts()

    page = boss.get(f"/dashboard/?range={range_}").content.decode()

    assert f'range={range_}" aria-current="true"' in page
    assert re.search(r'data-metric="orders">[23]<', page)


def test_csv_api_and_page_tell_the_same(boss):
    a_few_facts()
    _, key = create_api_key(name="reader", scopes=["read"])
    reader = Client(headers={"Authorization": f"Bearer {key}"})
    query = "from=2026-02-01&to=2026-04-01&by=month"

    for name, metric in METRICS.items():
        answer = reader.get(f"/api/v1/metrics/{name}?{query}").json()
        given = boss.get(f"/dashboard/csv/{name}.csv?{query}")
        rows = list(csv.DictReader(io.StringIO(given.content.decode())))

        assert given["Content-Type"] == "text/csv; charset=utf-8"
        assert len(rows) == len(answer["points"]) == 2
        for row, point in zip(rows, answer["points"], strict=True):
            assert (row["from"], row["to"], row["unit"]) == (point["from"], point["to"], metric.unit)
            for column in ("value", "numerator", "denominator"):
                assert row[column] == ("" if point[column] is None else str(point[column])), (name, column)
            assert row["enough"] == str(point["enough"]).lower()
    page = boss.get("/dashboard/?first=2025-08-01&last=2026-03-31").content.decode()
    table = page.partition('id="chart-revenue"')[2].partition("</table>")[0]
    cells = re.findall(r"<tr><th[^>]*>(\w+ \d+)</th><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)</td>", table)
    assert cells[-2:] == [("Feb 2026", "20.00 EUR", "1"), ("Mar 2026", "1,264.56 EUR", "2")]


def test_csv_gives_no_text_that_a_spreadsheet_would_compute(boss):
    facts.purchase("ann", "2026-03-01", 100, channel="=1+1")

    rows = boss.get("/dashboard/csv/orders.csv?from=2026-03-01&to=2026-04-01&group=channel").content.decode()

    assert "'=1+1" in rows


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("happiness.csv?from=2026-03-01&to=2026-04-01", 404),
        ("orders.csv?from=2026-03-01", 422),
        ("orders.csv?from=2026-03-01&to=2026-03-01", 422),
        ("orders.csv?from=2026-03-01&to=2026-04-01&group=program", 422),
        ("orders.csv?from=2026-03-01&to=2026-04-01&by=hour", 422),
    ],
)
def test_csv_refuses_what_makes_no_sense(boss, path, status):
    assert boss.get(f"/dashboard/csv/{path}").status_code == status


def test_overview_takes_as_many_queries_for_many_facts_as_for_few(boss, django_assert_max_num_queries):
    a_few_facts()
    boss.get("/dashboard/")
    for number in range(20):
        facts.purchase(f"c-{number}", "2026-03-10", 100)
        facts.click("ann", "2026-03-10")
    boss.get("/dashboard/")

    with django_assert_max_num_queries(54):
        boss.get("/dashboard/")


def test_numbers_explains_every_metric(boss):
    page = boss.get("/dashboard/numbers/").content.decode()

    for name in METRICS:
        assert f'id="{name}"' in page


def test_metrics_page_is_the_one_in_the_docs():
    assert (Path(settings.BASE_DIR) / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_vendored_files_are_the_ones_recorded():
    vendor = Path(settings.BASE_DIR) / "static" / "vendor"
    recorded = re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE)

    assert sorted(file for file, _ in recorded) == sorted(
        str(file.relative_to(vendor)) for file in vendor.rglob("*.js")
    )
    for file, expected in recorded:
        assert hashlib.sha256((vendor / file).read_bytes()).hexdigest() == expected
