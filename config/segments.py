"""What a segment may ask of a customer, and who uses segments: each app's list, on one page."""

from collections.abc import Callable, Iterable

from referrals.queries import segment_fields as referral_fields
from referrals.queries.segments import programs_with_audience
from referrals.segments import Registered
from rewards.queries import segment_fields as reward_fields
from surveys import segment_fields as survey_fields
from surveys.services.triggers import triggers_with_segment

SEGMENT_FIELDS: list[Registered] = [
    *referral_fields.SEGMENT_FIELDS,
    *reward_fields.SEGMENT_FIELDS,
    *survey_fields.SEGMENT_FIELDS,
]
# Each returns in words what of its app uses the segment with that slug.
SEGMENT_USERS: list[Callable[[str], Iterable[str]]] = [programs_with_audience, triggers_with_segment]
