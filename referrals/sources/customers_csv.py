"""Customers out of a CSV file: who they are and what else is known of them. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from referrals.people import external_id_problem, is_email
from referrals.sources.csv import FileRefused, RowProblem, open_table

COLUMNS = ("external_id", "email", "name", "locale", "time_zone")
ATTRIBUTE = "attributes."
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One row: the company's id, and what the row tells; an empty cell tells nothing."""

    line: int
    external_id: str
    told: Mapping[str, Any]
    problems: tuple[RowProblem, ...] = ()


def is_column(name: str) -> bool:
    """Tell whether a column is one of ours."""
    return name in COLUMNS or (name.startswith(ATTRIBUTE) and name != ATTRIBUTE)


def read_customers(text: str, names: Mapping[str, str]) -> list[CustomerRow]:
    """Return the file's rows; `names` are ours -> theirs. `FileRefused` where the header does not fit."""
    header, records = open_table(text)
    columns = _columns(header, names)
    rows, seen = [], Counter[str]()
    for line, cells in records:
        if isinstance(cells, str):
            rows.append(CustomerRow(line, "", {}, (RowProblem(line, "", cells),)))
            continue
        row = _row(line, cells, columns)
        seen[row.external_id] += 1
        twice = RowProblem(line, "external_id", "expected each customer once, this one is there twice")
        again = (twice,) if seen[row.external_id] > 1 and row.external_id else ()
        rows.append(CustomerRow(line, row.external_id, row.told, (*row.problems, *again)))
    return rows


def _columns(header: list[str], names: Mapping[str, str]) -> dict[str, int]:
    """Return where ours stand in the file; what is neither ours nor mapped is refused, so that nothing gets lost."""
    missing = [theirs for theirs in names.values() if theirs not in header]
    theirs = {their: our for our, their in names.items()}
    found: dict[str, int] = {}
    unknown = []
    for place, name in enumerate(header):
        our = theirs.get(name, name)
        if is_column(our):
            if our in found:
                raise FileRefused(f"1: column {name} is there twice")
            found[our] = place
        else:
            unknown.append(name)
    if missing or "external_id" not in found:
        raise FileRefused(
            f"1: missing column {', '.join(missing or ['external_id'])}; the file has {', '.join(header)}"
        )
    if unknown:
        expected = f"{', '.join(COLUMNS)} or {ATTRIBUTE}NAME"
        raise FileRefused(f"1: unknown column {', '.join(unknown)}; expected {expected}, or --map OURS=THEIRS")
    return found


def _row(line: int, cells: list[str], columns: Mapping[str, int]) -> CustomerRow:
    given = {our: cells[place].strip() for our, place in columns.items()}
    problems = [RowProblem(line, our, problem) for our, value in given.items() if (problem := cell_problem(our, value))]
    told: dict[str, Any] = {our: value for our, value in given.items() if value and our in COLUMNS[1:]}
    attributes = {our.removeprefix(ATTRIBUTE): value for our, value in given.items() if our not in COLUMNS and value}
    if attributes:
        told["attributes"] = attributes
    return CustomerRow(line, given["external_id"], told, tuple(problems))


def cell_problem(our: str, value: str) -> str:
    """Return what is wrong with the value of one of our columns, or ''."""
    if our == "external_id":
        return external_id_problem(value)
    if not value:
        return ""
    if our == "email" and not is_email(value):
        return f"expected an email address, got {value[:60]!r}"
    if our == "name" and (len(value) > 200 or not value.isprintable()):
        return "expected at most 200 printable characters"
    if our == "locale" and (len(value) > 20 or not _LOCALE.fullmatch(value)):
        return f"expected a language such as de or en-GB, got {value[:20]!r}"
    if our == "time_zone" and value not in available_timezones():
        return f"expected an IANA time zone such as Europe/Berlin, got {value[:60]!r}"
    return ""
