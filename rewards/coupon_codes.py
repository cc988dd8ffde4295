"""Coupon codes: patterns, uploaded lists and their mistakes, and how long a stock lasts. Pure."""

import csv
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import islice

from referrals.codes import ALPHABET, check_character, coupon_key

LONGEST_CODE = 40
FEWEST_PLACES = 6
MOST_PLACES = 20
MOST_ROWS = 100_000
LONGEST_ROW = 1000
SHOWN_ERRORS = 50
USE_WINDOW_DAYS = 21

_CODE = re.compile(r"[A-Za-z0-9_-]{3,40}")
_PATTERN = re.compile(r"[A-Za-z0-9_#-]{1,40}")
_HEADERS = ("code", "codes", "coupon", "coupon_code", "coupon code", "voucher", "discount_code", "discount code")


@dataclass(frozen=True, slots=True)
class RowError:
    """A row of an upload that is no code: its line, counted from 1, and what is wrong with it."""

    line: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Upload:
    """What an uploaded list holds: codes in their order, each once, and what is wrong with the other rows."""

    codes: tuple[str, ...]
    errors: tuple[RowError, ...]


def pattern_problem(pattern: str) -> str:
    """Return why new codes cannot be made from the pattern, or ''; each # stands for a random character."""
    if not _PATTERN.fullmatch(pattern):
        return f"expected letters, digits, dashes and #, at most {LONGEST_CODE} characters"
    if not FEWEST_PLACES <= pattern.count("#") <= MOST_PLACES:
        return f"expected {FEWEST_PLACES} to {MOST_PLACES} places marked #, so that nobody can guess a code"
    return ""


def code_of_pattern(pattern: str, choice: Callable[[str], str] = secrets.choice) -> str:
    """Return a new code: random characters of the readable alphabet in the places of #, the last a check character."""
    payload = "".join(choice(ALPHABET) for _ in range(pattern.count("#") - 1))
    letters = iter(payload + check_character(payload))
    return "".join(next(letters) if place == "#" else place for place in pattern)


def fits_pattern(code: str, pattern: str) -> bool:
    """Tell whether a code, in any spelling, can be one of the pattern's: a mistyped character shows."""
    typed, wanted = coupon_key(code), coupon_key(pattern.replace("#", "X"))
    places = coupon_places(pattern)
    if len(typed) != len(wanted):
        return False
    if any(typed[at] != wanted[at] for at in range(len(wanted)) if at not in places):
        return False
    letters = "".join(typed[at] for at in places)
    return set(letters) <= set(ALPHABET) and check_character(letters[:-1]) == letters[-1]


def coupon_places(pattern: str) -> tuple[int, ...]:
    """Return where the random characters stand in a code's stored spelling, which has no dashes."""
    bare = pattern.replace("-", "").upper()
    return tuple(at for at, place in enumerate(bare) if place == "#")


def read_upload(text: str) -> Upload:
    """Return the codes of a text or CSV file: one a line, or the column named like 'code'; never a row by halves."""
    # A row is a line, each read alone: a stray quotation mark spoils its own row and no other.
    mark = _delimiter(text)
    rows = (next(csv.reader([line[:LONGEST_ROW]], delimiter=mark), []) for line in text.lstrip("\ufeff").splitlines())
    codes: dict[str, str] = {}
    errors: list[RowError] = []
    column: int | None = None
    for line, row in enumerate(islice(rows, MOST_ROWS + 1), start=1):
        if line == 1 and (found := _header(row)) is not None:
            column = found
            continue
        if not any(cell.strip() for cell in row):
            continue
        given = row[column or 0].strip() if (column or 0) < len(row) else ""
        problem = "the file has too many rows" if line > MOST_ROWS else _problem(given, codes)
        if column is None and any(cell.strip() for cell in row[1:]):
            problem = "more than a code in this row: name its column “code” in the first line"
        if problem:
            errors.append(RowError(line, given[:60], problem))
        else:
            codes[coupon_key(given)] = given
    return Upload(tuple(codes.values()), tuple(errors))


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header(row: list[str]) -> int | None:
    names = [cell.strip().lower() for cell in row]
    return next((at for at, name in enumerate(names) if name in _HEADERS), None)


def _problem(given: str, known: Iterable[str]) -> str:
    if not given:
        return "no code in this row"
    if not _CODE.fullmatch(given):
        return f"expected 3 to {LONGEST_CODE} letters, digits, dashes and underscores"
    return "stands in this file twice" if coupon_key(given) in known else ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long a stock lasts: `per_day` codes as measured, `days_left` whole days (None: nothing was used)."""

    free: int
    per_day: Decimal
    days_left: int | None

    def is_low(self, alert_days: int) -> bool:
        """Tell whether the stock ends within so many days, or has ended."""
        return self.free == 0 or (self.days_left is not None and self.days_left < alert_days)


def forecast_stock(*, free: int, used: int, age: timedelta) -> Forecast:
    """Return the forecast from `used` codes in the last 21 days, or since the stock began if that is shorter.

    days_left = floor(free / (used / days measured)), with at least one day measured.
    """
    days = min(max(Decimal(int(age.total_seconds())) / 86_400, Decimal(1)), Decimal(USE_WINDOW_DAYS))
    per_day = Decimal(used) / days
    left = int((Decimal(free) / per_day).to_integral_value(ROUND_FLOOR)) if used else None
    return Forecast(free, per_day, left)
