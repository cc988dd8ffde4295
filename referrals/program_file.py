"""Program files: text in, a checked `ProgramDocument` out, or every problem with its line. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from core.errors import Invalid, Refused
from core.money import exponent_of, to_minor
from referrals.landing import HOST, host_of, landing_problem
from referrals.program_promises import (
    days_of,
    read_limits,
    read_milestones,
    read_rewards,
    read_risk,
    read_tiers,
)
from referrals.terms import MODELS, Terms
from referrals.yaml_nodes import FileProblem, NodeReader

STATUSES = ("draft", "active", "paused", "ended")
NEEDED = ("program", "name", "currency", "landing_url", "qualifies", "rewards")
KEYS = (
    *("program", "name", "status", "currency", "landing_url", "allowed_landing_hosts", "starts", "ends"),
    *("attribution", "conversion_window_days", "qualifies", "hold_days", "points_per_unit", "rewards"),
    *("expires_days", "tiers", "milestones", "limits", "risk", "audience"),
)
LARGEST_RATE = 1_000_000

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_CUSTOM = re.compile(r"custom:[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd-\uffff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramDocument:
    """One program as its file says it, complete and checked; `ends` is the first day it no longer runs."""

    slug: str
    name: str
    status: str
    landing_url: str
    allowed_landing_hosts: tuple[str, ...]
    starts: date | None
    ends: date | None
    terms: Terms


class ProgramFileRefused(Refused):
    """A program file with problems; `problems` are all that were found, in the order of their lines."""

    code = "program_file_invalid"
    status = 422

    def __init__(self, problems: list[FileProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def parse_program(text: str, *, file: str = "program") -> ProgramDocument:
    """Return the program that a file describes; `ProgramFileRefused` names every problem with its line."""
    reader = NodeReader(file)
    root = reader.compose(text)
    if root is None and not reader.problems:
        reader.refuse(None, f"the file is empty; needed: {', '.join(NEEDED)}")
    document = _program(reader, root) if root is not None else None
    if document is None or reader.problems:
        raise ProgramFileRefused(reader.problems)
    return document


def _program(reader: NodeReader, root: yaml.Node) -> ProgramDocument | None:
    given = reader.mapping(root, "program file", KEYS)
    missing = [key for key in NEEDED if key not in given]
    if missing:
        reader.refuse(root, f"missing or empty: {', '.join(missing)}")
    slug = reader.value(given.get("program"), "a slug such as refer-a-friend", _slug)
    name = reader.value(given.get("name"), "a name of 1 to 120 printable characters", _name)
    status = reader.choice(given.get("status"), "status", STATUSES)
    hosts = _hosts(reader, given.get("allowed_landing_hosts"))
    landing_url = _landing_url(reader, given.get("landing_url"), hosts)
    starts, ends = _bounds(reader, given)
    terms = _terms(reader, given)
    if slug is None or name is None or landing_url is None or terms is None:
        return None
    return ProgramDocument(
        slug=slug,
        name=name,
        status=status or "draft",
        landing_url=landing_url,
        allowed_landing_hosts=hosts or (host_of(landing_url),),
        starts=starts,
        ends=ends,
        terms=terms,
    )


def _slug(text: str) -> str | None:
    return text if _SLUG.fullmatch(text) else None


def _name(text: str) -> str | None:
    text = text.strip()
    return text if 1 <= len(text) <= 120 and not _UNPRINTABLE.search(text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _bounds(reader: NodeReader, given: dict[str, yaml.Node]) -> tuple[date | None, date | None]:
    starts = reader.value(given.get("starts"), "starts to be a day such as 2026-01-01", _day)
    ends = reader.value(given.get("ends"), "ends to be a day such as 2026-12-31", _day)
    if starts is not None and ends is not None and ends <= starts:
        reader.refuse(given["ends"], f"expected ends (the first day it no longer runs) to be after starts, {starts}")
    return starts, ends


def _hosts(reader: NodeReader, node: yaml.Node | None) -> tuple[str, ...]:
    items = reader.items(node, "allowed_landing_hosts")
    read = [reader.value(item, "a host name such as shop.example", _host) for item in items]
    return tuple(dict.fromkeys(host for host in read if host is not None))


def _host(text: str) -> str | None:
    return text.lower() if HOST.fullmatch(text.lower()) else None


def _landing_url(reader: NodeReader, node: yaml.Node | None, hosts: tuple[str, ...]) -> str | None:
    def read(text: str) -> str:
        problem = landing_problem(text, hosts)
        if problem:
            raise Invalid(problem)
        return text

    return reader.value(node, "a landing_url", read)


def _terms(reader: NodeReader, given: dict[str, yaml.Node]) -> Terms | None:
    currency = reader.value(given.get("currency"), "a currency", _currency)
    attribution = reader.mapping(given.get("attribution"), "attribution", ("window_days", "model"))
    qualifies_on, min_amount = _qualifies(reader, given.get("qualifies"), currency)
    hold = _or(days_of(reader, given, "hold_days"), 14)
    rate = reader.decimal(given.get("points_per_unit"), "points_per_unit", LARGEST_RATE)
    terms: dict[str, Any] = {
        "attribution_window_days": days_of(reader, attribution, "window_days"),
        "attribution_model": reader.choice(attribution.get("model"), "model", MODELS),
        "conversion_window_days": days_of(reader, given, "conversion_window_days"),
        "points_per_unit": rate,
        "rewards": read_rewards(reader, given.get("rewards"), hold_days=hold, currency=currency),
        "expires_days": days_of(reader, given, "expires_days"),
        "tiers": read_tiers(reader, given.get("tiers")),
        "milestones": read_milestones(reader, given.get("milestones")),
        "limits": read_limits(reader, given.get("limits")),
        "risk": read_risk(reader, given.get("risk")),
        "audience": reader.value(given.get("audience"), "audience to be the slug of a segment", _slug),
    }
    if currency is None or qualifies_on is None:
        return None
    told = {key: value for key, value in terms.items() if value is not None}
    return Terms(
        currency=currency,
        qualifies_on=qualifies_on,
        min_amount_minor=min_amount,
        hold_days=hold,
        **told,
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _currency(text: str) -> str:
    exponent_of(text)
    return text


def _qualifies(reader: NodeReader, node: yaml.Node | None, currency: str | None) -> tuple[str | None, int]:
    given = reader.mapping(node, "qualifies", ("on", "min_amount"))
    if node is not None and "on" not in given:
        reader.refuse(node, "qualifies: missing on: signup, purchase, lead_won or custom:NAME")
    on = reader.value(given.get("on"), "on to be signup, purchase, lead_won or custom:NAME", _qualifying)
    amount = given.get("min_amount")
    if amount is None or currency is None:
        return on, 0
    minor = reader.value(amount, "an amount such as '20.00'", lambda text: to_minor(text, currency))
    if on == "signup" and minor:
        reader.refuse(amount, "min_amount: a sign-up has no amount; leave it out")
    return on, _or(minor, 0)


def _qualifying(text: str) -> str | None:
    return text if text in ("signup", "purchase", "lead_won") or _CUSTOM.fullmatch(text) else None
