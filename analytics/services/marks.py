"""Marking what must be counted again, in the transaction of the change itself."""

from collections.abc import Iterable
from datetime import date

from analytics.models import DirtyBucket


def mark_subject(*, family: str, subject: int) -> None:
    """Mark that an event or a referral is new or changed; its days are found when it is counted."""
    DirtyBucket.objects.create(family=family, subject=subject)


def mark_subjects(*, family: str, subjects: Iterable[int]) -> None:
    """Mark many events or referrals at once."""
    DirtyBucket.objects.bulk_create([DirtyBucket(family=family, subject=subject) for subject in subjects])


def mark_days(*, family: str, days: Iterable[date]) -> None:
    """Mark days of a family whose facts changed."""
    DirtyBucket.objects.bulk_create([DirtyBucket(family=family, day=day) for day in sorted(set(days))])
