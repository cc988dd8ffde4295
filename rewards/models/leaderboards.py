from django.db import models

from core import clocks
from referrals.models import Customer, Program


class Leaderboard(models.Model):
    """Who referred most in a program, by period. Names are shown only of those who chose one."""

    class Period(models.TextChoices):
        MONTH = "month", "month"
        QUARTER = "quarter", "quarter"
        YEAR = "year", "year"
        ALL = "all", "all time"

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="leaderboards")
    title = models.CharField(max_length=80)
    period = models.CharField(max_length=8, choices=Period, default=Period.MONTH)
    shown = models.PositiveSmallIntegerField("ranks shown", default=10)
    active = models.BooleanField(default=True, help_text="whether customers see it")
    starts_on = models.DateField(help_text="referrals approved before are not counted")
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    closes_at = models.DateTimeField(null=True, editable=False, help_text="end of the running period")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "period"], name="one_leaderboard_a_program_and_period"),
            models.CheckConstraint(condition=models.Q(shown__gte=1), name="a_leaderboard_shows_a_rank"),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                condition=models.Q(active=True, closes_at__isnull=False),
                name="leaderboard_to_close",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class LeaderboardPrize(models.Model):
    """What the ranks from the first to the last of a range win, in words; staff hand it over."""

    leaderboard = models.ForeignKey(Leaderboard, on_delete=models.CASCADE, related_name="prizes")
    first_rank = models.PositiveSmallIntegerField(default=1)
    last_rank = models.PositiveSmallIntegerField(default=1)
    prize = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_rank__gte=1) & models.Q(last_rank__gte=models.F("first_rank")),
                name="a_prize_is_for_a_range_of_ranks",
            ),
        ]

    def __str__(self) -> str:
        ranks = str(self.first_rank) if self.first_rank == self.last_rank else f"{self.first_rank}–{self.last_rank}"
        return f"{ranks}: {self.prize}"


class DisplayName(models.Model):
    """The name under which a customer chose to be shown on leaderboards; without a row they are nameless there."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="display_name")
    name = models.CharField(max_length=30)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LeaderboardResult(models.Model):
    """A closed period: what it was then, whatever happens to its referrals later."""

    leaderboard = models.ForeignKey(Leaderboard, on_delete=models.PROTECT, related_name="results")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=100, blank=True, help_text="empty: the calendar")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["leaderboard", "starts_at"], name="a_period_is_closed_once"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="a_closed_period_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leaderboard}, from {self.starts_at:%Y-%m-%d}"


class LeaderboardPlace(models.Model):
    """One customer's rank in a closed period. The name is never stored here: who leaves is nameless at once."""

    result = models.ForeignKey(LeaderboardResult, on_delete=models.CASCADE, related_name="placed")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="leaderboard_places")
    rank = models.PositiveIntegerField()
    count = models.PositiveIntegerField("approved referrals")
    prize = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["result", "customer"], name="one_place_a_result_and_customer"),
        ]
        indexes = [models.Index(fields=["result", "rank"], name="place_by_rank")]

    def __str__(self) -> str:
        return f"{self.rank}. {self.customer}"
