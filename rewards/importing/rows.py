"""What a row of a former tool says, in our words, or what is wrong with it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from core.periods import day_bounds, start_of_day
from referrals.people import external_id_problem
from referrals.sources.customers_csv import cell_problem
from rewards.importing.columns import ATTRIBUTE, CUSTOMERS, POINTS, REFERRALS

MAX_POINTS = 1_000_000_000
FORMATS = {
    "iso": "2026-03-31",
    "dmy.": "31.03.2026",
    "dmy/": "31/03/2026",
    "mdy/": "03/31/2026",
}
_PATTERNS = {"iso": "%Y-%m-%d", "dmy.": "%d.%m.%Y", "dmy/": "%d/%m/%Y", "mdy/": "%m/%d/%Y"}
_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p")
_POINTS = re.compile(r"[1-9][0-9]{0,9}")
OPEN = frozenset({"open", "pending", "signed up", "signedup", "invited", "in progress", "waiting", "not converted"})
COMPLETED = frozenset(
    ("completed", "complete", "approved", "successful", "success", "converted", "rewarded", "purchased", "confirmed")
) | {"paid", "qualified", "fulfilled", "done"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: which of our columns, and what was expected."""

    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one row says; `who` (and `friend`) is an id or an email address, `on` the referral's or the last moment."""

    who: str
    email: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    friend: str = ""
    settled: bool = False
    on: datetime | None = None
    points: int = 0
    code: str = ""
    ordinal: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is to be read: what it holds, in which format its days are, in which zone."""

    kind: str
    date_format: str
    zone: ZoneInfo
    columns: Mapping[str, int]
    constants: Mapping[str, str]

    def values(self, cells: tuple[str, ...]) -> dict[str, str]:
        """Return the row's values by our names."""
        return {ours: cells[place] for ours, place in self.columns.items()} | dict(self.constants)


class Reader:
    """Reads the rows of one file in their order, and remembers what earlier ones said."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: Counter[tuple[object, ...]] = Counter()
        self._advocate_of: dict[str, str] = {}
        self._owner_of: dict[str, str] = {}

    def read(self, cells: tuple[str, ...]) -> Told | Problem:
        """Return what the row says, or the first thing wrong with it."""
        values = self._reading.values(cells)
        read = {CUSTOMERS: self._customer, REFERRALS: self._referral, POINTS: self._points}[self._reading.kind]
        try:
            told = read(values)
            self._refuse_shared_code(told)
        except _Wrong as wrong:
            return wrong.problem
        return told

    def _customer(self, values: Mapping[str, str]) -> Told:
        external_id, email = values.get("external_id", ""), values.get("email", "")
        if external_id:
            _refuse("external_id", external_id_problem(external_id))
        about = {name: values[name] for name in ("email", "name", "locale", "time_zone") if values.get(name)}
        for name, value in about.items():
            _refuse(name, cell_problem(name, value))
        attributes = {
            name.removeprefix(ATTRIBUTE): value for name, value in values.items() if name.startswith(ATTRIBUTE)
        }
        attributes = {name: value for name, value in attributes.items() if value}
        who = external_id or email
        _refuse("external_id", "" if who else "expected an id or an email address")
        self._seen[who,] += 1
        _refuse("external_id", "" if self._seen[who,] == 1 else "expected each customer once, this one is there twice")
        extra = {"attributes": attributes} if attributes else {}
        return Told(who=who if external_id else "", email=email, about=about | extra, code=values.get("code", ""))

    def _referral(self, values: Mapping[str, str]) -> Told:
        who, friend = _person("advocate", values), _person("friend", values)
        on = self._moment("date", values)
        settled = _state(values.get("state", ""))
        before = self._advocate_of.setdefault(friend.casefold(), who.casefold())
        _refuse("friend", "" if before == who.casefold() else "this friend has another advocate in an earlier row")
        _refuse("friend", "the friend is an ancestor of the advocate in this file" if self._is_circle(friend) else "")
        return Told(who=who, friend=friend, on=on, settled=settled, code=values.get("code", ""))

    def _is_circle(self, friend: str) -> bool:
        seen: set[str] = set()
        one = self._advocate_of.get(friend.casefold())
        if one == friend.casefold():
            return False  # the rules have their own word for it
        while one is not None and one not in seen:
            if one == friend.casefold():
                del self._advocate_of[one]
                return True
            seen.add(one)
            one = self._advocate_of.get(one)
        return False

    def _points(self, values: Mapping[str, str]) -> Told:
        who, text = _person("customer", values), values.get("points", "")
        if not _POINTS.fullmatch(text) or int(text) > MAX_POINTS:
            raise _Wrong("points", f"expected a whole number from 1 to {MAX_POINTS:,}, got {text[:40]!r}")
        on = self._last_instant(values) if values.get("expires") else None
        key = (who.casefold(), text, on)
        self._seen[key] += 1
        return Told(who=who, points=int(text), on=on, ordinal=self._seen[key])

    def _refuse_shared_code(self, told: Told) -> None:
        if told.code:
            owner = (told.who or told.email).casefold()
            first = self._owner_of.setdefault(told.code.casefold(), owner)
            _refuse("code", "" if first == owner else "this code is another customer's in an earlier row")

    def _moment(self, column: str, values: Mapping[str, str]) -> datetime:
        text = values.get(column, "")
        found = read_moment(text, self._reading.date_format, self._reading.zone)
        if found is None:
            expected = FORMATS[self._reading.date_format]
            raise _Wrong(column, f"expected a day such as {expected}, with or without a time, got {text[:40]!r}")
        return found

    def _last_instant(self, values: Mapping[str, str]) -> datetime:
        """Return the end of the day: points may still be spent on it."""
        zone = self._reading.zone
        day = self._moment("expires", values).astimezone(zone).date()
        return day_bounds(day, zone)[1] - datetime.resolution


class _Wrong(Exception):
    """Ends the reading of a row."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(column, message)


