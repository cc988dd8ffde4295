from django.db import models

from core.ids import new_id
from referrals.models import Customer, Referral


def new_appeal_id() -> str:
    return new_id("apl")


class Appeal(models.Model):
    """A customer asks to look again at what was refused or did not count, in their own words; staff answer."""

    class State(models.TextChoices):
        OPEN = "open", "waits for an answer"
        UPHELD = "upheld", "upheld"
        DECLINED = "declined", "declined"

    public_id = models.CharField(max_length=40, unique=True, default=new_appeal_id)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="appeals")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="appeals")
    about = models.CharField(max_length=60, help_text="what was appealed against: its state and reason then")
    text = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    answer = models.CharField(max_length=200, blank=True)
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "customer"],
                condition=models.Q(state="open"),
                name="one_open_appeal_a_person_and_referral",
            ),
        ]
        indexes = [models.Index(fields=["customer", "created_at"], name="appeal_of_customer")]

    def __str__(self) -> str:
        return f"{self.customer} about {self.referral}"
