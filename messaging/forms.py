"""Forms of the admin."""

from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from core.errors import Refused
from messaging.models import Suppression, WebhookEndpoint
from messaging.services.endpoints import check_endpoint_url, checked_types


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]
    """An address that is not to be written to, kept in lower case."""

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = ["email", "reason", "note"]
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"email": forms.EmailField}

    def clean_email(self) -> str:
        """Fold the case, as addresses are compared."""
        return str(self.cleaned_data["email"]).lower()


class WebhookEndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint; its types one a line."""

    types = forms.CharField(
        label="Told of",
        initial="*",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One a line: a type such as referral.qualified, all of a kind such as reward.*, or * for everything. "
        "See docs/webhooks.md.",
    )

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar[list[str]] = ["url", "types", "description", "contact_email", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["types"] = "\n".join(self.instance.types)

    def clean_url(self) -> str:
        """Refuse an address that could never be called."""
        url = str(self.cleaned_data["url"])
        try:
            check_endpoint_url(url)
        except Refused as refusal:
            raise forms.ValidationError(refusal.detail) from None
        return url

    def clean_types(self) -> list[str]:
        """Return the types; refuse unknown ones."""
        try:
            return checked_types(str(self.cleaned_data["types"]).replace(",", " ").split())
        except Refused as refusal:
            raise forms.ValidationError(refusal.detail) from None
