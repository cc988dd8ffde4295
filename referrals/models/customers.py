from django.db import models

from core import clocks


class Customer(models.Model):
    """A person the company knows; `external_id`, the company's own id, alone is the identity."""

    external_id = models.CharField(max_length=200, unique=True)
    email = models.EmailField(max_length=254, blank=True)
    email_normalized = models.CharField(max_length=254, blank=True, db_index=True, editable=False)
    name = models.CharField(max_length=200, blank=True)
    locale = models.CharField(max_length=20, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    guest_key = models.CharField(
        max_length=80, unique=True, null=True, blank=True, editable=False, help_text="keyed hash of a guest's email"
    )
    contact_as_of = models.DateTimeField(null=True, blank=True, help_text="when the email and name were last told")
    created_at = models.DateTimeField(default=clocks.now, editable=False, db_index=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="aliases",
        help_text="the same person under another id; all that is told of this one is theirs",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(merged_into=models.F("pk")), name="nobody_is_their_own_alias"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id

    @property
    def first_name(self) -> str:
        """The first word of the name, or empty."""
        return self.name.split()[0] if self.name.split() else ""

    @property
    def masked_name(self) -> str:
        """What another customer may see: first name and initial ('Bob M.'), else 'A friend'."""
        words = self.name.split()
        if not words:
            return "A friend"
        return words[0] if len(words) == 1 else f"{words[0]} {words[-1][0]}."
