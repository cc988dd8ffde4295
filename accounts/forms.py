"""Forms of signing in and of the admin's user pages."""

from typing import Any

from allauth.account.forms import RequestLoginCodeForm
from django import forms
from django.conf import settings
from django.utils.module_loading import import_string
from unfold.forms import UserChangeForm as UnfoldUserChangeForm
from unfold.forms import UserCreationForm as UnfoldUserCreationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import ApiKey, User
from accounts.origins import origin_problem, read_origins
from accounts.services import welcome_user


class CodeRequestForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for the address a sign-in code goes to.

    Whoever the company knows may sign in at once, without signing up first; to anybody else the page
    answers the same and a mail says the rest.
    """

    _user: User | None

    def clean_email(self) -> str:
        """Find, or make, the user of an address the company knows."""
        email: str = super().clean_email()
        found: User | None = self._user
        if found is not None:
            self._user = welcome_user(email=found.email)
        elif not User.objects.filter(email__iexact=email).exists() and _is_known(email):
            self._user = welcome_user(email=email)
        return email


def _is_known(email: str) -> bool:
    return bool(import_string(settings.KNOWN_EMAIL)(email))


class UserCreationForm(UnfoldUserCreationForm):  # type: ignore[misc]
    """A new user of the admin, by email."""

    class Meta:
        model = User
        fields = ("email",)


class UserChangeForm(UnfoldUserChangeForm):  # type: ignore[misc]
    """A user in the admin."""

    class Meta:
        model = User
        fields = "__all__"


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key's name, scopes and end."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if "origins" in self.fields:
            self.initial["origins"] = "\n".join(self.instance.origins or ())

    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None ticked: read and write. A publishable key carries none.",
    )

    origins = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For a publishable key: the pages it works on, one origin a line, such as https://shop.example. "
        "Empty: any page.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "publishable", "origins", "expiry_date")
        widgets = {"name": UnfoldAdminTextInputWidget}
        field_classes = {"expiry_date": forms.SplitDateTimeField}

    def clean(self) -> dict[str, Any]:
        """Refuse a publishable key with scopes."""
        cleaned = super().clean() or {}
        if cleaned.get("publishable") and cleaned.get("scopes"):
            raise forms.ValidationError("A publishable key carries no scope.")
        if cleaned.get("origins") and not cleaned.get("publishable", self.instance.publishable):
            raise forms.ValidationError("Only a publishable key is limited to origins.")
        return cleaned

    def clean_origins(self) -> list[str]:
        """Read one origin a line."""
        origins = read_origins(self.cleaned_data["origins"].splitlines())
        if problems := [problem for problem in map(origin_problem, origins) if problem]:
            raise forms.ValidationError(problems)
        return origins
