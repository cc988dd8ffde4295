from django.db import models

from core import clocks
from surveys import scales


class Survey(models.Model):
    """A question the company asks again and again; what it says stands in its immutable versions."""

    class Kind(models.TextChoices):
        NPS = scales.NPS, "Net Promoter Score (0–10)"
        CSAT = scales.CSAT, "satisfaction (1–5)"
        CES = scales.CES, "effort (1–7)"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.NPS)
    active = models.BooleanField(default=True, help_text="an inactive survey asks nobody; open invitations stay open")
    days_after_answer = models.PositiveSmallIntegerField(default=90, help_text="nobody is asked again before")
    days_after_silence = models.PositiveSmallIntegerField(default=30, help_text="the same after no answer")
    hours_between = models.PositiveSmallIntegerField(default=24, help_text="never two invitations within")
    open_days = models.PositiveSmallIntegerField(default=30, help_text="how long an invitation can be answered")
    edit_hours = models.PositiveSmallIntegerField(default=24, help_text="how long an answer can be changed")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class SurveyVersion(models.Model):
    """One immutable wording; `{brand}` stands for the company's name. Answers keep the one they answered."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    question = models.CharField(max_length=200)
    low_label = models.CharField(max_length=60)
    high_label = models.CharField(max_length=60)
    why = models.CharField("comment question", max_length=200)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="survey_version_numbered_once")]

    def __str__(self) -> str:
        return f"{self.question} (version {self.number})"
