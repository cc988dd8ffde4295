from django.core.validators import MinValueValidator
from django.db import models

from core import clocks
from surveys import scales


class Survey(models.Model):
    """A question the company asks again and again; what it says stands in its immutable versions."""

    class Kind(models.TextChoices):
        NPS = scales.NPS, "Net Promoter Score (0–10)"
        CSAT = scales.CSAT, "satisfaction (1–5)"
        CES = scales.CES, "effort (1–7)"

    class Style(models.TextChoices):
        NUMBERS = "numbers", "numbers"
        FACES = "faces", "faces (1–5 only)"
        STARS = "stars", "stars (1–5 only)"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.NPS)
    style = models.CharField(max_length=7, choices=Style, default=Style.NUMBERS, help_text="how the steps look")
    accent = models.CharField(max_length=7, blank=True, help_text="such as #0b6b53; empty: the brand's own")
    active = models.BooleanField(default=True, help_text="an inactive survey asks nobody; open invitations stay open")
    days_after_answer = models.PositiveSmallIntegerField(default=90, help_text="nobody is asked again before")
    days_after_silence = models.PositiveSmallIntegerField(default=30, help_text="the same after no answer")
    hours_between = models.PositiveSmallIntegerField(default=24, help_text="never two invitations within")
    open_days = models.PositiveSmallIntegerField(default=30, help_text="how long an invitation can be answered")
    edit_hours = models.PositiveSmallIntegerField(default=24, help_text="how long an answer can be changed")
    reminder_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="one reminder after so many days without an answer, such as 5; empty: none"
    )
    daily_cap = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="at most so many mails leave on one day, the others on the next; empty: no limit",
    )
    write_from = models.PositiveSmallIntegerField(
        default=0, help_text="mails leave from this hour on, the customer's own"
    )
    write_until = models.PositiveSmallIntegerField(default=24, help_text="and before this one; 0 to 24: at any hour")
    weekdays_only = models.BooleanField(default=False, help_text="mails leave from Monday to Friday only")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(style="numbers") | models.Q(kind="csat"), name="faces_and_stars_are_for_five_steps"
            ),
            models.CheckConstraint(
                condition=models.Q(write_from__lt=models.F("write_until"), write_until__lte=24),
                name="a_survey_has_hours_to_write",
            ),
        ]

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
    follow_ups = models.JSONField(default=dict, help_text="a second question by level: high, middle, low")
    translations = models.JSONField(default=dict, help_text="by language: question, labels, why, follow_ups")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="survey_version_numbered_once")]

    def __str__(self) -> str:
        return f"{self.question} (version {self.number})"
