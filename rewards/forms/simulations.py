"""What staff fill in: an edited program file and the days to replay."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.periods import DAY
from referrals.program_file import ProgramFileRefused, parse_program
from rewards.services.simulations import Days

LONGEST = timedelta(days=3660)


class WhatIfForm(forms.Form):
    """A program's file as edited, and a first and last day."""

    file = forms.CharField(
        label=gettext_lazy("Program file"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "mono", "autocapitalize": "off"}),
    )
    first = forms.DateField(label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slug = slug

    def clean_file(self) -> str:
        """Read the file; every problem is shown with its line."""
        text: str = self.cleaned_data["file"]
        try:
            document = parse_program(text, file="line")
        except ProgramFileRefused as refusal:
            told = [
                _("Line %(line)s: %(what)s") % {"line": problem.line, "what": problem.message}
                for problem in refusal.problems
            ]
            raise forms.ValidationError(told) from None
        if document.slug != self.slug:
            raise forms.ValidationError(
                _("program: expected %(slug)s, the program whose past is replayed") % {"slug": self.slug}
            )
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order and more than ten years of them."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            raise forms.ValidationError(_("The last day lies before the first."))
        if first and last and last - first > LONGEST:
            raise forms.ValidationError(_("At most ten years can be replayed at once."))
        return cleaned

    @property
    def days(self) -> Days:
        """The days asked for."""
        return Days(start=self.cleaned_data["first"], end=self.cleaned_data["last"] + DAY)
