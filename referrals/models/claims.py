from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models.clicks import Click
from referrals.models.customers import Customer
from referrals.models.links import Link
from referrals.models.programs import Offer, Program


def new_claim_id() -> str:
    return new_id("clm")


class Claim(models.Model):
    """A friend's gift, handed out on the landing page before any order; its coupon's use names the link.

    `holder` is whoever asked, as far as one can tell, so that asking again gives the same; empty where nobody can.
    """

    public_id = models.CharField(max_length=40, unique=True, default=new_claim_id)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="claims")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="claims")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="claims")
    rule = models.CharField(max_length=60)
    click = models.ForeignKey(Click, on_delete=models.PROTECT, null=True, related_name="claims")
    holder = models.CharField(max_length=100, blank=True)
    network = models.CharField(max_length=64, blank=True, help_text="keyed hash of the network, of one day")
    coupon = models.CharField(max_length=64)
    key = models.CharField(max_length=64, unique=True, help_text="the coupon in its stored spelling")
    at = models.DateTimeField(default=clocks.now, db_index=True)
    expires_at = models.DateTimeField(null=True)
    friend = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="claims")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "holder"], condition=~models.Q(holder=""), name="one_gift_a_program_and_visitor"
            ),
        ]
        indexes = [
            models.Index(fields=["network", "at"], condition=~models.Q(network=""), name="claim_of_network"),
        ]

    def __str__(self) -> str:
        return self.coupon
