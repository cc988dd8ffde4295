"""Appeals: what may be appealed against, and which wait for an answer."""

from collections.abc import Iterable

from django.db.models import QuerySet

from referrals.models import Referral
from rewards.models import Appeal, Reward

MOST_PER_REFERRAL = 3
_TAKEN = (Reward.State.CANCELLED, Reward.State.REVOKED)


def may_appeal(referral: Referral, own: Iterable[Reward], appeals: Iterable[Appeal]) -> bool:
    """Tell whether who owns these rewards and appeals may ask to look again at the referral.

    There has to be something to look at: a void, or a reward of theirs refused or taken back by staff. One open
    appeal at a time, three in all.
    """
    told = list(appeals)
    if len(told) >= MOST_PER_REFERRAL or any(one.state == Appeal.State.OPEN for one in told):
        return False
    return bool(what_is_refused(referral, own))


def what_is_refused(referral: Referral, own: Iterable[Reward]) -> str:
    """Return what an appeal would be about, as a state and reason code; empty where nothing was refused."""
    if referral.state == Referral.State.VOIDED:
        return f"voided: {referral.reason}"
    for reward in own:
        if reward.state == Reward.State.REFUSED and reward.reason != "reopened":
            return f"refused: {reward.reason}"
        if reward.state in _TAKEN and reward.reason == "by_staff":
            return f"{reward.state}: {reward.reason}"
    return ""


def open_appeals() -> QuerySet[Appeal]:
    """Return the appeals that wait for an answer, oldest first."""
    return Appeal.objects.filter(state=Appeal.State.OPEN).order_by("created_at", "pk")
