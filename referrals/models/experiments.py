import secrets

from django.db import models

from core import clocks
from referrals.models.customers import Customer
from referrals.models.links import Link
from referrals.models.programs import Program
from referrals.models.sharing import Placement


def new_salt() -> str:
    return secrets.token_hex(16)


class Experiment(models.Model):
    """Two to five variants of one thing in one program, each for its part of the advocates.

    Who gets which is no row but a function of `salt` and customer (`referrals.experiments.arm_of`).
    """

    class Subject(models.TextChoices):
        SHARE_TEXT = "share_text", "the text that links are passed on with"
        PICTURE = "picture", "the picture that apps show with a link"

    class State(models.TextChoices):
        DRAFT = "draft", "being prepared"
        RUNNING = "running", "running"
        ENDED = "ended", "ended"

    slug = models.SlugField(max_length=30, unique=True, help_text="its name in metrics, such as text-2026-05")
    title = models.CharField(max_length=120)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="experiments")
    subject = models.CharField("what is varied", max_length=10, choices=Subject)
    state = models.CharField(max_length=7, choices=State, default=State.DRAFT, editable=False)
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    expected = models.CharField("what was expected", max_length=200, blank=True, editable=False)
    learnt = models.CharField("what was learnt", max_length=200, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "subject"],
                condition=models.Q(state="running"),
                name="one_running_experiment_a_program_and_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", started_at=None) | models.Q(started_at__isnull=False),
                name="an_experiment_that_began_says_when",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ended", ended_at__isnull=False)
                | (~models.Q(state="ended") & models.Q(ended_at=None)),
                name="an_experiment_that_ended_says_when",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """One way to do it; the first (position 0) is the control.

    `words` are by language: the text (of a picture: its title line) and the subject that goes with it. A control
    without any stands for what is shown without the experiment.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="variants")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.SlugField(max_length=20)
    weight = models.PositiveSmallIntegerField(default=1, help_text="its part of the advocates, against the others'")
    words = models.JSONField(default=dict, blank=True)
    colour = models.CharField(max_length=7, blank=True, help_text="of the picture, such as #0b6b4f; empty: the brand's")
    picture = models.BinaryField(null=True, blank=True, help_text="PNG of 1200 × 630; without one it is drawn")

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["experiment", "name"], name="a_variants_name_is_its_own"),
            models.UniqueConstraint(fields=["experiment", "position"], name="a_variants_place_is_its_own"),
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="a_variant_has_a_weight"),
        ]

    def __str__(self) -> str:
        return self.name


class Exposure(models.Model):
    """The first time an advocate was shown their variant; what happens to the link from then on counts for it."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="exposures")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="exposures")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="exposures")
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="exposures")
    at = models.DateTimeField()
    placement = models.CharField(max_length=20, choices=Placement, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["experiment", "customer"], name="a_customer_is_exposed_once_an_experiment")
        ]

    def __str__(self) -> str:
        return f"{self.variant} {self.at:%Y-%m-%d}"
