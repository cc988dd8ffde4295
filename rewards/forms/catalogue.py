"""Forms of the customer's own pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from rewards.services.redeeming import MAX_QUANTITY


class RedeemForm(forms.Form):
    """How many of an item; `key` makes a form that is sent twice count once."""

    quantity = forms.IntegerField(
        label=_("How many?"), min_value=1, max_value=MAX_QUANTITY, initial=1, widget=forms.NumberInput
    )
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: object, most: int | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come
        if most is not None:
            self.fields["quantity"].widget.attrs["max"] = max(1, most)
