from django.db import models

from core import clocks
from referrals.models.customers import Customer
from referrals.models.programs import Program


class Link(models.Model):
    """A customer's share link in one program; `code` is its current code."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="links")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="links")
    code = models.CharField(max_length=32)
    greets = models.BooleanField(default=False, help_text="the customer agreed that friends see first name and note")
    found_as = models.CharField(
        max_length=200, blank=True, help_text="the name, as it is compared, by which friends may find the customer"
    )
    asks = models.BooleanField(default=True, help_text="the customer may be asked whether they told somebody")
    note = models.CharField(max_length=160, blank=True, help_text="the customer's own words to friends")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "program"], name="one_link_a_customer_and_program")]
        indexes = [
            models.Index(fields=["program", "found_as"], condition=~models.Q(found_as=""), name="link_found_by_name")
        ]

    def __str__(self) -> str:
        return self.code


class Code(models.Model):
    """Every code a link ever had; a renamed one keeps working. `code` is in canonical spelling."""

    code = models.CharField(max_length=32, unique=True)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="codes")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.code
