"""How referrals react to domain events."""

from core import clocks
from referrals.emails import queue_friend_joined, queue_purchase_thanks, queue_shop_silent
from referrals.events import EventRecorded, ReferralJudged, ShopSilent
from referrals.freshness import SILENT_SOURCES, is_news
from referrals.models import Event, Referral, VetoCall
from referrals.services.judging import judge_event
from referrals.services.links import ensure_links

_GOOD_NEWS = frozenset({Referral.State.SIGNED_UP, Referral.State.QUALIFIED, Referral.State.APPROVED})


def attribute(event: EventRecorded) -> None:
    """Bind and judge what the recorded event touches."""
    judge_event(event=Event.objects.select_related("customer").get(pk=event.event), at=clocks.now())


def thank_for_purchase(event: EventRecorded) -> None:
    """Thank the buyer with their own link, where a program runs and the purchase is fresh."""
    if event.type != Event.Type.PURCHASE or event.source in SILENT_SOURCES:
        return
    fact = Event.objects.select_related("customer").get(pk=event.event)
    fresh = is_news(fact.source, fact.occurred_at, at=clocks.now())
    if not fresh or not fact.customer.email:
        return
    links = ensure_links(customer=fact.customer)
    if links:
        queue_purchase_thanks(event=fact, link=links[0])


def tell_friend_joined(event: ReferralJudged) -> None:
    """Tell the advocate of a new friend."""
    if event.before or event.after not in _GOOD_NEWS:
        return
    referral = Referral.objects.select_related("advocate", "friend", "binding_event").get(pk=event.referral)
    source = referral.binding_event.source if referral.binding_event else ""
    if is_news(source, referral.bound_at, at=clocks.now()) and referral.advocate.email:
        queue_friend_joined(referral=referral)


def tell_shop_silent(event: ShopSilent) -> None:
    """Tell staff that rewards wait for an answer that does not come."""
    queue_shop_silent(call=VetoCall.objects.get(pk=event.veto))
