"""Referrals in the admin, grouped for a marketer; what changes anything calls a service."""

from referrals.admin.experiments import ExperimentAdmin
from referrals.admin.facts import ClickAdmin, EventAdmin
from referrals.admin.named import FriendClaimAdmin, NameSearchAdmin
from referrals.admin.people import CustomerAdmin, LinkAdmin
from referrals.admin.programs import ProgramAdmin
from referrals.admin.referrals import ReferralAdmin
from referrals.admin.risk import BlockEntryAdmin, ReviewDecisionAdmin, RiskAssessmentAdmin, VetoCallAdmin
from referrals.admin.segments import SegmentAdmin
from referrals.admin.sharing import ShareTextAdmin
from referrals.admin.sources import InboundCallAdmin, SourceAdmin

__all__ = [
    "BlockEntryAdmin",
    "ClickAdmin",
    "CustomerAdmin",
    "EventAdmin",
    "ExperimentAdmin",
    "FriendClaimAdmin",
    "InboundCallAdmin",
    "LinkAdmin",
    "NameSearchAdmin",
    "ProgramAdmin",
    "ReferralAdmin",
    "ReviewDecisionAdmin",
    "RiskAssessmentAdmin",
    "SegmentAdmin",
    "ShareTextAdmin",
    "SourceAdmin",
    "VetoCallAdmin",
]
