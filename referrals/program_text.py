"""A program document as text: the file it came from, and the differences between two. Pure."""

import json
import re
from dataclasses import dataclass

from core.money import to_text
from referrals.program_file import ProgramDocument
from referrals.terms import CUSTOM, RewardRule, Terms, decimal_text

_PLAIN = re.compile(r"[A-Za-z]([A-Za-z0-9 _./-]*[A-Za-z0-9/])?|(https|custom):[A-Za-z0-9_./-]+")
_WORDS_OF_YAML = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a program, before ('' where it was not there) and after."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before or '(none)'} -> {self.after or '(none)'}"


def render_program(document: ProgramDocument) -> str:
    """Return a program file from which `parse_program` makes an equal document."""
    terms = document.terms
    lines = [f"{key}: {_quoted(value)}" for key, value in _head(document)]
    lines += [
        f"attribution: {{window_days: {terms.attribution_window_days}, model: {terms.attribution_model}}}",
        f"conversion_window_days: {terms.conversion_window_days}",
        f"qualifies: {{on: {_quoted(terms.qualifies_on)}, min_amount: {json.dumps(_min_amount(terms))}}}",
        f"hold_days: {terms.hold_days}",
        f"points_per_unit: {decimal_text(terms.points_per_unit)}",
        "rewards:" if terms.rewards else "rewards: []",
    ]
    lines += [f"  - {{{', '.join(f'{key}: {value}' for key, value in _rule(rule))}}}" for rule in terms.rewards]
    return "\n".join(lines) + "\n"


def _head(document: ProgramDocument) -> list[tuple[str, str | list[str]]]:
    days = [(key, day) for key, day in (("starts", document.starts), ("ends", document.ends)) if day is not None]
    return [
        ("program", document.slug),
        ("name", document.name),
        ("status", document.status),
        ("currency", document.terms.currency),
        ("landing_url", document.landing_url),
        ("allowed_landing_hosts", list(document.allowed_landing_hosts)),
        *((key, day.isoformat()) for key, day in days),
    ]


def _quoted(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_quoted(item) for item in value)}]"
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML
    return value if plain else json.dumps(value, ensure_ascii=False)


def _min_amount(terms: Terms) -> str:
    return to_text(terms.min_amount_minor, terms.currency)


def _rule(rule: RewardRule) -> list[tuple[str, str]]:
    percent = None if rule.percent is None else decimal_text(rule.percent)
    numbers = {
        "points": rule.points,
        "percent": percent,
        "max_points": rule.max_points,
        "repeat_days": rule.repeat_days,
        "hold_days": rule.hold_days,
    }
    said = [(key, str(value)) for key, value in numbers.items() if value is not None]
    return [("id", _quoted(rule.id)), ("to", rule.to), ("on", rule.on), *said]


def _fields(document: ProgramDocument) -> dict[str, str]:
    terms = document.terms
    fields = {key: ", ".join(value) if isinstance(value, list) else value for key, value in _head(document)}
    fields |= {
        "attribution.window_days": str(terms.attribution_window_days),
        "attribution.model": terms.attribution_model,
        "conversion_window_days": str(terms.conversion_window_days),
        "qualifies.on": terms.qualifies_on,
        "qualifies.min_amount": _min_amount(terms),
        "hold_days": str(terms.hold_days),
        "points_per_unit": decimal_text(terms.points_per_unit),
        "rewards in order": ", ".join(rule.id for rule in terms.rewards),
    }
    for rule in terms.rewards:
        fields |= {f"reward {rule.id}.{key}": value for key, value in _rule(rule)[1:]}
    return fields


def program_changes(before: ProgramDocument | None, after: ProgramDocument) -> list[Change]:
    """Return what changes field by field, in the order of the file; nothing for equal documents."""
    old = _fields(before) if before is not None else {}
    new = _fields(after)
    names = list(new) + [name for name in old if name not in new]
    changes = [Change(name, old.get(name, ""), new.get(name, "")) for name in names]
    return [change for change in changes if change.before != change.after]


def describe_terms(terms: Terms) -> list[str]:
    """Return what the terms promise as sentences for staff, the rewards first, in the order of the file."""
    qualifies = {
        "signup": "A friend qualifies by signing up",
        "purchase": "A friend qualifies by a first purchase",
        "lead_won": "A friend qualifies when their lead is won",
    }.get(terms.qualifies_on, f"A friend qualifies by the event {terms.qualifies_on.removeprefix(CUSTOM)!r}")
    least = f" of at least {_min_amount(terms)} {terms.currency}" if terms.min_amount_minor else ""
    return [
        *(_describe_rule(rule, terms) for rule in terms.rewards),
        f"{qualifies}{least}, within {terms.conversion_window_days} days of being bound.",
        f"A click counts for {terms.attribution_window_days} days ({terms.attribution_model.replace('_', ' ')}).",
        f"A referral is approved {terms.hold_days} days after the event that qualified it.",
    ]


def _describe_rule(rule: RewardRule, terms: Terms) -> str:
    moment = {
        "signup": "when the friend signs up",
        "qualified": "when the friend qualifies",
        "purchase": "for every purchase of the friend",
    }[rule.on]
    amount = f"{rule.points} points"
    if rule.percent is not None:
        rate = decimal_text(terms.points_per_unit)
        amount = f"{decimal_text(rule.percent)} % as points ({rate} a {terms.currency})"
    most = f", at most {rule.max_points} points" if rule.max_points is not None else ""
    until = f", until {rule.repeat_days} days after qualifying" if rule.repeat_days is not None else ""
    hold = terms.hold_days_of(rule)
    wait = f"available after {hold} days" if hold else "available at once"
    return f"The {rule.to} gets {amount}{most} {moment}{until}; {wait}. ({rule.id})"
