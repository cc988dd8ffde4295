from django.db import models

from referrals.models import Customer, Referral


class DirtyBucket(models.Model):
    """A mark that numbers must be counted again; rows are only ever appended, never made unique.

    It names either what changed (`subject`, the key of an event or a referral, whose days are found when
    it is counted) or a `day` of the `family`. `claim` is the run that is counting it, 0 while it waits.
    """

    EVENT = "event"
    REFERRAL = "referral"

    family = models.CharField(max_length=12)
    subject = models.BigIntegerField(null=True)
    day = models.DateField(null=True)
    claim = models.PositiveBigIntegerField(default=0, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(subject=None, day__isnull=False) | models.Q(subject__isnull=False, day=None),
                name="dirty_bucket_names_a_subject_or_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.family} {self.subject or self.day}"


class DailyValue(models.Model):
    """What one series came to on one calendar day of the installation's zone.

    `program` '' is the whole company. `group_kind` '' is the total, 'channel' or 'placement' one part of it,
    'variant' what of it belongs to a variant of an experiment ('SLUG/VARIANT'), which may be several or none.
    Money is in minor units of `currency`; the other series leave it empty, save `orders`.
    """

    series = models.CharField(max_length=40)
    day = models.DateField()
    program = models.CharField(max_length=60, blank=True)
    group_kind = models.CharField(max_length=12, blank=True)
    group_value = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    value = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "program", "group_kind", "day", "group_value", "currency"],
                name="a_day_of_a_series_is_counted_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.day}: {self.value}"


class PersonDay(models.Model):
    """Who did what on which day: what counts of distinct people over any range are made of."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", "bought"
        FIRST_PURCHASE = "first", "bought for the first time"
        BOUND = "bound", "brought a friend who signed up"
        QUALIFIED = "qualified", "brought a friend who qualified"

    kind = models.CharField(max_length=9, choices=Kind)
    day = models.DateField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, null=True, related_name="+")
    program = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "day", "customer"],
                condition=models.Q(referral=None),
                name="a_person_counts_once_a_day",
            ),
            models.UniqueConstraint(
                fields=["kind", "day", "referral"],
                condition=models.Q(referral__isnull=False),
                name="a_referral_counts_once_a_day",
            ),
        ]
        indexes = [models.Index(fields=["kind", "day"], name="person_day_of_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"


class RollupState(models.Model):
    """The one row that refreshes are serialised by, and what the numbers were counted with."""

    time_zone = models.CharField(max_length=64, blank=True)
    version = models.CharField(max_length=20, blank=True, help_text="of the definitions")
    runs = models.PositiveBigIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"run {self.runs}"
