"""Values as cells of a CSV file that a spreadsheet opens without running them."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """Return the value, a text that a spreadsheet would take for a formula with an apostrophe before it."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def safe_cells(values: Iterable[object]) -> list[object]:
    """Return a row of cells, each of them safe; numbers stay numbers."""
    return [safe_cell(value) for value in values]
