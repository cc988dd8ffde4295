from django.db import models

from referrals.models.programs import Program


class Takeover(models.Model):
    """From `at` until `until` (empty: still) new friends who come by `program`'s links get the offer of `to`."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="takeovers")
    to = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="takeovers_made")
    at = models.DateTimeField()
    why = models.CharField(max_length=200)
    until = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=200, blank=True)
    budget_points = models.BigIntegerField(help_text="the budget when it began")
    granted_points = models.BigIntegerField(help_text="granted and not taken back when it began")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program"], condition=models.Q(until=None), name="a_program_is_taken_over_by_one"
            ),
            models.CheckConstraint(condition=~models.Q(program=models.F("to")), name="no_program_takes_itself_over"),
        ]
        indexes = [models.Index(fields=["at", "until"], name="takeover_in_force")]

    def __str__(self) -> str:
        return f"{self.to} for {self.program} since {self.at:%Y-%m-%d}"
