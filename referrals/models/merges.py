from django.db import models

from referrals.models.customers import Customer


class Merge(models.Model):
    """Two customers turned out to be one person: who, when, why, by whom, and what moved; it is never undone."""

    source = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="merge")
    into = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="merges")
    at = models.DateTimeField()
    by = models.CharField(max_length=100, help_text="empty: the rules, where a guest's id became known")
    reason = models.CharField(max_length=200, blank=True)
    moved = models.JSONField(default=dict, help_text="how many of what")

    def __str__(self) -> str:
        return f"{self.source.external_id} into {self.into.external_id}"
