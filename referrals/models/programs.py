from django.db import models

from core import clocks


class Program(models.Model):
    """The rules of one referral program; what it promises stands in its immutable offers."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        ACTIVE = "active", "active"
        PAUSED = "paused", "paused"
        ENDED = "ended", "ended"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    landing_url = models.URLField(max_length=500)
    allowed_landing_hosts = models.JSONField(default=list, blank=True)
    starts = models.DateField(null=True, blank=True, help_text="first day, in the installation's zone")
    ends = models.DateField(null=True, blank=True, help_text="first day on which it no longer runs")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.name


class ProgramStatus(models.Model):
    """A change of a program's status; `at` is empty for the first one, which counts for all time before."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="statuses")
    status = models.CharField(max_length=8, choices=Program.Status)
    at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "program statuses"

    def __str__(self) -> str:
        return f"{self.program_id} {self.status} since {self.at or 'ever'}"


class Offer(models.Model):
    """One immutable version of what a program promises each side (`referrals.terms.Terms` as JSON).

    Number `SETTLED` promises nothing and is live for nobody: referrals that a former tool rewarded keep it.
    """

    SETTLED = 0

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="offers")
    number = models.PositiveIntegerField()
    terms = models.JSONField()
    live_from = models.DateTimeField(null=True, help_text="empty for the first offer, which is live since ever")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "number"], name="offer_numbered_once")]

    def __str__(self) -> str:
        return f"{self.program_id} offer {self.number}"

    @property
    def is_settled(self) -> bool:
        """Whether what keeps it was rewarded elsewhere."""
        return self.number == self.SETTLED
