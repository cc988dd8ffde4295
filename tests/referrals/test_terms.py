import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from referrals.terms import MODELS, RewardRule, Terms, decimal_text, terms_from_json

DAYS = st.integers(0, 3650)
DECIMALS = st.decimals(0, 1000, places=4, allow_nan=False)
RULES = st.builds(
    RewardRule,
    id=st.text("abc-123", min_size=1, max_size=9),
    to=st.sampled_from(["advocate", "friend"]),
    on=st.sampled_from(["signup", "qualified", "purchase"]),
    points=st.none() | st.integers(0, 10**9),
    percent=st.none() | DECIMALS,
    max_points=st.none() | st.integers(0, 10**9),
    repeat_days=st.none() | DAYS,
    hold_days=st.none() | DAYS,
)
TERMS = st.builds(
    Terms,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    qualifies_on=st.sampled_from(["signup", "purchase", "lead_won", "custom:demo"]),
    attribution_window_days=DAYS,
    attribution_model=st.sampled_from(MODELS),
    conversion_window_days=DAYS,
    min_amount_minor=st.integers(0, 10**12),
    hold_days=DAYS,
    points_per_unit=DECIMALS,
    rewards=st.lists(RULES, max_size=4).map(tuple),
)


@given(TERMS)
def test_terms_from_json_gives_back_what_to_json_wrote(terms):
    assert terms_from_json(json.loads(json.dumps(terms.to_json()))) == terms


@given(DECIMALS)
def test_decimal_text_is_exact_and_plain(number):
    assert Decimal(decimal_text(number)) == number
    assert "E" not in decimal_text(number)


def test_decimal_text_drops_only_trailing_zeros_behind_the_point():
    assert [decimal_text(Decimal(text)) for text in ("2.50", "100", "1E+2", "0.0", "-0.10")] == [
        "2.5",
        "100",
        "100",
        "0",
        "-0.1",
    ]


def test_rules_on_keeps_the_order_of_the_file():
    first = RewardRule(id="b", to="friend", on="signup", points=1)
    second = RewardRule(id="a", to="advocate", on="signup", points=2)
    other = RewardRule(id="c", to="advocate", on="qualified", points=3)
    terms = Terms(currency="EUR", qualifies_on="purchase", rewards=(first, other, second))

    assert terms.rules_on("signup") == (first, second)


def test_hold_days_of_lets_a_rules_own_hold_win_but_never_shortens_an_advocates():
    terms = Terms(currency="EUR", qualifies_on="purchase", hold_days=14)
    cases = [
        ("friend", 0, 0),
        ("friend", None, 14),
        ("friend", 30, 30),
        ("advocate", 3, 14),
        ("advocate", 30, 30),
    ]

    for to, own, expected in cases:
        assert terms.hold_days_of(RewardRule(id="r", to=to, on="qualified", points=1, hold_days=own)) == expected
