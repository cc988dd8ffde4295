import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.conditions import All, AnyOf, Comparison, Not
from referrals.program_file import ProgramDocument, ProgramFileRefused, parse_program
from referrals.program_text import program_changes, render_program
from referrals.terms import Level, Limits, Milestone, RewardRule, Risk, Terms, Tiers

FILE = """\
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
allowed_landing_hosts: [shop.example]
starts: 2026-01-01
attribution: {window_days: 30, model: last_touch}
conversion_window_days: 180
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 14
points_per_unit: 1
expires_days: null
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: friend-welcome, to: friend,   on: signup,    points: 100, hold_days: 0}
  - {id: advocate-share, to: advocate, on: purchase,  percent: 2.5, max_points: 200, repeat_days: 365}
tiers: {}
milestones: []
limits: null
"""
MINIMAL = """\
program: p
name: P
currency: EUR
landing_url: https://shop.example/
qualifies: {on: purchase}
rewards: []
"""


def problems_of(text):
    with pytest.raises(ProgramFileRefused) as refusal:
        parse_program(text, file="p.yaml")
    return [str(problem) for problem in refusal.value.problems]


def test_parse_program_reads_every_word():
    document = parse_program(FILE)

    assert document == ProgramDocument(
        slug="refer-a-friend",
        name="Refer a friend",
        status="active",
        landing_url="https://shop.example/welcome",
        allowed_landing_hosts=("shop.example",),
        starts=date(2026, 1, 1),
        ends=None,
        terms=Terms(
            currency="EUR",
            qualifies_on="purchase",
            min_amount_minor=2000,
            rewards=(
                RewardRule(id="advocate-fixed", to="advocate", on="qualified", points=500),
                RewardRule(id="friend-welcome", to="friend", on="signup", points=100, hold_days=0),
                RewardRule(
                    id="advocate-share",
                    to="advocate",
                    on="purchase",
                    percent=Decimal("2.5"),
                    max_points=200,
                    repeat_days=365,
                ),
            ),
        ),
    )


def test_parse_program_fills_in_the_defaults():
    document = parse_program(MINIMAL)

    assert (document.status, document.starts, document.ends) == ("draft", None, None)
    assert document.allowed_landing_hosts == ("shop.example",)
    assert document.terms == Terms(
        currency="EUR",
        qualifies_on="purchase",
        attribution_window_days=30,
        attribution_model="last_touch",
        conversion_window_days=180,
        min_amount_minor=0,
        hold_days=14,
        points_per_unit=Decimal(1),
        rewards=(),
    )


@pytest.mark.parametrize("on", ["signup", "purchase", "lead_won", "custom:demo_booked"])
def test_parse_program_qualifies_on_each_moment(on):
    assert parse_program(MINIMAL.replace("on: purchase", f"on: {on}")).terms.qualifies_on == on


def test_parse_program_accepts_json_with_tabs_and_escapes():
    value = {
        "program": "p",
        "name": "Freude \U0001f600",
        "currency": "EUR",
        "landing_url": "https://shop.example/",
        "qualifies": {"on": "purchase", "min_amount": "1.00"},
        "rewards": [{"id": "a", "to": "friend", "on": "signup", "points": 5}],
        "risk": {},
        "starts": "2026-01-01",
    }

    document = parse_program(json.dumps(value, indent="\t").replace("/", "\\/"))

    assert document.name == "Freude \U0001f600"
    assert document.starts == date(2026, 1, 1)
    assert document.terms.rewards == (RewardRule(id="a", to="friend", on="signup", points=5),)


