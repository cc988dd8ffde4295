"""The rows that carry work: deliveries, job runs and remembered requests."""

from django.db import models


class Delivery(models.Model):
    """One handler's share of one domain event: done, due for (another) try, or dead."""

    class State(models.TextChoices):
        DUE = "due", "due"
        DONE = "done", "done"
        DEAD = "dead", "dead"

    event = models.CharField(max_length=100, help_text="dotted path of the event's class")
    handler = models.CharField(max_length=200, help_text="dotted path of the function")
    subject = models.CharField(max_length=100)
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="delivery_due"),
            models.Index(fields=["subject"], condition=~models.Q(state="done"), name="delivery_open_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.handler} for {self.subject} ({self.state})"


class JobRun(models.Model):
    """One run of a scheduled job for one period; the unique pair keeps two schedulers harmless."""

    job = models.CharField(max_length=60)
    period = models.CharField(max_length=40)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "period"], name="job_runs_once_a_period")]

    def __str__(self) -> str:
        return f"{self.job} {self.period}"


class IdempotentRequest(models.Model):
    """The first answer to a POST that carried an Idempotency-Key, kept 24 hours."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status = models.PositiveSmallIntegerField()
    body = models.TextField(help_text="as it was sent, byte for byte")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_used_once")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
