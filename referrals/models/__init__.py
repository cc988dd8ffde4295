from referrals.models.clicks import Click, CodeMisses, DailyKey
from referrals.models.customers import Customer
from referrals.models.erasures import Erasure
from referrals.models.events import Event
from referrals.models.links import Code, Link
from referrals.models.programs import Offer, Program, ProgramStatus
from referrals.models.referrals import Assist, Referral, ReferralStep
from referrals.models.segments import Segment

__all__ = [
    "Assist",
    "Click",
    "Code",
    "CodeMisses",
    "Customer",
    "DailyKey",
    "Erasure",
    "Event",
    "Link",
    "Offer",
    "Program",
    "ProgramStatus",
    "Referral",
    "ReferralStep",
    "Segment",
]
