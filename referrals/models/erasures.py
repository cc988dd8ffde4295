from django.db import models

from referrals.models.customers import Customer


class Erasure(models.Model):
    """The receipt of an erased person: when, by whom, and what became of open points. It names nobody."""

    class Points(models.TextChoices):
        KEEP = "keep", "stay on the account"
        FORFEIT = "forfeit", "were forfeited"

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="erasure")
    at = models.DateTimeField()
    by = models.CharField(max_length=100)
    points = models.CharField("open points", max_length=7, choices=Points, default=Points.KEEP)

    def __str__(self) -> str:
        return f"customer {self.customer_id} at {self.at:%Y-%m-%d}"
