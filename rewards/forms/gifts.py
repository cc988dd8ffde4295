"""What staff fill in: coupon pools and their codes, choices, endpoints, payouts."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.errors import Invalid, Refused
from core.http import check_url
from core.money import exponent_of, to_minor, to_text
from referrals.program_promises import name_text
from referrals.terms import MONEY_KINDS
from rewards.coupon_codes import Upload, pattern_problem, read_upload
from rewards.models import ChoiceGroup, ChoiceOption, CouponPool, FulfilmentEndpoint, PayoutBatch

MOST_BYTES = 5_000_000
OPTION_KINDS = ("points", "coupon", "credit", "gift_card", "cash", "perk", "manual")
_NAMED = ("coupon", "perk", "manual")
_LONGEST = timedelta(days=36_500).days


def _name(text: str) -> str:
    if name_text(text) is None:
        raise forms.ValidationError("Expected letters, digits, dots and dashes, as program files may say it.")
    return text


class PoolForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A coupon pool; its name and where its codes come from stay as they are made."""

    class Meta:
        model = CouponPool
        fields = ("name", "gives", "source", "pattern", "valid_days", "alert_days")

    def clean_name(self) -> str:
        """Accept what program files can say."""
        return _name(self.cleaned_data["name"])

    def clean_valid_days(self) -> int | None:
        """Refuse no time at all, and what no calendar holds."""
        days: int | None = self.cleaned_data["valid_days"]
        if days is not None and not 0 < days <= _LONGEST:
            raise forms.ValidationError(f"Expected 1 to {_LONGEST} days, or nothing.")
        return days

    def clean(self) -> dict[str, Any]:
        """Ask for a pattern exactly where codes are made from one."""
        given = super().clean() or {}
        source = given.get("source") or self.instance.source
        pattern = str(given.get("pattern", ""))
        if source == CouponPool.Source.PATTERN and (problem := pattern_problem(pattern)):
            self.add_error("pattern", problem)
        if source == CouponPool.Source.UPLOADED and pattern:
            self.add_error("pattern", "only for codes made from a pattern")
        return given


class CodesForm(forms.Form):
    """Codes to add: a file, or typed in."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV or text: one code a line, or a column named “code”",
    )
    text = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}), label="Or one code a line"
    )
    skip = forms.BooleanField(required=False, label="Leave out wrong rows and codes that are known already")

    upload: Upload

    def clean_file(self) -> str:
        """Read the file as text."""
        file = self.cleaned_data.get("file")
        if not isinstance(file, UploadedFile):
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError("This file is larger than 5 MB; please cut it into several.")
        try:
            return bytes(file.read()).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("This file is not UTF-8 text.") from None

    def clean(self) -> dict[str, Any]:
        """Read the codes; without any there is nothing to add."""
        given = super().clean() or {}
        text = given.get("file") or given.get("text") or ""
        self.upload = read_upload(text)
        if not self.errors and not self.upload.codes and not self.upload.errors:
            raise forms.ValidationError("There is no code in this.")
        return given


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A group of rewards to choose from."""

    class Meta:
        model = ChoiceGroup
        fields = ("name", "title")

    def clean_name(self) -> str:
        """Accept what program files can say."""
        return _name(self.cleaned_data["name"])


class OptionForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """One reward to choose, with its amount as people write it."""

    kind = forms.ChoiceField(choices=[(kind, kind.replace("_", " ")) for kind in OPTION_KINDS])
    amount = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="of a credit, gift card or cash, such as 10.00"
    )

    class Meta:
        model = ChoiceOption
        fields = ("name", "kind", "what", "points", "amount", "currency", "place", "offered")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        option = self.instance
        if option.amount_minor is not None and option.currency:
            self.initial["amount"] = to_text(option.amount_minor, option.currency)

    def clean_currency(self) -> str:
        """Take currency codes in any case."""
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind needs, and nothing else."""
        given = super().clean() or {}
        kind = given.get("kind")
        self.instance.amount_minor = None
        if kind in MONEY_KINDS:
            self._clean_amount(given)
        elif given.get("amount") or given.get("currency"):
            self.add_error("amount", "only for a credit, gift card or cash")
        if kind in _NAMED and not given.get("what"):
            self.add_error("what", f"which {kind}? Expected its name")
        if (kind == "points") != bool(given.get("points")):
            self.add_error("points", "expected how many" if kind == "points" else "only for points")
        return given

    def _clean_amount(self, given: dict[str, Any]) -> None:
        try:
            amount = to_minor(str(given.get("amount", "")), str(given.get("currency", "")))
        except Invalid as invalid:
            self.add_error("amount", invalid.detail)
            return
        if not amount:
            self.add_error("amount", "expected more than 0")
        self.instance.amount_minor = amount


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Where signed calls of one kind go."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="such as https://shop.example/goodword",
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = FulfilmentEndpoint
        fields = ("kind", "url", "enabled")

    def clean_url(self) -> str:
        """Refuse what could not be called anyway."""
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except Refused as refusal:
            raise forms.ValidationError(refusal.detail) from None
        return url


class PayoutForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Which cash rewards to collect into a new payout."""

    minimum = forms.CharField(
        widget=UnfoldAdminTextInputWidget, help_text="least total of one customer, such as 20.00; smaller ones wait on"
    )

    class Meta:
        model = PayoutBatch
        fields = ("currency", "minimum")

    minimum_minor: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "minimum" in self.fields:
            self.fields["minimum"].initial = settings.PAYOUT_MINIMUM

    def clean_currency(self) -> str:
        """Accept a currency of ISO 4217 in any case."""
        currency = str(self.cleaned_data["currency"]).upper()
        try:
            exponent_of(currency)
        except Invalid as invalid:
            raise forms.ValidationError(invalid.detail) from None
        return currency

    def clean(self) -> dict[str, Any]:
        """Read the minimum in that currency."""
        given = super().clean() or {}
        if "currency" in given and "minimum" in given:
            try:
                self.minimum_minor = to_minor(str(given["minimum"]), given["currency"])
            except Invalid as invalid:
                self.add_error("minimum", invalid.detail)
        return given
