"""Facts of `POST /events` out of CSV files, row by row, in whatever columns a shop's export has."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import Refused

NEEDED = ("type", "occurred_at", "external_id")
COLUMNS = (
    *("event_id", *NEEDED, "email", "name", "order_id", "amount", "currency", "code", "channel"),
    *("click_id", "coupon", "event_name", "lead_id", "stage"),
)
SEPARATORS = (",", ";", "\t")

_POINTERS = {
    "/order/id": "order_id",
    "/order/amount": "amount",
    "/order/currency": "currency",
    "/order": "amount",
    "/lead/value": "amount",
    "/lead/currency": "currency",
    "/lead/id": "lead_id",
    "/name": "event_name",
    "/customer": "external_id",
}


class FileRefused(Refused):
    """A file of which no row can be read: no header, a missing column, another encoding."""

    code = "csv_unreadable"
    status = 422


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in which row: `line` counts from 1 with the header, `column` is the file's own name for it."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {f'column {self.column}: ' if self.column else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the JSON body of `POST /events`, or with the problems that kept it from being one."""

    line: int
    body: dict[str, Any]
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file names its columns (`names`: ours -> theirs), what is the same in all rows, and its zone."""

    zone: ZoneInfo
    names: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def column_of(self, pointer: str) -> str:
        """Return the file's name of the column that a JSON pointer is about."""
        ours = _POINTERS.get(pointer) or pointer.rpartition("/")[2]
        return self.names.get(ours, ours)


def read_text(path: Path) -> str:
    """Return the file's text: UTF-8 with or without a mark, or UTF-16 with one; `FileRefused` names the line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileRefused(f"1: expected a readable file: {error.strerror}") from None
    return decode_text(raw)


def decode_text(raw: bytes) -> str:
    """Return the bytes of a file as text, as `read_text` does."""
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileRefused(f"{line}: expected UTF-8, found another encoding; save the file as UTF-8") from None


def read_events(text: str, layout: Layout) -> Iterator[Row]:
    """Yield the file's rows in order, blank ones left out; `FileRefused` where the header does not fit."""
    header, records = open_table(text)
    _check_header(header, layout)
    seen: Counter[str] = Counter()
    for line, cells in records:
        if isinstance(cells, str):
            yield Row(line, {}, (RowProblem(line, "", cells),))
        else:
            yield _row(line, cells, header, layout, seen)


def open_table(text: str) -> tuple[list[str], Iterator[tuple[int, list[str] | str]]]:
    """Return the header's names and the records behind it with their lines, blank ones left out.

    A record has as many cells as the header; one that does not fit is its message. `FileRefused` without a header.
    """
    records = _numbered(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True))
    line, cells = next((pair for pair in records if pair[1]), (1, "the file is empty; expected a header"))
    if isinstance(cells, str):
        raise FileRefused(f"{line}: {cells}")
    header = [cell.strip() for cell in cells]
    twice = sorted(name for name, count in Counter(header).items() if count > 1 and name)
    if twice:
        raise FileRefused(f"{line}: column {', '.join(twice)} is there twice")
    return header, _fitting(records, len(header))


def _fitting(records: Iterator[tuple[int, list[str] | str]], width: int) -> Iterator[tuple[int, list[str] | str]]:
    for line, cells in records:
        if isinstance(cells, str):
            yield line, cells
        elif any(cell.strip() for cell in cells):
            fits = len(cells) >= width and not any(cell.strip() for cell in cells[width:])
            yield line, cells[:width] if fits else f"expected {width} cells as in the header, got {len(cells)}"


def _numbered(records: Any) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record with the line it begins on; broken quoting ends the file with a message."""
    while True:
        line = records.line_num + 1
        try:
            cells = next(records, None)
        except csv.Error as error:
            yield line, f"expected well-formed CSV: {error}"
            return
        if cells is None:
            return
        yield line, cells


def _separator(text: str) -> str:
    """Return the separator that gives the first line the most columns."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))


def _check_header(header: list[str], layout: Layout) -> None:
    """Raise `FileRefused` unless all columns that are needed and all that are mapped are there."""
    missing = [theirs for theirs in layout.names.values() if theirs not in header]
    missing += [name for name in NEEDED if name not in (*header, *layout.names, *layout.constants)]
    if missing:
        raise FileRefused(f"1: missing column {', '.join(missing)}; the file has {', '.join(header)}")


def _row(line: int, cells: list[str], header: list[str], layout: Layout, seen: Counter[str]) -> Row:
    given = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    values = {name: given.get(layout.names.get(name, name), "") for name in COLUMNS} | dict(layout.constants)
    moment = _moment(values["occurred_at"], layout.zone)
    if moment is None:
        column = layout.column_of("/occurred_at")
        told = f"expected a day or moment such as 2026-03-01 or 2026-03-01T10:00:00Z, got {values['occurred_at']!r}"
        return Row(line, {}, (RowProblem(line, column, told),))
    key = values["event_id"] or _key_of(given, layout.constants, seen)
    return Row(line, _body(values, key, moment))


def _key_of(given: dict[str, str], constants: Mapping[str, str], seen: Counter[str]) -> str:
    """Return a key made of the row and its ordinal among identical rows: the same in every import of the file."""
    canonical = json.dumps([sorted(given.items()), sorted(constants.items())], ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    seen[digest] += 1
    return f"csv-{digest}-{seen[digest]}"


def _moment(text: str, zone: ZoneInfo) -> str | None:
    """Return an ISO moment with zone; a day is its start, and a time without zone is one, in `zone`."""
    try:
        if len(text) <= len("2026-03-01"):
            at = datetime.combine(date.fromisoformat(text), time.min)
        else:
            at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()


def _body(values: dict[str, str], key: str, moment: str) -> dict[str, Any]:
    """Return the JSON body; what the type has no place for is kept, so that the validation can refuse it."""
    kind = values["type"]
    body: dict[str, Any] = {"event_id": key, "type": kind, "occurred_at": moment}
    body["customer"] = _told(values, external_id="external_id", email="email", name="name")
    referral = _told(values, code="code", click_id="click_id", coupon="coupon")
    body |= {"referral": referral} if referral else {}
    body |= _told(values, channel="channel", name="event_name")
    if kind in ("lead", "lead_stage"):
        body["lead"] = _told(values, id="lead_id", stage="stage", value="amount", currency="currency")
    elif kind in ("purchase", "refund") or values["order_id"] or values["amount"]:
        body["order"] = _told(values, id="order_id", amount="amount", currency="currency")
        if kind == "purchase":
            body["order"].setdefault("id", key)
    return body


def _told(values: dict[str, str], **names: str) -> dict[str, str]:
    return {ours: values[column] for ours, column in names.items() if values.get(column)}