def change(old, new, text=FILE):
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("hold_days: 14", "hold_dayz: 14", 11, "unknown key 'hold_dayz'"),
        ("status: active", "status: on", 3, "status to be one of draft, active, paused, ended"),
        ("currency: EUR", "currency: EUX", 4, "not an ISO 4217 currency"),
        ("https://shop.example/welcome", "https://evil.example/", 5, "one of allowed_landing_hosts (shop.example)"),
        ("https://shop.example/welcome", "http://shop.example/", 5, "https"),
        ("https://shop.example/welcome", "https://a@shop.example/", 5, "landing_url such as"),
        ("https://shop.example/welcome", "javascript:alert(1)", 5, "landing_url such as"),
        ("[shop.example]", "[https://shop.example]", 6, "a host name such as shop.example"),
        ("[shop.example]", "shop.example", 6, "expected a list"),
        ("starts: 2026-01-01", "starts: 2026-02-30", 7, "starts to be a day"),
        ("starts: 2026-01-01", "starts: 2026-01-01T00:00:00Z", 7, "starts to be a day"),
        ("starts: 2026-01-01", "starts: 2026-01-01\nends: 2026-01-01", 8, "after starts"),
        ("window_days: 30", "window_days: -1", 8, "window_days to be a whole number"),
        ("window_days: 30", "window_days: 30.5", 8, "window_days to be a whole number"),
        ("window_days: 30", "window_days: 1_000", 8, "window_days to be a whole number"),
        ("model: last_touch", "model: linear", 8, "last_touch, first_touch"),
        ('min_amount: "20.00"', 'min_amount: "20.001"', 10, "EUR has 2 decimals"),
        ('min_amount: "20.00"', "min_amount: -1", 10, "an amount of 0 or more"),
        ("on: purchase, min", "on: refund, min", 10, "lead_won or custom:NAME"),
        ("hold_days: 14", "hold_days: '14'", 11, "without quotes"),
        ("points_per_unit: 1", "points_per_unit: -1", 12, "points_per_unit to be a number from 0"),
        ("points_per_unit: 1", "points_per_unit: .inf", 12, "points_per_unit to be a number from 0"),
        ("expires_days: null", "expires_days: soon", 13, "expires_days to be a whole number"),
        (
            "points: 500}",
            "points: 500, when: {chanel: {in: [email]}}}",
            15,
            "unknown field 'chanel', expected all, any",
        ),
        ("points: 500}", "points: 500, when: {channel: {near: email}}}", 15, "unknown 'near', expected one of eq"),
        ("points: 500}", "points: 500, when: {order.amount: {gte: lots}}}", 15, "expected a number such as '100'"),
        ("points: 500}", "points: 500, when: {channel: a, channel: b}}", 15, "'channel' is given twice"),
        ("points: 500}", "points: 500, when: []}", 15, "expected all, any, not, or a field"),
        ("points: 500}", "points: 500,\n     when: {all: [{channel: email},\n {order.x: 1}]}}", 17, "unknown field"),
        ("points: 500}", "coupon: [A]}", 15, "coupon to be a name"),
        ("points: 500}", "credit: lots}", 15, "an amount of 0 or more"),
        ("points: 500}", "points: 500, first_match: 'a b'}", 15, "first_match to be the name of a group"),
        ("on: qualified, points", "on: claim, points", 15, "on: claim: expected to: friend and a coupon"),
        ("on: signup,    points", "on: assist, points", 16, "on: assist: expected to: advocate"),
        ("points: 500}", "points: 500, percent: 5}", 15, "exactly one of points, percent, coupon"),
        ("points: 500}", "hold_days: 20}", 15, "exactly one of points, percent, coupon"),
        ("points: 500}", "points: 500, max_points: 5}", 15, "max_points: only for a percent reward"),
        ("points: 500}", "points: 500, repeat_days: 5}", 15, "repeat_days: only for on: purchase"),
        ("points: 500}", "points: 500, hold_days: 13}", 15, "never shorter than the program's 14"),
        ("points: 500}", "points: -5}", 15, "points to be a whole number"),
        ("points: 500}", "points: 5.5}", 15, "points to be a whole number"),
        ("points: 500}", "points: 500, points: 500}", 15, "'points' is given twice"),
        ("id: advocate-fixed, to", "to", 15, "missing id"),
        ("points: 100, hold", "percent: 5, hold", 16, "percent: a sign-up has no amount"),
        ("to: friend", "to: stranger", 16, "to to be one of advocate, friend"),
        ("id: friend-welcome", "id: advocate-fixed", 16, "the id is used twice"),
        ("percent: 2.5", "percent: 1e1", 17, "percent to be a number"),
        ("tiers: {}", "tiers: {window_days: 30, levels: []}", 18, "tiers: expected levels"),
        ("tiers: {}", "tiers: {levels: [{name: Gold, from: 1}]}", 18, "tiers: missing window_days"),
        ("tiers: {}", "tiers: {window_days: 1, levels: [{name: A, from: 1}, {name: B, from: 1}]}", 18, "rising 'from'"),
        ("tiers: {}", "tiers: {window_days: 1, levels: [{name: A, from: 1}, {name: a, from: 2}]}", 18, "of their own"),
        ("tiers: {}", "tiers: {window_days: 1, levels: [{name: A, from: 1, when: {channel: x}}]}", 18, "unknown field"),
        ("milestones: []", "milestones: [{referrals: 0, points: 5}]", 19, "a whole number from 1"),
        ("milestones: []", "milestones: [{referrals: 1}]", 19, "points, a badge or both"),
        ("milestones: []", "milestones: [{referrals: 1, points: 1}, {referrals: 1, badge: b}]", 19, "given twice"),
        ("limits: null", "limits: {per_advocate: {period: month}}", 20, "per_advocate: missing referrals"),
        ("limits: null", "limits: {per_advocate: {referrals: 1, period: week}}", 20, "day, month, year, total"),
        ("limits: null", "limits: {then_offer: p}", 20, "then_offer: only beside budget_points"),
        ("limits: null", "limits: null\nrisk: {review_at: 101}", 21, "review_at to be a whole number from 0 to 100"),
        ("limits: null", "limits: null\nrisk: {review_at: 50, void_at: 40}", 21, "expected at least review_at, 50"),
        ("limits: null", "limits: null\nname: Again", 21, "the key 'name' is given twice"),
        ("limits: null", "limits: [", 21, "expected YAML or JSON"),
        ("limits: null", "limits: \x00", 20, "a character that is not allowed"),
    ],
)
def test_parse_program_names_the_line_and_what_was_expected(old, new, line, says):
    problems = problems_of(change(old, new))

    assert len(problems) == 1
    assert problems[0].startswith(f"p.yaml:{line}: ")
    assert says in problems[0]


