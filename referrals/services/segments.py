"""Segments are written as text and kept as checked conditions."""

from datetime import datetime

from django.db import transaction

from core.errors import Invalid, Refused
from referrals.models import Segment
from referrals.queries.segments import segment_fields, used_by
from referrals.segments import SegmentTextRefused, grammar_of, read_segment


class SegmentInUse(Refused):
    """A segment that something still names; the detail says what."""

    code = "segment_in_use"


@transaction.atomic
def save_segment(
    *, segment: Segment | None, slug: str, title: str, description: str, text: str, at: datetime
) -> Segment:
    """Create a segment or change one; its slug stays. Raises `Invalid` for a definition that is none."""
    try:
        condition = read_segment(text, grammar_of(segment_fields()))
    except SegmentTextRefused as refusal:
        raise Invalid(str(refusal), pointer="/text") from None
    values = {"title": title, "description": description, "text": text, "when": condition.to_json(), "changed_at": at}
    if segment is None or segment.pk is None:
        return Segment.objects.create(slug=slug, created_at=at, **values)
    Segment.objects.filter(pk=segment.pk).update(**values)
    segment.refresh_from_db()
    return segment


@transaction.atomic
def delete_segment(*, segment: Segment) -> None:
    """Delete a segment; `SegmentInUse` where something names it."""
    Segment.objects.select_for_update().get(pk=segment.pk)
    if users := used_by(segment):
        raise SegmentInUse(f"{segment.slug} is used by {', '.join(users)}")
    segment.delete()
