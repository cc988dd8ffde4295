from django.db import models


class ExistingCustomer(models.Model):
    """Somebody who was a customer before the program: a keyed hash of the hashed address, from which nobody is read."""

    key = models.CharField(max_length=64, unique=True)
    added_at = models.DateTimeField(help_text="counts for friends who are bound from then on")

    def __str__(self) -> str:
        return f"{self.key[:8]}…"
