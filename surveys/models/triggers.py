from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from core import clocks
from referrals.models import Event
from surveys.models.invitations import Invitation
from surveys.models.surveys import Survey


class Trigger(models.Model):
    """Asks people some time after something has happened."""

    class After(models.TextChoices):
        FIRST_PURCHASE = "first_purchase", "first purchase"
        PURCHASE = "purchase", "any purchase"
        SUPPORT_CLOSED = "support_closed", "support case closed"
        CUSTOM = "custom", "custom event"

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="triggers")
    after = models.CharField(max_length=14, choices=After)
    event_name = models.CharField(max_length=60, blank=True, help_text="of a custom event, such as order.delivered")
    delay_hours = models.PositiveSmallIntegerField(default=72, help_text="how long after it, such as 72 for three days")
    sample_percent = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="how many of a hundred are asked, drawn anew for each occasion",
    )
    segment = models.SlugField(max_length=60, blank=True, help_text="only members of this segment; empty: everybody")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(after="custom") ^ models.Q(event_name=""), name="only_custom_events_are_named"
            ),
            models.CheckConstraint(
                condition=models.Q(sample_percent__gte=1, sample_percent__lte=100), name="a_sample_is_a_percentage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey}: {self.delay_hours} h after {self.event_name or self.get_after_display()}"


class Occasion(models.Model):
    """Something happened after which a trigger asks: once, at its time; the invitation says what was decided."""

    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="occasions")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT, null=True, related_name="occasion")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trigger", "event"], name="an_occasion_counts_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(decided_at=None), name="occasion_to_decide"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger_id} on event {self.event_id}"
