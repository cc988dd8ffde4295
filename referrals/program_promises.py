"""The parts of a program file that promise: rewards, tiers, milestones, limits, risk. Pure."""

import re
from collections.abc import Mapping
from itertools import pairwise

import yaml

from core.money import to_minor
from referrals.conditions import BadCondition, Condition, parse_condition
from referrals.terms import (
    KINDS,
    LEVEL_FIELDS,
    MOMENTS,
    MONEY_KINDS,
    NAMED_KINDS,
    PERIODS,
    RULE_FIELDS,
    SIDES,
    Level,
    Limits,
    Milestone,
    RewardRule,
    Risk,
    Tiers,
)
from referrals.yaml_nodes import NodeReader

RULE_KEYS = (
    *("id", "to", "on", "points", "percent", *KINDS[1:]),
    *("max_points", "repeat_days", "hold_days", "when", "first_match"),
)
AMOUNTS = ("points", "percent", *KINDS[1:])
LARGEST_POINTS = 10**9
LARGEST_PERCENT = 1000
LARGEST_MULTIPLIER = 100
LARGEST_DAYS = 36_500
LARGEST_COUNT = 1_000_000
HIGHEST_RISK = 100
MANY = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_PRINTABLE = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd-\uffff]{1,60}")

Given = dict[str, yaml.Node]


def name_text(text: str) -> str | None:
    """Return a name of letters, digits, dots and dashes, or None."""
    return text if _NAME.fullmatch(text) else None


def _words(text: str) -> str | None:
    text = text.strip()
    return text if _PRINTABLE.fullmatch(text) else None


def days_of(reader: NodeReader, given: Mapping[str, yaml.Node], key: str) -> int | None:
    """Return a whole number of days, or None where it is missing or bad."""
    return reader.whole(given.get(key), key, LARGEST_DAYS)


def read_when(reader: NodeReader, node: yaml.Node | None, fields: Mapping[str, str]) -> Condition | None:
    """Return the condition a node describes; a bad one is noted at the line of the part that is wrong."""
    if node is None:
        return None
    value, nodes = reader.plain(node)
    try:
        return parse_condition(value, fields)
    except BadCondition as error:
        path = error.path
        while path and path not in nodes:
            path = path[:-1]
        reader.refuse(nodes.get(path, node), error.detail)
        return None


def read_rewards(
    reader: NodeReader, node: yaml.Node | None, *, hold_days: int, currency: str | None
) -> tuple[RewardRule, ...]:
    """Return the rules of `rewards`, each id once."""
    rules: dict[str, RewardRule] = {}
    for item in reader.items(node, "rewards"):
        rule = _rule(reader, item, hold_days, currency)
        if rule is None:
            continue
        if rule.id in rules:
            reader.refuse(item, f"reward {rule.id}: the id is used twice; expected one of its own")
        rules[rule.id] = rule
    return tuple(rules.values())


def _rule(reader: NodeReader, node: yaml.Node, hold_days: int, currency: str | None) -> RewardRule | None:
    given = reader.mapping(node, "reward", RULE_KEYS)
    missing = [key for key in ("id", "to", "on") if key not in given]
    if missing:
        reader.refuse(node, f"reward: missing {', '.join(missing)}")
    rule_id = reader.value(given.get("id"), "an id such as advocate-fixed", name_text)
    to = reader.choice(given.get("to"), "to", SIDES)
    on = reader.choice(given.get("on"), "on", MOMENTS)
    kind, what, amount = _gift(reader, node, given, currency)
    numbers = {
        "points": reader.whole(given.get("points"), "points", LARGEST_POINTS),
        "max_points": reader.whole(given.get("max_points"), "max_points", LARGEST_POINTS),
        "repeat_days": days_of(reader, given, "repeat_days"),
        "hold_days": days_of(reader, given, "hold_days"),
    }
    percent = reader.decimal(given.get("percent"), "percent", LARGEST_PERCENT)
    when = read_when(reader, given.get("when"), RULE_FIELDS)
    group = reader.value(given.get("first_match"), "first_match to be the name of a group", name_text)
    if rule_id is None or to is None or on is None or kind is None:
        return None
    rule = RewardRule(
        id=rule_id,
        to=to,
        on=on,
        kind=kind,
        percent=percent,
        what=what,
        amount_minor=amount,
        when=when,
        first_match=group or "",
        **numbers,
    )
    _check_moment(reader, rule, given, hold_days)
    return rule


def _gift(
    reader: NodeReader, node: yaml.Node, given: Given, currency: str | None
) -> tuple[str | None, str, int | None]:
    """Return what a reward gives: its kind, the name of it and its amount in minor units."""
    named = [key for key in AMOUNTS if key in given]
    if len(named) != 1:
        reader.refuse(node, f"reward: expected exactly one of {', '.join(AMOUNTS)}")
    if "max_points" in given and "percent" not in given:
        reader.refuse(given["max_points"], "max_points: only for a percent reward")
    key = named[0] if named else ""
    if key in NAMED_KINDS:
        read = _words if key == "manual" else name_text
        return key, reader.value(given[key], f"{key} to be a name of at most 60 characters", read) or "", None
    if key in MONEY_KINDS:
        if currency is None:
            return None, "", None
        return key, "", reader.value(given[key], "an amount such as '10.00'", lambda text: to_minor(text, currency))
    return ("points" if key else None), "", None


