"""What people fill in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from surveys.scales import SCALES

COMMENT_LENGTH = 2000


class AnswerForm(forms.Form):
    """A score on the survey's scale and, if they like, a comment."""

    score = forms.TypedChoiceField(
        coerce=int,
        error_messages={"required": _("Please choose a number."), "invalid_choice": _("Please choose a number.")},
    )
    comment = forms.CharField(required=False, max_length=COMMENT_LENGTH)
    itself = forms.BooleanField(required=False)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["score"]
        assert isinstance(choice, forms.TypedChoiceField)  # noqa: S101 - for the type checker
        choice.choices = [(str(step), str(step)) for step in SCALES[kind].steps()]


class MoreForm(forms.Form):
    """What a person adds after the thanks."""

    more = forms.CharField(max_length=COMMENT_LENGTH)
