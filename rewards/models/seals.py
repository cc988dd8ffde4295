from django.db import models


class Seal(models.Model):
    """A closed stretch of the ledger: the hash of its rows on top of the hash before; never updated or deleted.

    `marks` is a short digest of each row, so that a hash that no longer fits can say which row was changed.
    """

    day = models.DateField(help_text="on which it was sealed, in the installation's zone")
    from_id = models.BigIntegerField(unique=True, help_text="the first transfer")
    to_id = models.BigIntegerField(unique=True, help_text="the last transfer")
    sha256 = models.CharField(max_length=64)
    prev_sha256 = models.CharField(max_length=64, blank=True, help_text="of the seal before; empty: the first")
    marks = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(from_id__lte=models.F("to_id")), name="seal_covers_something"),
            models.UniqueConstraint(fields=["prev_sha256"], name="seals_form_one_chain"),
        ]

    def __str__(self) -> str:
        return f"transfers {self.from_id} to {self.to_id}"
