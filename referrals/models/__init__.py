from referrals.models.claims import Claim
from referrals.models.clicks import Click, CodeMisses, DailyKey
from referrals.models.customers import Customer
from referrals.models.erasures import Erasure
from referrals.models.events import Event
from referrals.models.existing import ExistingCustomer
from referrals.models.experiments import Experiment, Exposure, Variant
from referrals.models.links import Code, Link
from referrals.models.merges import Merge
from referrals.models.named import FriendClaim, NameSearch
from referrals.models.programs import Offer, Program, ProgramStatus
from referrals.models.referrals import Assist, Referral, ReferralStep
from referrals.models.risk import BlockEntry, ReviewDecision, RiskAssessment
from referrals.models.segments import Segment
from referrals.models.sharing import OfferView, Placement, Share, ShareText
from referrals.models.sources import InboundCall, OrderAlias, Source
from referrals.models.takeovers import Takeover
from referrals.models.vetoes import VetoCall

__all__ = [
    "Assist",
    "BlockEntry",
    "Claim",
    "Click",
    "Code",
    "CodeMisses",
    "Customer",
    "DailyKey",
    "Erasure",
    "Event",
    "ExistingCustomer",
    "Experiment",
    "Exposure",
    "FriendClaim",
    "InboundCall",
    "Link",
    "Merge",
    "NameSearch",
    "Offer",
    "OfferView",
    "OrderAlias",
    "Placement",
    "Program",
    "ProgramStatus",
    "Referral",
    "ReferralStep",
    "ReviewDecision",
    "RiskAssessment",
    "Segment",
    "Share",
    "ShareText",
    "Source",
    "Takeover",
    "Variant",
    "VetoCall",
]
