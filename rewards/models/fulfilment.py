from django.db import models

from core import clocks
from rewards.models.rewards import Reward


class Fulfilment(models.Model):
    """How one reward reaches its recipient: what is to be given, whose turn it is, and what came of it."""

    class State(models.TextChoices):
        DUE = "due", "due"
        ASKED = "asked", "waits for somebody"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        TAKE_BACK = "take_back", "to be taken back by hand"
        STOPPED = "stopped", "stopped"

    class How(models.TextChoices):
        AT_ONCE = "at_once", "at once"
        CALL = "call", "by a signed call"
        HAND = "hand", "by hand"
        PAYOUT = "payout", "in a payout"
        CHOICE = "choice", "the customer chooses"

    reward = models.OneToOneField(Reward, on_delete=models.CASCADE, related_name="fulfilment")
    kind = models.CharField(max_length=12, help_text="what is given: of a choice, what was chosen")
    what = models.CharField(max_length=60, blank=True, help_text="the pool, perk, badge, group or handiwork")
    points = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    how = models.CharField(max_length=8, choices=How, default=How.AT_ONCE)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="when it is tried (again)")
    last_error = models.TextField(blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="what staff say of it")
    actor = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "fulfilments (work list)"
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="fulfilment_due"),
            models.Index(fields=["how", "state"], name="fulfilment_waiting"),
            models.Index(fields=["kind", "what"], condition=models.Q(state="due"), name="fulfilment_of_pool"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


class ChoiceGroup(models.Model):
    """Several rewards of which the customer chooses one; by the name that program files use (`choice: GROUP`)."""

    name = models.CharField(max_length=60, unique=True, help_text="as program files say it, such as thank-you")
    title = models.CharField(max_length=120, help_text="what the customer reads, such as “Choose your thank-you”")

    def __str__(self) -> str:
        return self.name


class ChoiceOption(models.Model):
    """One of the rewards that a customer may choose."""

    group = models.ForeignKey(ChoiceGroup, on_delete=models.CASCADE, related_name="options")
    name = models.CharField(max_length=60, help_text="what the customer reads, such as “A tree planted for you”")
    kind = models.CharField(max_length=12)
    what = models.CharField("which one", max_length=60, blank=True, help_text="the pool, perk or handiwork")
    points = models.PositiveIntegerField(default=0)
    amount_minor = models.PositiveBigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    place = models.PositiveSmallIntegerField(default=0, help_text="the smallest is shown first")
    offered = models.BooleanField(default=True)

    class Meta:
        ordering = ["place", "pk"]
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="option_named_once_a_group")]

    def __str__(self) -> str:
        return self.name