@pytest.mark.parametrize("key", ["program", "name", "currency", "landing_url", "qualifies", "rewards"])
def test_parse_program_needs_its_needed_keys(key):
    lines = [line for line in MINIMAL.splitlines() if not line.startswith(f"{key}:")]

    assert problems_of("\n".join(lines)) == [f"p.yaml:1: missing or empty: {key}"]


def test_parse_program_collects_all_problems_by_line():
    text = change("status: active", "status: on").replace("hold_days: 14", "hold_days: x").replace("model: ", "m: ")

    assert [problem.split(":")[1] for problem in problems_of(text)] == ["3", "8", "11"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "[]", "just text", "- a", "&a [*a]", "a: 1\n---\nb: 2", "{" * 2000]
)
def test_parse_program_refuses_what_is_no_program(text):
    assert problems_of(text)


def test_parse_program_never_builds_python_objects():
    assert problems_of(change("name: Refer a friend", "name: !!python/object/apply:os.getcwd []"))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_parse_program_allows_http_on_this_machine_only(host):
    assert parse_program(MINIMAL.replace("https://shop.example", f"http://{host}")).landing_url == f"http://{host}/"


NAMES = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters="\ufffd\ufffe\uffff"),
    min_size=1,
    max_size=40,
).map(str.strip)
HOLDS = st.integers(0, 100)
IDS = st.sampled_from(["a", "on", "null", "12", "1.5", "A.b-c_9", "true", "0x1F", "2026-01-01"])


TESTS = st.sampled_from(
    [
        Comparison("order.amount", "gte", "100"),
        Comparison("channel", "in", ("whatsapp", "no", "1.0")),
        Comparison("customer.attributes.the plan: b", "eq", "true"),
        Comparison("order.discount", "exists", False),
    ]
)
CONDITIONS = st.recursive(
    TESTS,
    lambda parts: (
        st.lists(parts, min_size=2, max_size=3).map(lambda given: All(tuple(given)))
        | st.lists(parts, min_size=1, max_size=3).map(lambda given: AnyOf(tuple(given)))
        | parts.map(Not)
    ),
    max_leaves=4,
)
WHENS = st.none() | CONDITIONS
GIFTS = st.sampled_from(
    [
        {"kind": "coupon", "what": "WELCOME10"},
        {"kind": "perk", "what": "on"},
        {"kind": "choice", "what": "1.5"},
        {"kind": "manual", "what": "A mug, by post: soon"},
        {"kind": "credit", "amount_minor": 1000},
        {"kind": "gift_card", "amount_minor": 0},
        {"kind": "cash", "amount_minor": 5},
    ]
)


@st.composite
def tiers(draw):
    levels = tuple(
        Level(
            name=f"T {number}",
            least=number,
            multiplier=draw(st.decimals(0, 100, places=2)),
            vip=draw(st.booleans()),
            perks=draw(st.sampled_from([(), ("early", "no")])),
            when=draw(st.none() | st.just(Comparison("customer.locale", "eq", "de"))),
        )
        for number in sorted(draw(st.sets(HOLDS, min_size=1, max_size=3)))
    )
    return Tiers(window_days=draw(HOLDS), grace_days=draw(HOLDS), levels=levels)


