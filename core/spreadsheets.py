"""Tables for spreadsheets: CSV in which no cell is ever computed."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

_COMPUTED = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a table to download; text that a spreadsheet would compute is quoted with an apostrophe."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_COMPUTED):
        return f"'{value}"
    return "" if value is None else value
