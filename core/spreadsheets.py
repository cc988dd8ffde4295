"""Tables for spreadsheets: CSV in which no cell is ever computed."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from core.csv_cells import safe_cells


def csv_answer(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a table to download; text that a spreadsheet would compute is quoted with an apostrophe."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows(safe_cells(row) for row in rows)
    return response
