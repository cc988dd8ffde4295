"""How referrals react to domain events."""

from datetime import datetime

from core import clocks
from messaging.events import OfferMailed, PreferencesChanged
from messaging.models import Message
from messaging.services import are_webhooks_wanted
from referrals.emails import (
    mailed_variants,
    queue_friend_claimed,
    queue_friend_joined,
    queue_purchases_thanks,
    queue_shop_silent,
)
from referrals.events import EventRecorded, EventsRecorded, FriendClaimed, ReferralJudged, ShopSilent
from referrals.freshness import SILENT_SOURCES, is_news
from referrals.models import Customer, Event, FriendClaim, OfferView, Placement, Referral, VetoCall
from referrals.queries.links import code_in, link_of_code
from referrals.queries.takeovers import program_in_charge
from referrals.services.experiments import note_exposures
from referrals.services.friend_claims import ask_named
from referrals.services.judging import judge_event
from referrals.services.links import ensure_links, first_links
from referrals.services.placements import record_view
from referrals.webhooks import queue_preferences_changed, queue_referral_changed, referral_type

_GOOD_NEWS = frozenset({Referral.State.SIGNED_UP, Referral.State.QUALIFIED, Referral.State.APPROVED})


def attribute(event: EventRecorded) -> None:
    """Bind and judge what the recorded event touches."""
    judge_event(event=Event.objects.select_related("customer").get(pk=event.event), at=clocks.now())


def ask_named_advocate(event: EventRecorded) -> None:
    """Ask whom the customer named before they were known, where only an address was right."""
    if event.named:
        ask_named(event=Event.objects.select_related("customer").get(pk=event.event), at=clocks.now())


def tell_friend_claimed(event: FriendClaimed) -> None:
    """Ask an advocate whether they told a friend."""
    claim = FriendClaim.objects.select_related("advocate", "friend", "program").get(pk=event.claim)
    if claim.advocate and claim.advocate.email:
        queue_friend_claimed(claim=claim, advocate=claim.advocate)


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
        queue_purchases_thanks(purchases=[(fact, links[0])])


def thank_for_purchases(event: EventsRecorded) -> None:
    """Thank the buyers of purchases that came together."""
    if event.source in SILENT_SOURCES:
        return
    now = clocks.now()
    bought = Event.objects.filter(pk__in=event.events, type=Event.Type.PURCHASE).exclude(customer__email="")
    facts = [
        fact
        for fact in bought.select_related("customer").order_by("pk")
        if is_news(fact.source, fact.occurred_at, at=now)
    ]
    links = first_links(customers=[fact.customer for fact in facts]) if facts else {}
    queue_purchases_thanks(purchases=[(fact, links[fact.customer_id]) for fact in facts if fact.customer_id in links])


def count_mailed_offer(event: OfferMailed) -> None:
    """Count the mail as one view of the offer it carries: sent, not seen, for what a person looks at is not asked.

    Whoever it went to has been shown what is tried on their link.
    """
    message = Message.objects.get(pk=event.message)
    link = link_of_code(code_in(message.context.get("share_url", "")))
    if link is None:
        return
    at = datetime.fromisoformat(event.at)
    program = program_in_charge(link.program, at)
    record_view(program=program, kind=OfferView.Kind.VIEW, placement=Placement.MAIL, at=at)
    shown = mailed_variants(message, link, program)
    note_exposures(shown=[(link, one) for one in shown], placement=Placement.MAIL, at=at)


def tell_friend_joined(event: ReferralJudged) -> None:
    """Tell the advocate of a new friend."""
    if event.before or event.after not in _GOOD_NEWS:
        return
    referral = Referral.objects.select_related("advocate", "friend", "program", "binding_event").get(pk=event.referral)
    source = referral.binding_event.source if referral.binding_event else ""
    if is_news(source, referral.bound_at, at=clocks.now()) and referral.advocate.email:
        queue_friend_joined(referral=referral)


def tell_shop_silent(event: ShopSilent) -> None:
    """Tell staff that rewards wait for an answer that does not come."""
    queue_shop_silent(call=VetoCall.objects.get(pk=event.veto))


def tell_endpoints_of_referral(event: ReferralJudged) -> None:
    """Tell the company's endpoints of a referral's new state."""
    if event.before == event.after or not are_webhooks_wanted(types=[referral_type(event.after)]):
        return
    referral = Referral.objects.select_related("program", "advocate", "friend").get(pk=event.referral)
    if referral.state == event.after:
        queue_referral_changed(referral=referral)


def tell_endpoints_of_preferences(event: PreferencesChanged) -> None:
    """Tell the company's endpoints what a customer wishes to get."""
    kind, _, pk = event.recipient_key.partition(":")
    if kind != "customer" or not pk.isdigit() or not are_webhooks_wanted(types=["preferences.changed"]):
        return
    customer = Customer.objects.filter(pk=int(pk), erased_at=None).first()
    if customer is not None:
        queue_preferences_changed(customer=customer, changed=dict(event.changed), source=event.source)
