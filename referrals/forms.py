"""What staff fill in: a program as its file, a code by name."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core import clocks
from core.errors import Refused
from referrals.codes import canonical_code, vanity_problem
from referrals.models import BlockEntry, Code, Customer, Link, Program, Segment, ShareText, Source
from referrals.program_file import ProgramDocument, ProgramFileRefused, parse_program
from referrals.program_text import render_program
from referrals.queries.experiments import is_text_tried
from referrals.queries.links import SHARE_CHANNELS
from referrals.queries.people import living_customer_known_as, living_customers
from referrals.queries.programs import document_of
from referrals.queries.segments import Preview, preview, segment_fields
from referrals.risk import RULES
from referrals.segments import SegmentTextRefused, grammar_of, read_segment
from referrals.services.blocks import check_pattern
from referrals.services.program_changes import needs_second_person
from referrals.services.sources import check_options, check_secret
from referrals.sharing import text_problem

EXAMPLE = """\
program: refer-a-friend            # the identity; letters, digits, dashes
name: Refer a friend
status: draft                      # draft, active, paused or ended
currency: EUR
landing_url: https://shop.example/welcome
allowed_landing_hosts: [shop.example]
attribution: {window_days: 30, model: last_touch}
conversion_window_days: 180        # from being bound to qualifying
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 14                      # points wait as long as goods may come back
points_per_unit: 1                 # points a currency unit, for percent rewards
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}
  - {id: advocate-share, to: advocate, on: purchase, percent: 5, max_points: 200, repeat_days: 365}
# tiers, milestones, limits, risk, expires_days, conditions and other gifts: see docs/programs.md
"""


class ProgramForm(forms.ModelForm):  # type: ignore[type-arg]
    """A program as its file; `document` is the checked one after validation, `draft` a file to start from."""

    document: ProgramDocument
    draft: ClassVar[str] = ""
    file = forms.CharField(
        label="Program file",
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false", "style": "font-family: monospace"}),
    )

    reason = forms.CharField(
        label="Why?",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Needed where a second person has to approve the change.",
    )

    class Meta:
        model = Program
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.pk is not None
        current = render_program(document_of(self.instance)) if known else EXAMPLE
        self.fields["file"].initial = self.draft or current

    def clean_file(self) -> str:
        """Read the file; every problem is shown with its line."""
        text: str = self.cleaned_data["file"]
        try:
            self.document = parse_program(text, file="line")
        except ProgramFileRefused as refusal:
            told = [f"Line {problem.line}: {problem.message}" for problem in refusal.problems]
            raise forms.ValidationError(told) from None
        slug = self.instance.slug if self.instance.pk is not None else ""
        if slug and self.document.slug != slug:
            raise forms.ValidationError(f"program: expected {slug}; it is the identity and cannot be changed")
        if not slug and Program.objects.filter(slug=self.document.slug).exists():
            raise forms.ValidationError(f"program: {self.document.slug} exists already; change it there")
        return text

    def clean(self) -> dict[str, Any]:
        """Ask why where a second person will read it."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        asks = "file" in given and needs_second_person(self.document)
        if asks and not given.get("reason", "").strip():
            self.add_error("reason", "Say why: a second person decides on this change.")
        return given


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]
    """A link with a code of its own choosing."""

    new_code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(),
        help_text="4 to 20 letters A-Z and digits. The codes it had before keep working, on print and in chats.",
    )

    class Meta:
        model = Link
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_code"].initial = self.instance.code

    def clean_new_code(self) -> str:
        """Return the code as it will be stored; refuse unfit and taken ones."""
        code = canonical_code(self.cleaned_data["new_code"])
        owner = Code.objects.filter(code=code).first()
        if owner is not None and owner.link_id != self.instance.pk:
            raise forms.ValidationError(f"{code} is taken, choose another")
        problem = "" if owner is not None else vanity_problem(code)
        if problem:
            raise forms.ValidationError(problem)
        return code


EXAMPLE_SEGMENT = """\
all:
  - orders.count: {gte: 2}
  - orders.last_at: {within_days: 365}
  - any:
      - nps.group: promoter
      - referrals.counted: {gte: 1}
"""