@st.composite
def milestones(draw):
    return tuple(
        Milestone(referrals=number, points=draw(HOLDS), badge=draw(st.sampled_from(["", "null"])), when=draw(WHENS))
        for number in sorted(draw(st.sets(st.integers(1, 99), max_size=3)))
    )


@st.composite
def limits(draw):
    budget = draw(st.none() | HOLDS)
    referrals = draw(st.none() | HOLDS)
    return Limits(
        referrals=referrals,
        period="total" if referrals is None else draw(st.sampled_from(["day", "month", "year", "total"])),
        budget_points=budget,
        then_offer="" if budget is None else draw(st.sampled_from(["", "cheap"])),
    )


@st.composite
def rules(draw, hold_days):
    if draw(st.integers(0, 3)) == 0:
        return RewardRule(
            id=draw(IDS),
            to="friend",
            on=draw(st.sampled_from(["signup", "qualified"])),
            when=draw(WHENS),
            first_match=draw(st.sampled_from(["", "g"])),
            **draw(GIFTS),
        )
    to, on = draw(st.sampled_from(["advocate", "friend"])), draw(st.sampled_from(["signup", "qualified", "purchase"]))
    percent = None if on == "signup" else draw(st.none() | st.decimals(0, 1000, places=3))
    return RewardRule(
        id=draw(IDS),
        to=to,
        on=on,
        points=draw(st.integers(0, 10**9)) if percent is None else None,
        percent=percent,
        max_points=None if percent is None else draw(st.none() | HOLDS),
        repeat_days=draw(st.none() | HOLDS) if on == "purchase" else None,
        hold_days=draw(st.none() | st.integers(hold_days if to == "advocate" else 0, 200)),
    )


@st.composite
def documents(draw):
    hold_days, qualifies_on = draw(HOLDS), draw(st.sampled_from(["signup", "purchase", "lead_won", "custom:Demo.1"]))
    starts = draw(st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1)))
    return ProgramDocument(
        slug=draw(st.sampled_from(["p", "on", "null", "1", "refer-a-friend", "a_b"])),
        name=draw(NAMES.filter(bool)),
        status=draw(st.sampled_from(["draft", "active", "paused", "ended"])),
        landing_url=draw(
            st.sampled_from(["https://shop.example/a?b=1&c=%20#d: e".replace(" ", ""), "http://[::1]:1/"])
        ),
        allowed_landing_hosts=("shop.example", "::1"),
        starts=starts,
        ends=draw(st.none() | st.just(date(2031, 1, 1))),
        terms=Terms(
            currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
            qualifies_on=qualifies_on,
            attribution_window_days=draw(HOLDS),
            attribution_model=draw(st.sampled_from(["last_touch", "first_touch"])),
            conversion_window_days=draw(HOLDS),
            min_amount_minor=0 if qualifies_on == "signup" else draw(st.integers(0, 10**9)),
            hold_days=hold_days,
            points_per_unit=draw(st.decimals(0, 1000, places=3)),
            expires_days=draw(st.none() | HOLDS),
            tiers=draw(st.none() | tiers()),
            milestones=draw(milestones()),
            limits=draw(limits()),
            risk=draw(st.sampled_from([Risk(), Risk(review_at=50), Risk(void_at=1, auto_release_days=0)])),
            audience=draw(st.sampled_from(["", "silent"])),
            rewards=tuple(draw(st.lists(rules(hold_days), max_size=4, unique_by=lambda rule: rule.id))),
        ),
    )


@given(documents())
def test_parse_program_gives_back_what_render_program_wrote(document):
    assert parse_program(render_program(document)) == document


@given(documents(), documents())
def test_program_changes_are_empty_for_equal_documents_only(one, other):
    assert program_changes(one, one) == []
    assert bool(program_changes(one, other)) == (one != other)


def test_program_changes_name_the_field_before_and_after():
    before = parse_program(FILE)
    after = parse_program(change("points: 500}", "points: 600}").replace("starts: 2026-01-01\n", ""))

    assert [str(item) for item in program_changes(before, after)] == [
        "reward advocate-fixed.points: 500 -> 600",
        "starts: 2026-01-01 -> (none)",
    ]
