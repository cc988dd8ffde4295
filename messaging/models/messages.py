"""Messages, what people wish to receive, and addresses that must not be written to."""

from django.db import models

from core import clocks
from core.ids import new_id
from messaging import kinds


def kind_choices() -> list[tuple[str, str]]:
    """Return every kind of message; named in migrations, so that a new kind needs none."""
    return [(name, kind.label) for name, kind in kinds.KINDS.items()]


def new_message_id() -> str:
    """Return a new public id of a message."""
    return new_id("msg")


class Purpose(models.TextChoices):
    """What people may opt in and out of, one by one."""

    REWARDS = kinds.REWARDS, "Rewards and referrals"
    REFERRAL_TIPS = kinds.REFERRAL_TIPS, "Ideas for sharing"
    SURVEYS = kinds.SURVEYS, "Surveys"
    NEWS = kinds.NEWS, "News and events"


class Message(models.Model):
    """One mail to one recipient of one kind for one cause, from the wish to write it to its outcome."""

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed, will be tried again"
        UNKNOWN = "unknown", "unknown whether it arrived"
        NOT_SENT = "not_sent", "not sent"
        DEAD = "dead", "given up"

    class Reason(models.TextChoices):
        NONE = "", "–"
        NO_EMAIL = "no_email", "no usable email address"
        UNSUBSCRIBED = "unsubscribed", "opted out of this kind of mail"
        SUPPRESSED = "suppressed", "address is on the suppression list"
        TOO_LATE = "too_late", "not worth sending any more"
        WITHDRAWN = "withdrawn", "its cause went away"
        THROTTLED = "throttled", "asked or answered not long ago"
        QUIET_HOURS = "quiet_hours", "not at this hour or day"
        OPEN_CASE = "open_case", "a complaint is being looked after"
        INACTIVE = "survey_inactive", "the survey is switched off"
        ANSWERED = "answered", "answered already"
        REFUSED = "refused", "the mail server refused it"
        INTERRUPTED = "interrupted", "the connection broke while it was handed over"
        NOT_RENDERED = "not_rendered", "its template could not be rendered"

    OPEN = (State.QUEUED, State.FAILED)

    public_id = models.CharField(max_length=40, unique=True, default=new_message_id, editable=False)
    recipient_key = models.CharField(max_length=80, help_text="'customer:<id>' or 'user:<id>'")
    kind = models.CharField(max_length=40, choices=kind_choices)
    cause = models.CharField(max_length=120, help_text="what it is about; one mail a recipient, kind and cause")
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    locale = models.CharField("language", max_length=20, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    context = models.JSONField(default=dict, help_text="the values that its template may use")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=20, choices=Reason, default=Reason.NONE, blank=True)
    last_error = models.TextField(blank=True)
    priority = models.PositiveSmallIntegerField(default=50)
    due_at = models.DateTimeField()
    not_after = models.DateTimeField(help_text="later it is not worth sending")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField("Message-ID", max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient_key", "kind", "cause"], name="one_message_a_recipient_kind_and_cause"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sending") | models.Q(lease_until__isnull=False),
                name="a_message_being_sent_is_leased",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="not_sent") | ~models.Q(reason=""), name="a_message_not_sent_says_why"
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "due_at"], condition=models.Q(state__in=["queued", "failed"]), name="message_open"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="message_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.email or self.recipient_key}"


class Preference(models.Model):
    """Whether a recipient wishes mails of one purpose now; without a row they do."""

    recipient_key = models.CharField(max_length=80)
    purpose = models.CharField(max_length=20, choices=Purpose)
    allowed = models.BooleanField("wants these mails")
    source = models.CharField(max_length=40, help_text="where the choice was made")
    at = models.DateTimeField("since")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient_key", "purpose"], name="one_preference_a_recipient_and_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.recipient_key}: {self.get_purpose_display()} {'yes' if self.allowed else 'no'}"


class RecipientAlias(models.Model):
    """A recipient who is another: links in mails that were written to the one go for the other."""

    key = models.CharField(max_length=80, unique=True)
    into = models.CharField(max_length=80, db_index=True)

    class Meta:
        verbose_name_plural = "recipient aliases"

    def __str__(self) -> str:
        return f"{self.key} is {self.into}"


class PreferenceChange(models.Model):
    """Every choice ever made, with the words the person saw; never changed."""

    recipient_key = models.CharField(max_length=80, db_index=True)
    purpose = models.CharField(max_length=20, choices=Purpose)
    allowed = models.BooleanField("wants these mails")
    source = models.CharField(max_length=40, help_text="where the choice was made")
    wording = models.TextField(blank=True, help_text="the words the person agreed or objected to")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.recipient_key}: {self.get_purpose_display()} {'yes' if self.allowed else 'no'} at {self.at}"


class Suppression(models.Model):
    """An address that is not written to: after a hard bounce nothing, else nothing but transactional mail."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "does not exist (hard bounce)"
        COMPLAINT = "complaint", "marked a mail as spam"
        MANUAL = "manual", "added by hand"

    email = models.CharField(max_length=254, unique=True, help_text="in lower case")
    reason = models.CharField(max_length=12, choices=Reason, default=Reason.MANUAL)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField("since", default=clocks.now, editable=False)

    def __str__(self) -> str:
        return f"{self.email} ({self.get_reason_display()})"
