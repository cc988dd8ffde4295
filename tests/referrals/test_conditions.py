from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from referrals.conditions import BadCondition, evaluate, fields_of, parse_condition

AT = datetime(2026, 5, 1, tzinfo=UTC)
FIELDS = {
    "channel": "text",
    "amount": "number",
    "vip": "flag",
    "since": "moment",
    "attributes.*": "open",
}


def outcome(given, **values):
    return evaluate(parse_condition(given, FIELDS), {key.replace("__", "."): v for key, v in values.items()}, at=AT)


@pytest.mark.parametrize(
    ("given", "values", "holds"),
    [
        ({"channel": "email"}, {"channel": "Email"}, True),
        ({"channel": ["a", "b"]}, {"channel": "b"}, True),
        ({"channel": {"ne": "a"}}, {}, True),
        ({"channel": {"not_in": ["a"]}}, {"channel": "a"}, False),
        ({"channel": {"contains": "AT"}}, {"channel": "whatsapp"}, True),
        ({"channel": {"starts_with": "what"}}, {"channel": "whatsapp"}, True),
        ({"amount": {"gte": "100"}}, {"amount": Decimal("100.00")}, True),
        ({"amount": {"gt": "100"}}, {"amount": Decimal("100.00")}, False),
        ({"amount": {"gt": 1, "lt": 3}}, {"amount": 2}, True),
        ({"amount": {"lte": "0.1"}}, {"amount": Decimal("0.1")}, True),
        ({"amount": "5"}, {"amount": Decimal("5.0")}, True),
        ({"amount": {"gte": "1"}}, {}, False),
        ({"vip": True}, {"vip": True}, True),
        ({"vip": "false"}, {"vip": True}, False),
        ({"since": {"within_days": 30}}, {"since": AT - timedelta(days=30)}, True),
        ({"since": {"within_days": 30}}, {"since": AT - timedelta(days=30, seconds=1)}, False),
        ({"since": {"older_than_days": "30"}}, {"since": AT - timedelta(days=31)}, True),
        ({"since": {"before": "2026-05-01"}}, {"since": AT}, False),
        ({"since": {"after": "2026-05-01"}}, {"since": AT}, True),
        ({"attributes.plan": "gold"}, {"attributes__plan": "Gold"}, True),
        ({"attributes.age": {"gte": "18"}}, {"attributes__age": 20}, True),
        ({"attributes.age": {"gte": "18"}}, {"attributes__age": "unknown"}, False),
        ({"attributes.x": {"exists": False}}, {}, True),
        ({"attributes.on": "true"}, {"attributes__on": True}, True),
        ({"all": [{"channel": "a"}, {"amount": "1"}]}, {"channel": "a", "amount": 1}, True),
        ({"any": [{"channel": "a"}, {"amount": "1"}]}, {"channel": "b", "amount": 1}, True),
        ({"not": {"channel": "a"}}, {"channel": "a"}, False),
        ({"channel": "a", "amount": "1"}, {"channel": "a", "amount": 2}, False),
    ],
)
def test_evaluate_compares_as_written(given, values, holds):
    assert outcome(given, **values).holds is holds


def test_evaluate_names_the_comparison_that_failed_and_what_it_saw():
    told = outcome(
        {"all": [{"channel": "email"}, {"amount": {"gte": "100"}}]}, channel="email", amount=Decimal("59.90")
    )

    assert (told.holds, told.condition, told.saw) == (False, "amount gte 100", "59.90")


def test_evaluate_of_alternatives_names_them_all():
    told = outcome({"any": [{"channel": ["x", "y"]}, {"amount": {"gte": "100"}}]}, channel="email")

    assert (told.condition, told.saw) == ("channel in x, y or amount gte 100", "email; nothing")


@pytest.mark.parametrize(
    ("given", "path", "says"),
    [
        ({}, (), "expected all, any, not, or a field"),
        ([], (), "expected all, any, not, or a field"),
        ({"all": {}}, ("all",), "expected all to be a list"),
        ({"any": []}, ("any",), "expected any to be a list"),
        ({"all": [{"nope": 1}]}, ("all", 0, "nope"), "unknown field 'nope'"),
        ({"attributes.": "x"}, ("attributes.",), "unknown field"),
        ({"channel": {"gte": "1"}}, ("channel", "gte"), "unknown 'gte', expected one of eq, ne"),
        ({"channel": {"in": "a"}}, ("channel", "in"), "expected in to be a list"),
        ({"channel": {}}, ("channel",), "expected one of eq"),
        ({"channel": {"eq": {"a": 1}}}, ("channel", "eq"), "expected a value"),
        ({"channel": "x" * 201}, ("channel", "eq"), "at most 200"),
        ({"amount": "NaN"}, ("amount", "eq"), "expected a number"),
        ({"amount": True}, ("amount", "eq"), "expected a value"),
        ({"vip": "maybe"}, ("vip", "eq"), "true or false"),
        ({"since": {"within_days": -1}}, ("since", "within_days"), "whole number of days"),
        ({"since": {"before": "soon"}}, ("since", "before"), "a day such as"),
    ],
)
def test_parse_condition_names_the_part_that_is_wrong(given, path, says):
    with pytest.raises(BadCondition, match=says) as refusal:
        parse_condition(given, FIELDS)

    assert refusal.value.path == path


def test_parse_condition_bounds_its_size():
    deep: dict = {"channel": "a"}
    for _ in range(20):
        deep = {"not": deep}

    with pytest.raises(BadCondition, match="at most"):
        parse_condition(deep, FIELDS)
    with pytest.raises(BadCondition, match="at most"):
        parse_condition({"any": [{"channel": "a"}] * 101}, FIELDS)


def test_fields_of_names_what_is_asked():
    condition = parse_condition({"any": [{"channel": "a"}, {"not": {"attributes.x": "1"}}]}, FIELDS)

    assert fields_of(condition) == {"channel", "attributes.x"}
