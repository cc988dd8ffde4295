from django.core.validators import RegexValidator
from django.db import models

from core import clocks

named_in_files = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z", "Letters, digits, dots and dashes, as in program files: first-referral"
)


class Badge(models.Model):
    """A mark without value. One that program files name and that has no row here is called after its slug."""

    slug = models.CharField(max_length=60, unique=True, validators=[named_in_files])
    title = models.CharField(max_length=80)
    title_de = models.CharField("title in German", max_length=80, blank=True)
    description = models.CharField(max_length=200, blank=True, help_text="what it is given for")
    description_de = models.CharField("description in German", max_length=200, blank=True)
    picture = models.BinaryField(null=True, blank=True, help_text="PNG; without one the picture is drawn")
    picture_hash = models.CharField(max_length=16, blank=True, editable=False)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.title
