from django.db import models

from core.ids import new_id
from referrals.models.links import Link
from referrals.models.programs import Program


def new_share_id() -> str:
    return new_id("shr")


class Placement(models.TextChoices):
    """Where an offer is shown."""

    BANNER = "banner", "inline banner"
    POST_PURCHASE = "post_purchase", "card after the purchase"
    FLOATING_BUTTON = "floating_button", "floating button"
    ACCOUNT_PAGE = "account_page", "account page"
    APP = "app", "app"
    MAIL = "mail", "mail"
    NEWSLETTER = "newsletter", "newsletter"
    BLOG = "blog", "blog"
    TILL = "till", "till"
    PORTAL = "portal", "portal"
    SURVEY = "survey", "survey"


class ShareText(models.Model):
    """What a link is passed on with, in the company's words: of a program, in a language, for a channel or for all.

    `{brand}`, `{name}` (the advocate's first name) and `{code}` stand for what they say.
    """

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="share_texts")
    language = models.CharField(max_length=10)
    channel = models.CharField(max_length=20, blank=True, help_text="empty: every channel that has no text of its own")
    subject = models.CharField(max_length=120, blank=True, help_text="of mails and posts; empty: the usual one")
    text = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "language", "channel"], name="one_text_a_program_language_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.channel or 'every channel'}"


class Share(models.Model):
    """An advocate used a channel to pass the link on; how many it reached is not known, who came of it is."""

    share_id = models.CharField(max_length=40, unique=True, default=new_share_id)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="shares")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="shares")
    at = models.DateTimeField(db_index=True)
    channel = models.CharField(max_length=20)
    placement = models.CharField(max_length=20, choices=Placement, blank=True)

    def __str__(self) -> str:
        return f"{self.channel} {self.share_id}"


class OfferView(models.Model):
    """A person saw a program's offer somewhere, or opened it there; machines are not kept."""

    class Kind(models.TextChoices):
        VIEW = "view", "seen"
        OPEN = "open", "opened"

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="offer_views")
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=4, choices=Kind)
    placement = models.CharField(max_length=20, choices=Placement)

    def __str__(self) -> str:
        return f"{self.kind} {self.placement}"
