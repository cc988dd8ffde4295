"""An uploaded file as its header and rows, or why it cannot be read. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from referrals.people import is_email
from referrals.sources.csv import FileRefused, decode_text, open_table

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
MAX_CELL = 500
_DATA = re.compile(r"[-+]?[0-9][0-9.,:/ T-]*")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file: its line, its cells, or why it has none."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that can be read: what its columns are called, and its rows, blank ones left out."""

    header: tuple[str, ...]
    rows: tuple[RawRow, ...]


def read_upload(raw: bytes) -> Upload:
    """Return the file's header and rows; `FileRefused` names the row and column that keep it from being read."""
    if len(raw) > MAX_BYTES:
        raise FileRefused(f"the file has {len(raw):,} bytes; expected at most {MAX_BYTES:,}: split it")
    header, records = open_table(decode_text(raw))
    _check_header(header)
    rows: list[RawRow] = []
    for line, cells in records:
        if len(rows) == MAX_ROWS:
            raise FileRefused(f"{line}: expected at most {MAX_ROWS:,} rows: split the file")
        rows.append(_raw_row(line, cells))
    if not rows:
        raise FileRefused("2: the file has a header and no rows")
    return Upload(tuple(header), tuple(rows))


def _raw_row(line: int, cells: list[str] | str) -> RawRow:
    if isinstance(cells, str):
        return RawRow(line, (), cells)
    stripped = tuple(cell.strip() for cell in cells)
    if any(len(cell) > MAX_CELL or "\x00" in cell for cell in stripped):
        return RawRow(line, (), f"expected cells of at most {MAX_CELL} characters")
    return RawRow(line, stripped)


def _check_header(header: Sequence[str]) -> None:
    for place, name in enumerate(header, start=1):
        if not name:
            raise FileRefused(f"1: column {place}: expected a name in the header, got an empty cell")
        if is_email(name) or _DATA.fullmatch(name):
            raise FileRefused(f"1: column {place}: expected the name of a column, got {name[:60]!r}; add a header")
    if len(header) < 2:
        raise FileRefused("1: column 1: expected columns separated by commas, semicolons or tabs, got one column")
