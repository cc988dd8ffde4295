"""A program document as text: the file it came from, and the differences between two. Pure."""

import json
import re
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from core.money import to_text
from referrals.conditions import Condition
from referrals.program_file import ProgramDocument
from referrals.terms import Level, Milestone, RewardRule, Terms, Tiers, decimal_text

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
    lines = [f"{key}: {_flow(value)}" for key, value in _head(document)]
    lines += [f"{key}: {_flow(value)}" for key, value in _rules(terms)]
    lines += _block("rewards", [rule_fields(rule, terms.currency) for rule in terms.rewards])
    if terms.tiers:
        lines += ["tiers:", *(f"  {key}: {_flow(value)}" for key, value in _windows(terms.tiers))]
        lines += [f"  {line}" for line in _block("levels", [_level(level) for level in terms.tiers.levels])]
    if terms.milestones:
        lines += _block("milestones", [_milestone(one) for one in terms.milestones])
    lines += [f"{key}: {_flow(value)}" for key, value in _bounds(terms)]
    return "\n".join(lines) + "\n"


def _block(key: str, items: list[dict[str, Any]]) -> list[str]:
    return [f"{key}:", *(f"  - {_flow(item)}" for item in items)] if items else [f"{key}: []"]


def _flow(value: Any) -> str:
    """Return a value in YAML's flow style, on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value) if isinstance(value, int) else _quoted(value)


def _rules(terms: Terms) -> list[tuple[str, Any]]:
    expires = [] if terms.expires_days is None else [("expires_days", terms.expires_days)]
    return [
        ("attribution", {"window_days": terms.attribution_window_days, "model": terms.attribution_model}),
        ("conversion_window_days", terms.conversion_window_days),
        ("qualifies", {"on": terms.qualifies_on, "min_amount": _min_amount(terms)}),
        ("hold_days", terms.hold_days),
        ("points_per_unit", terms.points_per_unit),
        *expires,
        *([("audience", terms.audience)] if terms.audience else []),
    ]


def _windows(tiers: Tiers) -> list[tuple[str, int]]:
    return [("window_days", tiers.window_days), ("grace_days", tiers.grace_days)]


def _level(level: Level) -> dict[str, Any]:
    return {
        "name": level.name,
        "from": level.least,
        "multiplier": decimal_text(level.multiplier),
        **({"vip": True} if level.vip else {}),
        **({"perks": level.perks} if level.perks else {}),
        **_when(level.when),
    }


def _milestone(one: Milestone) -> dict[str, Any]:
    return {
        "referrals": one.referrals,
        **({} if one.points is None else {"points": one.points}),
        **({"badge": one.badge} if one.badge else {}),
        **_when(one.when),
    }


def _when(condition: Condition | None) -> dict[str, Any]:
    return {"when": condition.to_json()} if condition else {}


def _bounds(terms: Terms) -> list[tuple[str, dict[str, Any]]]:
    limits, risk = terms.limits, terms.risk
    limit: dict[str, Any] = {}
    if limits.referrals is not None:
        limit["per_advocate"] = {"referrals": limits.referrals, "period": limits.period}
    if limits.budget_points is not None:
        limit["budget_points"] = limits.budget_points
    if limits.then_offer:
        limit["then_offer"] = limits.then_offer
    risks = {key: value for key, value in asdict(risk).items() if value is not None}
    return [(key, value) for key, value in (("limits", limit), ("risk", risks)) if value]


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


def _quoted(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML
    return value if plain else json.dumps(value, ensure_ascii=False)


def _min_amount(terms: Terms) -> str:
    return to_text(terms.min_amount_minor, terms.currency)


def rule_fields(rule: RewardRule, currency: str) -> dict[str, Any]:
    """Return what a rule says, by the words of the file, in their order."""
    gift: dict[str, Any] = {rule.kind: rule.what}
    if rule.kind == "points":
        gift = {"points": rule.points} if rule.percent is None else {"percent": rule.percent}
    elif rule.amount_minor is not None:
        gift = {rule.kind: to_text(rule.amount_minor, currency)}
    numbers = {"max_points": rule.max_points, "repeat_days": rule.repeat_days, "hold_days": rule.hold_days}
    return {
        "id": rule.id,
        "to": rule.to,
        "on": rule.on,
        **gift,
        **{key: value for key, value in numbers.items() if value is not None},
        **({"first_match": rule.first_match} if rule.first_match else {}),
        **_when(rule.when),
    }


def _fields(document: ProgramDocument) -> dict[str, str]:
    terms = document.terms
    fields = {key: ", ".join(value) if isinstance(value, list) else value for key, value in _head(document)}
    nested = dict(_rules(terms)) | dict(_bounds(terms))
    nested |= {"tiers": dict(_windows(terms.tiers)) if terms.tiers else {}}
    for key, value in nested.items():
        fields |= _named(key, value)
    fields["rewards in order"] = ", ".join(rule.id for rule in terms.rewards)
    for rule in terms.rewards:
        fields |= _named(f"reward {rule.id}", {k: v for k, v in rule_fields(rule, terms.currency).items() if k != "id"})
    for level in terms.tiers.levels if terms.tiers else ():
        fields |= _named(f"tier {level.name}", _level(level))
    for one in terms.milestones:
        fields |= _named(f"milestone {one.referrals}", _milestone(one))
    return fields


def _named(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {name: value if isinstance(value, str) else _flow(value)}
    return {f"{name}.{key}": item if isinstance(item, str) else _flow(item) for key, item in value.items()}


def program_changes(before: ProgramDocument | None, after: ProgramDocument) -> list[Change]:
    """Return what changes field by field, in the order of the file; nothing for equal documents."""
    old = _fields(before) if before is not None else {}
    new = _fields(after)
    names = list(new) + [name for name in old if name not in new]
    changes = [Change(name, old.get(name, ""), new.get(name, "")) for name in names]
    return [change for change in changes if change.before != change.after]
