from django.db import models

from core.ids import new_id
from referrals.models.links import Link
from referrals.models.programs import Program
from referrals.models.sharing import Placement


def new_click_id() -> str:
    return new_id("clk")


class Click(models.Model):
    """A visit of a share link. Bots and link previews are stored and never counted."""

    class Verdict(models.TextChoices):
        PERSON = "person", "person"
        BOT = "bot", "bot"
        PREVIEW = "preview", "link preview"

    click_id = models.CharField(max_length=40, unique=True, default=new_click_id)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="clicks")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="clicks")
    at = models.DateTimeField(db_index=True)
    channel = models.CharField(max_length=20, blank=True)
    placement = models.CharField(
        max_length=20, choices=Placement, blank=True, help_text="where the advocate took the link from"
    )
    utm = models.JSONField(default=dict)
    visitor = models.CharField(max_length=40, blank=True, help_text="first-party id, empty where there is none")
    day_hash = models.CharField(max_length=64, blank=True, help_text="keyed hash of address and browser, of one day")
    device = models.CharField(max_length=10, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict)
    why = models.CharField(max_length=60, blank=True, help_text="what the verdict rests on")

    class Meta:
        indexes = [models.Index(fields=["visitor", "at"], condition=~models.Q(visitor=""), name="click_of_visitor")]

    def __str__(self) -> str:
        return self.click_id


class DailyKey(models.Model):
    """The key under which addresses of one UTC day were hashed; destroyed soon after, the hashes with it."""

    day = models.DateField(unique=True)
    key = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"key of {self.day}"


class CodeMisses(models.Model):
    """How many unknown codes came from one network (keyed hash) in one window of ten minutes."""

    network = models.CharField(max_length=64)
    window = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "code misses"
        constraints = [models.UniqueConstraint(fields=["network", "window"], name="misses_counted_once_a_window")]

    def __str__(self) -> str:
        return f"{self.count} since {self.window:%H:%M}"
