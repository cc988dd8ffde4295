"""Reading the gifts that friends were handed on the landing page."""

from django.db.models import Q, QuerySet

from referrals.codes import coupon_key
from referrals.models import Claim, Customer, Event, FriendClaim, Referral


def claim_of_coupon(text: str) -> Claim | None:
    """Return the claim, with its link and click, of a coupon in any spelling, or None."""
    key = coupon_key(text)
    if not key:
        return None
    return Claim.objects.select_related("link__customer", "link__program", "click").filter(key=key).first()


def claims_behind(referral: Referral) -> QuerySet[Claim]:
    """Return the gifts that the referral's friend claimed through its advocate, oldest first.

    Theirs is what they used as a coupon, and what the visitor claimed whose click brought them.
    """
    coupons = Event.objects.filter(customer=referral.friend_id).exclude(coupon="").values_list("coupon", flat=True)
    theirs = Q(key__in={coupon_key(text) for text in coupons} - {""}) | Q(friend=referral.friend_id)
    if referral.click is not None:
        theirs |= Q(click=referral.click)
        if referral.click.visitor:
            theirs |= Q(holder=visitor_holder(referral.click.visitor))
    through = Claim.objects.filter(program=referral.program_id, link__customer=referral.advocate_id)
    return through.filter(theirs, Q(friend=None) | Q(friend=referral.friend_id)).order_by("at", "pk")


def visitor_holder(visitor: str) -> str:
    """Return how the claims of a visitor with a first-party id name their holder."""
    return f"visitor:{visitor}"


def questions_to(advocate: Customer) -> list[FriendClaim]:
    """Return the friends' claims that wait for the advocate's answer, the oldest first."""
    asked = FriendClaim.objects.filter(advocate=advocate, state=FriendClaim.State.ASKED)
    return list(
        asked.exclude(program__links__in=advocate.links.filter(asks=False)).select_related("friend").order_by("at")
    )