CHECK = mark_safe(
    '<button type="submit" name="_check" value="1" class="border border-base-200 cursor-pointer font-medium mt-2 px-3 '
    'py-2 rounded-default dark:border-base-700">Check: who is in it?</button> counts without saving'
)


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A segment as its text. Sent with `_check` it is only counted (`preview`) and never valid to be saved."""

    preview: Preview | None = None
    text = forms.CharField(
        label="Definition",
        help_text=CHECK,
        strip=False,
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "style": "font-family: monospace"}),
    )

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = ["title", "slug", "description", "text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "text" in self.fields:
            self.fields["text"].initial = EXAMPLE_SEGMENT

    def clean_text(self) -> str:
        """Read the definition; every problem is shown with its line."""
        text: str = self.cleaned_data["text"]
        try:
            condition = read_segment(text, grammar_of(segment_fields()))
        except SegmentTextRefused as refusal:
            raise forms.ValidationError([f"Line {line}: {told}" for line, told in refusal.problems]) from None
        if "_check" in self.data:
            self.preview = preview(condition)
        return text

    def is_valid(self) -> bool:
        """Tell whether it may be saved: never where it was only to be checked."""
        return super().is_valid() and "_check" not in self.data


class QueueForm(forms.Form):
    """What of the review queue to show; what is unknown is as if it were not asked."""

    program = forms.CharField(required=False, max_length=60)
    signal = forms.CharField(required=False, max_length=30)
    q = forms.CharField(required=False, max_length=100)
    order = forms.CharField(required=False, max_length=10)

    def programs(self) -> list[tuple[str, str]]:
        """Return the programs to choose from."""
        return list(Program.objects.order_by("name").values_list("slug", "name"))

    def signals(self) -> list[tuple[str, str]]:
        """Return the signals to choose from."""
        return [(rule.code, rule.title) for rule in RULES]

    def asked(self) -> dict[str, str]:
        """Return the values that make sense, '' for the others."""
        self.is_valid()
        given = {name: str(self.cleaned_data.get(name, "")).strip() for name in self.fields}
        return {**given, "order": given["order"] if given["order"] == "score" else ""}


class DecisionForm(forms.Form):
    """What a reviewer decides, and why."""

    DECISIONS = (
        ("approve", _("Approve: it may be paid")),
        ("fraud", _("Void as fraud")),
        ("manual", _("Void for another reason")),
        ("hold", _("Hold for review")),
        ("undo", _("Take the last decision back")),
    )

    decision = forms.ChoiceField(choices=DECISIONS)
    reason = forms.CharField(max_length=200, strip=True)


def one_customer(text: str) -> Customer:
    """Return the customer with this external id, or the only one with this email; else a `ValidationError`."""
    named = living_customer_known_as(text.strip())
    found = [named] if named else list(living_customers().filter(email__iexact=text.strip())[:2])
    if len(found) != 1:
        problem = "Several customers have this address; give the external id." if found else "No customer is known so."
        raise forms.ValidationError(problem)
    return found[0]


class ByHandForm(forms.Form):
    """Who brought whom, as staff know it."""

    program = forms.ModelChoiceField(Program.objects.filter(status=Program.Status.ACTIVE).order_by("name"))
    advocate = forms.CharField(help_text="External id or email of the customer who put in a good word.")
    friend = forms.CharField(max_length=200, help_text="External id of the friend; a new customer is created.")
    since = forms.DateField(
        required=False, help_text="From this day's beginning on the friend's orders count. Left out: from now on."
    )
    reason = forms.CharField(max_length=200, help_text="Kept with the referral for ever.")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["program"].widget = UnfoldAdminSelectWidget(choices=self.fields["program"].widget.choices)
        for name in ("advocate", "friend", "reason"):
            self.fields[name].widget = UnfoldAdminTextInputWidget()
        self.fields["since"].widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})

    def clean_advocate(self) -> Customer:
        """Find exactly one customer."""
        return one_customer(self.cleaned_data["advocate"])


class MergeForm(forms.Form):
    """Which customer the source is as well."""

    into = forms.CharField(label="Is the same person as", help_text="External id or email of the customer who stays.")
    reason = forms.CharField(max_length=200, help_text="Kept for ever.")

    def __init__(self, *args: Any, source: Customer, **more: Any) -> None:
        super().__init__(*args, **more)
        self.source = source
        for field in self.fields.values():
            field.widget = UnfoldAdminTextInputWidget()

    def clean_into(self) -> Customer:
        """Find exactly one other customer."""
        found = one_customer(self.cleaned_data["into"])
        if found.pk == self.source.pk:
            raise forms.ValidationError("This is the customer to be merged. Name the other one.")
        return found


class ShareTextForm(forms.ModelForm):  # type: ignore[type-arg]
    """A text to pass links on with."""

    HELP = "{brand}, {name} (the advocate's first name) and {code} stand for what they say; the link follows the text."

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    channel = forms.ChoiceField(
        choices=[("", "every channel without a text of its own"), *((one, one) for one in SHARE_CHANNELS)],
        required=False,
    )

    class Meta:
        model = ShareText
        fields = ("program", "language", "channel", "subject", "text")
        widgets: ClassVar[dict[str, type[forms.Widget]]] = {
            "subject": UnfoldAdminTextInputWidget,
            "text": UnfoldAdminTextareaWidget,
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if "text" in self.fields:
            self.fields["text"].help_text = self.HELP

    def clean_program(self) -> Program:
        """Keep the texts as they are while an experiment compares others with them."""
        program: Program = self.cleaned_data["program"]
        if is_text_tried(program):
            raise forms.ValidationError("an experiment on this program's texts is running; end it first")
        return program

    def clean_subject(self) -> str:
        """Refuse unknown placeholders."""
        return _checked(self.cleaned_data["subject"])

    def clean_text(self) -> str:
        """Refuse unknown placeholders."""
        return _checked(self.cleaned_data["text"])


def _checked(text: str) -> str:
    if problem := text_problem(text):
        raise forms.ValidationError(problem)
    return " ".join(text.split())


class BlockEntryForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new entry of the block list."""

    class Meta:
        model = BlockEntry
        fields = ("kind", "pattern", "effect", "reason", "until")

    def clean(self) -> dict[str, Any]:
        """Refuse a pattern that fits everybody or could fit nobody, and an end that has passed."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("kind") and values.get("pattern"):
            try:
                values["pattern"] = check_pattern(kind=values["kind"], pattern=values["pattern"])
            except Refused as refusal:
                self.add_error("pattern", refusal.detail)
        if values.get("until") and values["until"] <= clocks.now():
            self.add_error("until", "expected a moment that is still to come")
        return values


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A system that reports by itself; its secret goes in and never comes out."""

    MAKE = "new"

    new_secret = forms.CharField(
        label="Its secret",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="As the other system shows it (Stripe: whsec_…, Shopify: the app's or the notifications' key). "
        "For one of your own leave it empty, or write “new”: one is made. The old one is accepted for 72 hours more.",
    )

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = ["kind", "slug", "name", "active", "options"]
        help_texts: ClassVar[dict[str, str]] = {
            "options": "Often empty. Stripe: customer, accept_test; Shopify: order_id, accept_test; WooCommerce: "
            "order_id; any other: signature, header, fields, constants, types, minor_units. See docs/webhooks.md.",
        }

    @property
    def wants_new_secret(self) -> bool:
        """Whether a secret is to be made."""
        return str(self.data.get("new_secret", "")).strip().lower() == self.MAKE

    def clean(self) -> dict[str, Any]:
        """Refuse options and secrets that the kind of system has not."""
        given: dict[str, Any] = super().clean() or {}
        kind = given.get("kind") or self.instance.kind
        options = given["options"] = given.get("options") or {}
        if self.wants_new_secret:
            given["new_secret"] = ""
        try:
            check_options(kind=kind, options=options)
            self._check_secret(kind, options, given.get("new_secret", ""))
        except Refused as refusal:
            self.add_error("options" if refusal.pointer == "/options" else "new_secret", refusal.detail)
        return given

    def _check_secret(self, kind: str, options: Any, secret: str) -> None:
        secret = secret or self.instance.secret
        if secret:
            check_secret(kind=kind, options=options if isinstance(options, dict) else {}, secret=secret)
        elif kind != Source.Kind.HMAC and not self.wants_new_secret and self.instance.pk is None:
            self.add_error("new_secret", "Enter the secret that the other system shows, or “new” to have one made.")