def _check_moment(reader: NodeReader, rule: RewardRule, given: Given, hold_days: int) -> None:
    """Refuse what the rule's moment or side does not allow."""
    if rule.on in {"signup", "claim", "assist"} and "percent" in given:
        words = {"signup": "a sign-up", "claim": "a claim", "assist": "an assist"}[rule.on]
        reader.refuse(given["percent"], f"percent: {words} has no amount; expected points, or on: qualified")
    if rule.on != "purchase" and "repeat_days" in given:
        reader.refuse(given["repeat_days"], "repeat_days: only for on: purchase")
    if rule.to == "advocate" and rule.hold_days is not None and rule.hold_days < hold_days:
        reader.refuse(given["hold_days"], f"hold_days: an advocate's is never shorter than the program's {hold_days}")
    if rule.on == "claim" and (rule.to, rule.kind) != ("friend", "coupon"):
        reader.refuse(given["on"], "on: claim: expected to: friend and a coupon, which the landing page hands out")
    if rule.on == "assist" and rule.to != "advocate":
        reader.refuse(given["to"], "on: assist: expected to: advocate, the second one whom the friend used")


def read_tiers(reader: NodeReader, node: yaml.Node | None) -> Tiers | None:
    """Return the tiers, or None where there are none."""
    given = reader.mapping(node, "tiers", ("window_days", "grace_days", "levels"))
    if not given:
        return None
    if "window_days" not in given and node is not None:
        reader.refuse(node, "tiers: missing window_days")
    levels = [_level(reader, item) for item in reader.items(given.get("levels"), "levels")]
    if not levels and node is not None:
        reader.refuse(given.get("levels", node), "tiers: expected levels, such as {name: Gold, from: 10}")
    found = tuple(level for level in levels if level is not None)
    rising = all(low.least < high.least for low, high in pairwise(found))
    names = {level.name.casefold() for level in found}
    if found and (not rising or len(names) < len(found)):
        reader.refuse(given["levels"], "levels: expected rising 'from' numbers and names of their own")
    window, grace = days_of(reader, given, "window_days"), days_of(reader, given, "grace_days")
    return Tiers(window_days=window or 0, grace_days=grace or 0, levels=found)


def _level(reader: NodeReader, node: yaml.Node) -> Level | None:
    given = reader.mapping(node, "level", ("name", "from", "multiplier", "vip", "perks", "when"))
    missing = [key for key in ("name", "from") if key not in given]
    if missing:
        reader.refuse(node, f"level: missing {', '.join(missing)}")
    name = reader.value(given.get("name"), "a tier's name of at most 60 characters", _words)
    least = reader.whole(given.get("from"), "from", LARGEST_COUNT)
    multiplier = reader.decimal(given.get("multiplier"), "multiplier", LARGEST_MULTIPLIER)
    vip = reader.choice(given.get("vip"), "vip", ("true", "false"))
    perks = [reader.value(item, "a perk's name", name_text) for item in reader.items(given.get("perks"), "perks")]
    when = read_when(reader, given.get("when"), LEVEL_FIELDS)
    if name is None or least is None:
        return None
    rate = {} if multiplier is None else {"multiplier": multiplier}
    named = tuple(dict.fromkeys(perk for perk in perks if perk))
    return Level(name=name, least=least, vip=vip == "true", perks=named, when=when, **rate)


def read_milestones(reader: NodeReader, node: yaml.Node | None) -> tuple[Milestone, ...]:
    """Return the milestones, each number once, by number."""
    found: dict[int, Milestone] = {}
    for item in reader.items(node, "milestones"):
        given = reader.mapping(item, "milestone", ("referrals", "points", "badge", "when"))
        number = reader.whole(given.get("referrals"), "referrals", LARGEST_COUNT)
        points = reader.whole(given.get("points"), "points", LARGEST_POINTS)
        badge = reader.value(given.get("badge"), "a badge's name", name_text)
        when = read_when(reader, given.get("when"), RULE_FIELDS)
        if not number:
            reader.refuse(item, "milestone: expected referrals, a whole number from 1")
            continue
        if "points" not in given and "badge" not in given:
            reader.refuse(item, "milestone: expected points, a badge or both")
        if number in found:
            reader.refuse(item, f"milestone {number}: given twice")
        found[number] = Milestone(referrals=number, points=points, badge=badge or "", when=when)
    return tuple(found[number] for number in sorted(found))


def read_limits(reader: NodeReader, node: yaml.Node | None) -> Limits:
    """Return the limits; without any, the empty ones."""
    given = reader.mapping(node, "limits", ("per_advocate", "budget_points", "then_offer"))
    each = given.get("per_advocate")
    per = reader.mapping(each, "per_advocate", ("referrals", "period"))
    if each is not None and per and "referrals" not in per:
        reader.refuse(each, "per_advocate: missing referrals")
    slug = reader.value(given.get("then_offer"), "then_offer to be the slug of a program", name_text)
    if slug and "budget_points" not in given:
        reader.refuse(given["then_offer"], "then_offer: only beside budget_points")
    return Limits(
        referrals=reader.whole(per.get("referrals"), "referrals", LARGEST_COUNT),
        period=reader.choice(per.get("period"), "period", PERIODS) or "total",
        budget_points=reader.whole(given.get("budget_points"), "budget_points", 10**12 - 1),
        then_offer=slug or "",
    )


def read_risk(reader: NodeReader, node: yaml.Node | None) -> Risk:
    """Return the risk bounds; without any, the empty ones."""
    given = reader.mapping(node, "risk", ("review_at", "void_at", "auto_release_days"))
    review = reader.whole(given.get("review_at"), "review_at", HIGHEST_RISK)
    void = reader.whole(given.get("void_at"), "void_at", HIGHEST_RISK)
    if review is not None and void is not None and void < review:
        reader.refuse(given["void_at"], f"void_at: expected at least review_at, {review}")
    return Risk(review_at=review, void_at=void, auto_release_days=days_of(reader, given, "auto_release_days"))
