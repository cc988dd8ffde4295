"""What staff fill in to import a file of another tool."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from referrals.models import Program
from rewards.importing.columns import ATTRIBUTE, COLUMNS, CUSTOMERS, Column
from rewards.importing.reading import MAX_BYTES
from rewards.importing.rows import FORMATS
from rewards.models import HistoryImport
from rewards.services.importing.uploads import ColumnChoice

_KINDS = (
    ("customers", "Customers: who they are"),
    ("referrals", "Referrals: who brought whom"),
    ("points", "Points: an opening balance each"),
)


class UploadForm(forms.Form):
    """A file, what it holds, and the program."""

    kind = forms.ChoiceField(label="What does the file hold?", choices=_KINDS)
    program = forms.ModelChoiceField(
        label="Program",
        queryset=Program.objects.order_by("name"),
        required=False,
        empty_label="none",
        help_text="Needed for referrals, and for old codes of customers.",
    )
    file = forms.FileField(
        label="CSV file",
        help_text=f"With a header, UTF-8, at most {MAX_BYTES // 1024 // 1024} MB; commas, semicolons or tabs.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of the file with the choice of what it is."""

    name: str
    field: str
    chosen: str
    options: list[tuple[str, str]]


class ColumnsForm:
    """What each column of a file is, what is the same in all rows, how days are written."""

    def __init__(self, history: HistoryImport, given: Any = None) -> None:
        self.history = history
        self._given = given

    @property
    def headings(self) -> list[Heading]:
        """The file's columns in their order."""
        found = []
        for place, name in enumerate(self.history.header):
            chosen = self._value(f"column-{place}", self.history.columns.get(name, ""))
            found.append(Heading(name, f"column-{place}", chosen, self._options(name)))
        return found

    def _options(self, name: str) -> list[tuple[str, str]]:
        kind = self.history.kind
        ours = [(column.name, column.label) for column in COLUMNS[kind]]
        if kind == CUSTOMERS:
            kept = self.history.columns.get(name, "")
            attribute = kept if kept.startswith(ATTRIBUTE) else f"{ATTRIBUTE}{name}"
            ours.append((attribute, "Keep as an attribute"))
        return [("", "Leave out"), *ours]

    @property
    def constants(self) -> Iterator[tuple[Column, str, str]]:
        """What may be the same in all rows: column, name of the field, value."""
        for column in COLUMNS[self.history.kind]:
            if column.constant:
                held = self.history.constants.get(column.name, "")
                yield column, f"constant-{column.name}", self._value(f"constant-{column.name}", held)

    @property
    def formats(self) -> list[tuple[str, str]]:
        """How days may be written."""
        words = {"iso": "year first", "dmy.": "day first", "dmy/": "day first", "mdy/": "month first"}
        return [(name, f"{example} ({words[name]})") for name, example in FORMATS.items()]

    @property
    def date_format(self) -> str:
        """The format that is chosen."""
        held = self.history.date_format
        return self._value("date_format", held) if self.has_days else held

    @property
    def has_days(self) -> bool:
        """Whether this kind of file has days at all."""
        return self.history.kind != CUSTOMERS

    def choice(self) -> ColumnChoice:
        """Return what was chosen."""
        return ColumnChoice(
            columns={one.name: one.chosen for one in self.headings if one.chosen},
            constants={column.name: value for column, _, value in self.constants if value},
            date_format=self.date_format,
        )

    def _value(self, field: str, held: str) -> str:
        return str(self._given.get(field, "")).strip() if self._given is not None else held
