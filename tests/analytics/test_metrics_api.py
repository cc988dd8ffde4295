"""GET /api/v1/metrics: the shape that was promised, and what bad questions get."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.services import create_api_key
from analytics.metrics import METRICS
from tests.analytics import facts

pytestmark = pytest.mark.django_db

MARCH = "from=2026-03-01&to=2026-04-01"


@pytest.fixture
def read():
    _, key = create_api_key(name="reader", scopes=["read"])
    client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(path: str):
        return client.get(f"/api/v1/metrics{path}")

    return get


def test_metrics_lists_the_catalogue(read):
    answer = read("")

    assert answer.status_code == 200
    listed = {row["name"]: row for row in answer.json()["results"]}
    assert list(listed) == [
        "customers", "new_customers", "orders", "revenue_gross", "refunds", "revenue_net", "offer_views", "offer_opens",
        "shares", "clicks", "signups_referred", "referrals_qualified", "referral_share", "referrer_participation",
        "points_granted", "nps",
    ]  # fmt: skip
    assert set(METRICS) == set(listed)
    share = listed["referral_share"]
    assert (share["unit"], share["denominator"]) == ("ratio", "purchase events")
    for row in listed.values():
        assert {"name", "title", "category", "definition", "unit", "numerator", "denominator", "source"} <= set(row)
    assert listed["orders"]["denominator"] is None


@time_machine.travel(datetime(2026, 3, 20, 9, 30, tzinfo=UTC), tick=False)
def test_metric_answers_exactly_as_promised(read):
    facts.purchase("ann", "2026-03-05", 1999, channel="web")
    facts.purchase("bob", "2026-03-06", 1, channel="web")

    answer = read(f"/revenue_gross?{MARCH}&by=month&group=channel&currency=EUR").json()

    assert answer == {
        "metric": "revenue_gross",
        "unit": "money",
        "currency": "EUR",
        "time_zone": "UTC",
        "as_of": "2026-03-20T09:30:00Z",
        "complete_through": "2026-03-20",
        "points": [
            {
                "from": "2026-03-01",
                "to": "2026-04-01",
                "group": "web",
                "value": "20.00",
                "numerator": "20.00",
                "denominator": None,
                "interval": None,
                "enough": True,
            }
        ],
    }


def test_metric_is_right_at_once_after_an_event(read):
    for number in range(1, 4):
        facts.purchase("ann", "2026-03-05", 100)

        (point,) = read(f"/orders?{MARCH}").json()["points"]

        assert point["value"] == number


def test_metric_range_takes_from_in_and_leaves_to_out(read):
    for day in ("2026-02-28T23:59:59", "2026-03-01T00:00:00", "2026-03-31T23:59:59", "2026-04-01T00:00:00"):
        facts.purchase("ann", day, 100)

    assert read(f"/orders?{MARCH}").json()["points"][0]["value"] == 2


def test_metric_without_a_range_covers_everything_so_far(read):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    facts.purchase("ann", "2019-05-05", 100)
    facts.purchase("ann", yesterday.date().isoformat(), 100)

    (point,) = read("/orders").json()["points"]

    assert (point["from"], point["value"]) == ("2019-05-05", 2)


def test_metric_without_facts_is_zero_and_a_ratio_without_denominator_null(read):
    values = {name: read(f"/{name}?{MARCH}").json()["points"][0] for name in METRICS}

    for name, point in values.items():
        if METRICS[name].unit in ("ratio", "score"):
            assert (point["value"], point["denominator"], point["interval"]) == (None, 0, None), name
            assert point["enough"] is False
        elif METRICS[name].unit == "money":
            assert point["value"] == "0", name
        else:
            assert point["value"] == 0, name


def test_metric_ratio_tells_its_interval_and_when_there_is_enough(read):
    referral = facts.referral("ann", "bob", "2026-03-01")
    facts.qualify(referral, facts.purchase("bob", "2026-03-02", 100))
    for _ in range(4):
        facts.purchase("bob", "2026-03-03", 100)
    for _ in range(25):
        facts.purchase("cay", "2026-03-03", 100)

    (point,) = read(f"/referral_share?{MARCH}").json()["points"]

    assert (point["value"], point["numerator"], point["denominator"]) == (5 / 30, 5, 30)
    assert point["interval"] == pytest.approx([0.0734, 0.3356], abs=1e-4)
    assert point["enough"] is True


def test_metric_never_adds_currencies(read):
    facts.purchase("ann", "2026-03-05", 1000, currency="EUR")
    facts.purchase("ann", "2026-03-05", 500, currency="JPY")

    refused = read(f"/revenue_net?{MARCH}")

    assert refused.status_code == 422
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["errors"] == [
        {"pointer": "/currency", "detail": "there is money in EUR, JPY; name one with `currency`"}
    ]
    assert read(f"/revenue_net?{MARCH}&currency=JPY").json()["points"][0]["value"] == "500"
    assert read(f"/revenue_net?{MARCH}&currency=USD").json()["points"][0]["value"] == "0.00"
    assert read(f"/orders?{MARCH}").json()["points"][0]["value"] == 2
    assert read(f"/orders?{MARCH}&currency=JPY").json()["points"][0]["value"] == 1


def test_metric_takes_the_only_currency_there_is(read):
    facts.purchase("ann", "2026-03-05", 1000, currency="EUR")
    facts.purchase("ann", "2026-05-05", 500, currency="JPY")

    answer = read(f"/revenue_net?{MARCH}").json()

    assert (answer["currency"], answer["points"][0]["value"]) == ("EUR", "10.00")


def test_metric_by_program_keeps_to_that_program(read):
    facts.click("ann", "2026-03-01", "email", slug="one")
    facts.click("ann", "2026-03-01", "email", slug="two")
    facts.click("ann", "2026-03-01", "copy", slug="two")

    grouped = read(f"/clicks?{MARCH}&group=program").json()["points"]
    of_two = read(f"/clicks?{MARCH}&group=channel&program=two").json()["points"]

    assert [(point["group"], point["value"]) for point in grouped] == [("one", 1), ("two", 2)]
    assert [(point["group"], point["value"]) for point in of_two] == [("copy", 1), ("email", 1)]
    assert read(f"/clicks?{MARCH}&program=one").json()["points"][0]["value"] == 1


@pytest.mark.parametrize(
    ("path", "pointer", "told"),
    [
        ("/orders?from=yesterday", "/from", "2026-03-01"),
        ("/orders?from=2026-03-02&to=2026-03-02", "/to", "exclusive"),
        ("/orders?from=0001-01-01&to=2026-03-02", "/from", "1900"),
        ("/orders?from=2026-03-01&to=9999-12-31", "/to", "2200"),
        ("/orders?from=1900-01-01&to=2199-01-01&by=day", "/by", "4000"),
        ("/orders?by=hour", "/by", "hour"),
        ("/orders?until=2026-03-02", "/until", "Unknown"),
        ("/orders?group=colour", "/group", "colour"),
        ("/orders?group=program", "/group", "allowed: channel"),
        ("/nps?group=channel", "/group", "cannot be split at all"),
        ("/orders?program=one", "/program", "no program"),
        ("/clicks?program=none", "/program", "none"),
        ("/clicks?currency=EUR", "/currency", "no currency"),
        ("/revenue_net?currency=XXZ", "/currency", "XXZ"),
        ("/revenue_net?currency=euro", "/currency", "3"),
    ],
)
def test_metric_refuses_what_makes_no_sense(read, path, pointer, told):
    answer = read(path)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert told in error["detail"]


def test_metric_of_an_unknown_name_is_not_found(read):
    answer = read("/happiness")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_metric")


def test_metric_needs_a_key_that_may_read(client):
    _, key = create_api_key(name="writer", scopes=["write"])

    assert client.get("/api/v1/metrics/orders").status_code == 401
    assert client.get("/api/v1/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/api/v1/metrics/orders", headers={"Authorization": f"Bearer {key}"}).status_code == 403


@pytest.mark.parametrize("name", METRICS)
def test_metric_takes_as_many_queries_for_many_facts_as_for_few(read, name, django_assert_max_num_queries):
    facts.click("ann", "2026-03-01", "email")
    path = f"/{name}?from=2026-01-01&to=2026-12-31&by=day"
    read(path)
    for number in range(20):
        facts.purchase(f"c-{number}", f"2026-03-{number + 1:02}", 100)
    read(path)

    with django_assert_max_num_queries(9):
        assert len(read(path).json()["points"]) == 364
