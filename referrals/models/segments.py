from django.db import models

from core import clocks


class Segment(models.Model):
    """A saved definition of a group of customers; who is in it is read anew whenever it is asked."""

    slug = models.SlugField(max_length=60, unique=True, help_text="the name in program files and elsewhere")
    title = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    text = models.TextField("definition", help_text="the condition as it was written")
    when = models.JSONField(editable=False, help_text="the condition as plain values")
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    changed_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        ordering = ("title", "pk")

    def __str__(self) -> str:
        return self.title
