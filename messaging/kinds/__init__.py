"""Every kind of mail, by name."""

from messaging.kinds import asking, earning, gifts, meeting, referring, signing_in, staff
from messaging.kinds.kind import (
    NEWS,
    PURPOSES,
    REFERRAL_TIPS,
    REWARDS,
    SURVEYS,
    TRANSACTIONAL,
    Guarantee,
    Kind,
    Type,
)

KINDS: dict[str, Kind] = {
    **signing_in.KINDS,
    **referring.KINDS,
    **earning.KINDS,
    **gifts.KINDS,
    **meeting.KINDS,
    **asking.KINDS,
    **staff.KINDS,
}

__all__ = [
    "KINDS",
    "NEWS",
    "PURPOSES",
    "REFERRAL_TIPS",
    "REWARDS",
    "SURVEYS",
    "TRANSACTIONAL",
    "Guarantee",
    "Kind",
    "Type",
]
