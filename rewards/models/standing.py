from django.db import models

from referrals.models import Customer, Offer, Program


class TierStanding(models.Model):
    """The tier that is shown to an advocate in a program, as of the last time that it could have changed."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tier_standings")
    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="tier_standings")
    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, related_name="+", help_text="whose tiers it was told by"
    )
    level = models.CharField("tier", max_length=60, blank=True, help_text="as shown, days of grace included")
    level_now = models.CharField(
        "tier by the window", max_length=60, blank=True, help_text="without the days of grace; this one multiplies"
    )
    vip = models.BooleanField("VIP", default=False)
    perks = models.JSONField(default=list, blank=True)
    count = models.PositiveIntegerField("referrals in the window", default=0)
    total = models.PositiveIntegerField("referrals in all", default=0)
    at_risk = models.BooleanField(default=False)
    needed = models.PositiveIntegerField("referrals needed to keep it", default=0)
    held_until = models.DateTimeField(null=True, help_text="when the shown tier ends if nothing more happens")
    since = models.DateTimeField(help_text="when the shown tier was reached or fallen back to")
    next_change_at = models.DateTimeField(null=True, help_text="when time alone next changes any of this")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "tier of a customer"
        verbose_name_plural = "tiers of customers"
        constraints = [
            models.UniqueConstraint(fields=["customer", "program"], name="one_standing_a_customer_and_program"),
        ]
        indexes = [
            models.Index(
                fields=["next_change_at"], condition=models.Q(next_change_at__isnull=False), name="standing_to_refresh"
            ),
            models.Index(fields=["program", "level"], name="standing_of_level"),
            models.Index(fields=["program", "offer"], name="standing_of_offer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.level or 'no tier'}"


class TierChange(models.Model):
    """One change of the tier shown to an advocate: from what to what, when, why, by how many referrals."""

    class Why(models.TextChoices):
        REFERRALS = "referrals", "referrals came or went"
        TIME = "time", "referrals left the window"
        OFFER = "offer", "the program's tiers were changed"

    standing = models.ForeignKey(TierStanding, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60, blank=True)
    up = models.BooleanField(default=False)
    why = models.CharField(max_length=10, choices=Why)
    count = models.PositiveIntegerField("referrals in the window")

    class Meta:
        indexes = [models.Index(fields=["standing", "at"], name="change_of_standing")]

    def __str__(self) -> str:
        return f"{self.before or 'no tier'} → {self.after or 'no tier'}"
