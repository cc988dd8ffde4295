from django.conf import settings
from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Program


def new_simulation_id() -> str:
    return new_id("sim")


class Simulation(models.Model):
    """A back-test that somebody asked for: the edited file, the days, how far it is, what came out."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    OPEN = (State.WAITING, State.RUNNING)

    public_id = models.CharField(max_length=40, unique=True, default=new_simulation_id)
    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="simulations")
    text = models.TextField(help_text="the program file as edited")
    first_day = models.DateField()
    last_day = models.DateField(help_text="inclusive")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    progress = models.PositiveSmallIntegerField(default=0, help_text="per cent")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="simulations"
    )
    asked_at = models.DateTimeField(default=clocks.now, editable=False)
    due_at = models.DateTimeField(default=clocks.now, help_text="when it may be taken, or taken anew")
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "running"]), name="simulation_due")
        ]

    def __str__(self) -> str:
        return self.public_id


class BudgetAlert(models.Model):
    """Staff were told that a budget reached a stage: 80 or 95 per cent, soon or wholly spent; once for each budget."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="budget_alerts")
    stage = models.CharField(max_length=6)
    budget_points = models.BigIntegerField()
    granted_points = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "stage", "budget_points"], name="one_alert_a_stage_and_budget")
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.stage}"
