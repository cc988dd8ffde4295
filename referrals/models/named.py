from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models.customers import Customer
from referrals.models.events import Event
from referrals.models.links import Link
from referrals.models.programs import Program


def new_search_id() -> str:
    return new_id("nam")


def new_friend_claim_id() -> str:
    return new_id("fcl")


class NameSearch(models.Model):
    """A visitor said who told them of the company; `search_id` goes on to the shop as a visit's click id does.

    `link` is set where exactly one customer had agreed to be found by this name: the search is evidence. `asked` is
    whom the address given besides names: they are asked once the visitor signs up. Visitors never learn which.
    """

    search_id = models.CharField(max_length=40, unique=True, default=new_search_id)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="name_searches")
    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=120, blank=True, help_text="as typed")
    email = models.CharField(max_length=254, blank=True, help_text="as typed")
    link = models.ForeignKey(Link, on_delete=models.SET_NULL, null=True, related_name="name_searches")
    asked = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "name searches"

    def __str__(self) -> str:
        return self.name or self.search_id


class FriendClaim(models.Model):
    """A friend says who told them of the company; it counts once that customer confirms it."""

    class State(models.TextChoices):
        ASKED = "asked", "asked"
        CONFIRMED = "confirmed", "confirmed"
        DENIED = "denied", "denied"
        SILENT = "silent", "not answered"

    public_id = models.CharField(max_length=40, unique=True, default=new_friend_claim_id)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="friend_claims")
    friend = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="friend_claims")
    advocate = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="claims_of_friends", help_text="empty: nobody known"
    )
    given = models.CharField(max_length=254, blank=True, help_text="what the friend typed")
    since = models.DateTimeField(help_text="from when on the friend's orders would count")
    at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    answered_at = models.DateTimeField(null=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="friend_claims")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "friend"],
                condition=models.Q(state="asked"),
                name="a_friend_claims_one_advocate_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["at"], condition=models.Q(state="asked"), name="friend_claim_to_end"),
            models.Index(fields=["advocate", "state"], name="friend_claim_of_advocate"),
        ]

    def __str__(self) -> str:
        return self.public_id
