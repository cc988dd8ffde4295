from django.db import models

from core import clocks
from referrals.models.referrals import Referral


class RiskAssessment(models.Model):
    """A referral's score at one moment, with what each rule saw and the bounds of the program then."""

    class Moment(models.TextChoices):
        BINDING = "binding", "when the friend was bound"
        QUALIFYING = "qualifying", "when the friend qualified"
        RELEASE = "release", "before a reward was released"

    class Verdict(models.TextChoices):
        CLEAR = "clear", "clear"
        REVIEW = "review", "held for review"
        VOID = "void", "voided"

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="assessments")
    at = models.DateTimeField()
    moment = models.CharField(max_length=10, choices=Moment)
    score = models.PositiveSmallIntegerField(help_text="0 to 100")
    signals = models.JSONField(default=list, help_text="what the rules saw: code, weight, evidence")
    version = models.PositiveSmallIntegerField(help_text="of the rules")
    review_at = models.PositiveSmallIntegerField(null=True)
    void_at = models.PositiveSmallIntegerField(null=True)
    verdict = models.CharField(max_length=6, choices=Verdict)

    class Meta:
        indexes = [models.Index(fields=["referral", "at"], name="assessment_of_referral")]

    def __str__(self) -> str:
        return f"{self.score} of 100 ({self.verdict})"


class ReviewDecision(models.Model):
    """What a reviewer decided about a referral, on which score; an undone one no longer counts."""

    class Decision(models.TextChoices):
        APPROVE = "approve", "approved"
        VOID = "void", "voided"
        HOLD = "hold", "held"
        REOPEN = "reopen", "reopened"

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="decisions")
    assessment = models.ForeignKey(RiskAssessment, on_delete=models.SET_NULL, null=True, related_name="decisions")
    decision = models.CharField(max_length=7, choices=Decision)
    kind = models.CharField(max_length=10, blank=True, help_text="of a void: fraud or manual")
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=100)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["referral", "at"], name="decision_of_referral")]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.actor}"


class BlockEntry(models.Model):
    """Who may not take part, or is looked at first; `*` in the pattern stands for any text."""

    class Kind(models.TextChoices):
        EMAIL = "email", "email address"
        DOMAIN = "domain", "email domain"
        CUSTOMER = "customer", "customer id"

    class Effect(models.TextChoices):
        BLOCK = "block", "block: referrals are voided"
        WATCH = "watch", "watch: adds to the risk score"

    kind = models.CharField(max_length=8, choices=Kind)
    pattern = models.CharField(max_length=254, help_text="* stands for any text, such as *@*.example")
    effect = models.CharField(max_length=5, choices=Effect, default=Effect.BLOCK)
    reason = models.CharField(max_length=200)
    added_by = models.CharField(max_length=100, editable=False)
    added_at = models.DateTimeField(default=clocks.now, editable=False)
    until = models.DateTimeField(null=True, blank=True, help_text="empty: until it is removed")

    class Meta:
        verbose_name = "block list entry"
        verbose_name_plural = "block list"
        constraints = [models.UniqueConstraint(fields=["kind", "pattern", "effect"], name="a_pattern_is_listed_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"
