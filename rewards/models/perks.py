from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Customer, Program
from rewards.models.badges import named_in_files


def new_invitation_id() -> str:
    return new_id("inv")


class Perk(models.Model):
    """Access that is given: by a tier whose `perks` name it, or by a reward of kind perk."""

    slug = models.CharField(max_length=60, unique=True, validators=[named_in_files])
    title = models.CharField(max_length=80)
    title_de = models.CharField("title in German", max_length=80, blank=True)
    words = models.TextField(max_length=1000, blank=True, help_text="what it is, for those who have it")
    words_de = models.TextField("words in German", max_length=1000, blank=True)
    instructions = models.TextField(max_length=1000, blank=True, help_text="how to use it; only its holders see this")
    link = models.URLField(max_length=500, blank=True, help_text="where to use it; only its holders see this")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.title


class PerkEvent(models.Model):
    """Something to come to: when, where, for whom, and how many places there are."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        PUBLISHED = "published", "published"
        CANCELLED = "cancelled", "cancelled"

    title = models.CharField(max_length=120)
    words = models.TextField(max_length=2000, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField("time zone", max_length=64, default="UTC", help_text="of the place, such as Europe/Berlin")
    place = models.CharField(max_length=200, blank=True, help_text="an address, or where it is shown online")
    places = models.PositiveIntegerField(null=True, blank=True, help_text="empty: as many as come")
    opens_at = models.DateTimeField(default=clocks.now, help_text="when the invitations go out")
    closes_at = models.DateTimeField(help_text="until when people may answer")
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, null=True, blank=True, related_name="perk_events", help_text="empty: any"
    )
    for_vips = models.BooleanField("for VIPs", default=False)
    tiers = models.JSONField(default=list, blank=True, help_text="names of tiers")
    perk = models.ForeignKey(
        Perk, on_delete=models.PROTECT, null=True, blank=True, related_name="events", help_text="for those who have it"
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    invited_at = models.DateTimeField(null=True, editable=False, help_text="when the first invitations went out")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        verbose_name = "VIP event"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="an_event_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=models.Q(closes_at__lte=models.F("starts_at")), name="answers_close_before_an_event_starts"
            ),
        ]
        indexes = [
            models.Index(
                fields=["opens_at"],
                condition=models.Q(state="published", invited_at__isnull=True),
                name="perk_event_to_open",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class EventInvitation(models.Model):
    """One customer's invitation to one event, and their answer. A place is a seat number, so no seat is given twice."""

    class State(models.TextChoices):
        INVITED = "invited", "not answered"
        COMING = "coming", "coming"
        WAITING = "waiting", "on the waiting list"
        DECLINED = "declined", "not coming"

    public_id = models.CharField(max_length=40, unique=True, default=new_invitation_id, editable=False)
    event = models.ForeignKey(PerkEvent, on_delete=models.CASCADE, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="event_invitations")
    state = models.CharField(max_length=8, choices=State, default=State.INVITED)
    seat = models.PositiveIntegerField(null=True)
    waiting_number = models.PositiveIntegerField(null=True, help_text="the order of the waiting list")
    invited_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    came = models.BooleanField(null=True, help_text="filled in afterwards")

    class Meta:
        verbose_name = "invitation to an event"
        verbose_name_plural = "invitations to events"
        constraints = [
            models.UniqueConstraint(fields=["event", "customer"], name="one_invitation_an_event_and_customer"),
            models.UniqueConstraint(fields=["event", "seat"], name="a_seat_is_given_once"),
            models.UniqueConstraint(fields=["event", "waiting_number"], name="a_waiting_number_is_given_once"),
            models.CheckConstraint(
                condition=models.Q(state="coming", seat__gt=0) | (~models.Q(state="coming") & models.Q(seat=None)),
                name="who_comes_has_a_seat",
            ),
        ]
        indexes = [models.Index(fields=["event", "state"], name="invitation_of_event")]

    def __str__(self) -> str:
        return f"{self.customer}: {self.get_state_display()}"
