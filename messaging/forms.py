"""Forms of the admin."""

from typing import ClassVar

from django import forms

from messaging.models import Suppression


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]
    """An address that is not to be written to, kept in lower case."""

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = ["email", "reason", "note"]
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"email": forms.EmailField}

    def clean_email(self) -> str:
        """Fold the case, as addresses are compared."""
        return str(self.cleaned_data["email"]).lower()