def _refuse(column: str, message: str) -> None:
    if message:
        raise _Wrong(column, message)


def _person(column: str, values: Mapping[str, str]) -> str:
    who = values.get(column, "")
    problem = "expected an id or an email address" if not who else external_id_problem(who)
    _refuse(column, problem)
    return who


def _state(text: str) -> bool:
    """Return whether the former tool had rewarded the referral."""
    word = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    if word not in OPEN | COMPLETED:
        raise _Wrong("state", f"expected open or completed (or pending, approved, rewarded …), got {text[:40]!r}")
    return word in COMPLETED


def read_moment(text: str, date_format: str, zone: ZoneInfo) -> datetime | None:
    """Return the UTC instant that the text names, a day being its start in `zone`; None where it names none."""
    text = re.sub(r" ?(UTC|Z)$", "+00:00", text.strip())
    if date_format == "iso" and len(text) > len("2026-03-31"):
        return _iso_moment(text, zone)
    day_text, _, rest = text.partition(" ")
    try:
        day = datetime.strptime(day_text, _PATTERNS[date_format]).date()  # noqa: DTZ007 - a day of the zone
    except ValueError:
        return None
    return start_of_day(day, zone) if not rest else _at_time(day, rest.removesuffix("+00:00"), zone)


def _iso_moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _at_time(day: date, text: str, zone: ZoneInfo) -> datetime | None:
    for pattern in _TIMES:
        try:
            at: time = datetime.strptime(text.strip(), pattern).time()  # noqa: DTZ007 - a time of the zone
        except ValueError:
            continue
        return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
    return None


def guess_format(texts: Iterable[str], zone: ZoneInfo) -> str:
    """Return the format in which most of the texts are days; of two that fit alike the first."""
    given = [text for text in texts if text]
    fitting = Counter({name: sum(read_moment(text, name, zone) is not None for text in given) for name in FORMATS})
    return fitting.most_common(1)[0][0] if given else "iso"
