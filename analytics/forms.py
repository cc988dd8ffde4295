"""The filters of the dashboard."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.questions import FIRST_DAY, LAST_DAY
from analytics.services.overview import programs_to_choose
from analytics.spans import By, Span

PRESETS = {
    "30d": _("30 days"),
    "90d": _("90 days"),
    "12m": _("12 months"),
    "month": _("This month"),
    "year": _("This year"),
    "all": _("Everything"),
}
DEFAULT_PRESET = "12m"


def span_of_preset(preset: str, *, today: date, first: date | None) -> Span:
    """Return the days of a preset, through today; `first` is the earliest day with data."""
    end = today + timedelta(days=1)
    starts = {
        "30d": end - timedelta(days=30),
        "90d": end - timedelta(days=90),
        "12m": _a_year_before(end),
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
        "all": min(first or today, today),
    }
    return Span(starts[preset], end)


def _a_year_before(day: date) -> date:
    first = day.replace(day=1)
    return first.replace(year=first.year - 1) if day.day == 1 else _next_month(first.replace(year=first.year - 1))


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


class FilterForm(forms.Form):
    """A range by preset or by its first and last day, a program, a currency."""

    range = forms.ChoiceField(choices=list(PRESETS.items()), required=False)
    first = forms.DateField(label=_("First day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    program = forms.ChoiceField(label=_("Program"), required=False)
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All programs")), *programs_to_choose().values_list("slug", "name")]
        program = self.fields["program"]
        assert isinstance(program, forms.ChoiceField)  # noqa: S101 - declared above
        program.choices = choices

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it starts or lies out of reach."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day comes before the first."))
        for name, day in (("first", first), ("last", last)):
            if day and not FIRST_DAY <= day < LAST_DAY - timedelta(days=366):
                self.add_error(name, _("Days lie between 1900 and 2198."))
        return cleaned


class CsvForm(forms.Form):
    """The question behind a CSV file, in the API's words."""

    to = forms.DateField()
    by = forms.ChoiceField(choices=[(by.value, by.value) for by in By], required=False)
    group = forms.CharField(required=False)
    program = forms.CharField(required=False)
    currency = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = forms.DateField()


class ClockForm(forms.Form):
    """How far a sandbox's clock is moved: by hours, by days, or to a day and time of the installation's zone."""

    hours = forms.IntegerField(min_value=1, required=False)
    days = forms.IntegerField(min_value=1, required=False)
    to = forms.DateTimeField(
        label="To",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Please enter a day and a time."},
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of them."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and sum(bool(given.get(name)) for name in ("hours", "days", "to")) != 1:
            raise forms.ValidationError("Please choose how far the clock is to move.")
        return given

    def target(self, now: datetime) -> datetime:
        """Return the moment asked for, seen from `now`."""
        given = self.cleaned_data
        ahead = timedelta(hours=given.get("hours") or 0, days=given.get("days") or 0)
        return given["to"] or now + ahead
