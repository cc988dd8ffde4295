"""The mails that referrals cause, each with its values in one typed function."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from accounts.queries import staff_who_may
from core import clocks
from core.money import to_text
from core.periods import local_day
from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import Draft, queue_message, queue_messages
from referrals.models import Customer, Event, FriendClaim, Link, Placement, Program, Referral, Variant, VetoCall
from referrals.queries.experiments import Running, picture_variant, running_experiments, text_variant
from referrals.queries.links import how_url, share_page_url, share_url
from referrals.queries.programs import current_offer, terms_of
from referrals.queries.sharing import gift_words, share_text
from referrals.queries.takeovers import program_in_charge
from referrals.terms import Terms

PORTAL = "/"


def recipient_of(customer: Customer) -> Recipient:
    """Return the customer as messaging knows recipients."""
    return Recipient(
        key=f"customer:{customer.pk}",
        email=customer.email,
        name=customer.name,
        locale=customer.locale,
        time_zone=customer.time_zone,
    )


def gets(terms: Terms, side: str) -> str:
    """Return in a few words what a side gets first of all ('500 points', 'a coupon'), or empty, in the language."""
    rule = next((rule for rule in terms.rewards if rule.to == side and rule.on != "assist"), None)
    if rule is None:
        return ""
    if gift := gift_words(rule, terms.currency):
        return gift
    if rule.percent is None:
        return ngettext("%(n)s point", "%(n)s points", rule.points or 0) % {"n": rule.points}
    per_hundred = int(rule.percent * terms.points_per_unit)
    hundred = f"{to_text(100_00, 'EUR').split('.')[0]} {terms.currency}"
    return gettext("%(n)s points for every %(amount)s") % {"n": per_hundred, "amount": hundred}


def queue_purchases_thanks(*, purchases: Sequence[tuple[Event, Link]]) -> list[Message]:
    """Thank customers for their purchases, each with their own link."""
    programs = {link.program_id: link.program for _, link in purchases}
    now = clocks.now()
    in_charge = {key: program_in_charge(one, now) for key, one in programs.items()}
    prefetch_related_objects(list(in_charge.values()), "offers", "share_texts")
    running = running_experiments(in_charge.values())
    drafts = [_purchase_thanks(event, link, in_charge[link.program_id], running) for event, link in purchases]
    return queue_messages(drafts=drafts)


def _purchase_thanks(event: Event, link: Link, program: Program, running: Running) -> Draft:
    customer, terms = event.customer, terms_of(current_offer(program))
    with translation.override(customer.locale or settings.LANGUAGE_CODE):
        context = {
            "first_name": customer.first_name,
            "share_url": share_url(link, "email", Placement.MAIL),
            "share_text": share_text(link, program=program, channel="email", running=running),
            "code": link.code,
            "advocate_gets": gets(terms, "advocate"),
            "friend_gets": gets(terms, "friend"),
            "portal_url": share_page_url(link, Placement.MAIL),
            "how_url": how_url(program.slug),
        }
    return Draft(kind="purchase_thanks", recipient=recipient_of(customer), cause=f"event:{event.pk}", context=context)


def mailed_variants(message: Message, link: Link, program: Program) -> list[Variant]:
    """Return the variants that a mail shows: of the picture behind its link, and of the words where it has some.

    What began after the mail was written is not in it.
    """
    running = running_experiments([program])
    language = (message.locale or settings.LANGUAGE_CODE)[:2]
    found = [picture_variant(running, program=program, customer_id=link.customer_id)]
    if "share_text" in message.context:
        found.append(text_variant(running, program=program, customer_id=link.customer_id, language=language))
    began = {one.pk: one.started_at for one in running.values()}
    return [one for one in found if one and (began[one.experiment_id] or message.created_at) <= message.created_at]


def queue_friend_joined(*, referral: Referral) -> Message:
    """Tell an advocate that a friend has come through them."""
    return queue_message(
        kind="friend_joined",
        recipient=recipient_of(referral.advocate),
        cause=f"referral:{referral.pk}",
        context={
            "first_name": referral.advocate.first_name,
            "friend_name": referral.friend.masked_name,
            "date": local_day(referral.bound_at, timezone.get_default_timezone()).isoformat(),
            "portal_url": f"{settings.PUBLIC_BASE_URL}{PORTAL}",
            "how_url": how_url(referral.program.slug),
        },
    )


def queue_friend_claimed(*, claim: FriendClaim, advocate: Customer) -> Message:
    """Ask an advocate whether they told a friend."""
    return queue_message(
        kind="friend_claimed",
        recipient=recipient_of(advocate),
        cause=f"friend_claim:{claim.pk}",
        context={
            "first_name": advocate.first_name,
            "friend_name": claim.friend.masked_name if claim.friend.name else "",
            "answer_url": f"{settings.PUBLIC_BASE_URL}{reverse('answer_claim', args=[claim.public_id])}",
        },
    )


def queue_shop_silent(*, call: VetoCall) -> list[Message]:
    """Tell those who decide on referrals that the shop does not answer whether one may be paid: one mail a day."""
    day = local_day(call.alerted_at or timezone.now(), timezone.get_default_timezone())
    waiting = VetoCall.objects.filter(state__in=VetoCall.OPEN).count()
    mails = []
    for user in staff_who_may("referrals.change_referral"):
        with translation.override(settings.LANGUAGE_CODE):
            words = gettext("%(waiting)s referrals wait for its answer. The last try ended with: %(error)s.")
            what = gettext("The shop has not answered for 72 hours")
        mails.append(
            queue_message(
                kind="staff_alert",
                recipient=Recipient(key=f"user:{user.pk}", email=user.email, name=user.name),
                cause=f"shop_silent:{day.isoformat()}",
                context={
                    "what": what,
                    "details": words % {"waiting": waiting, "error": call.last_error or "–"},
                    "page_url": f"{settings.PUBLIC_BASE_URL}/admin/referrals/vetocall/?state__exact=waiting",
                },
            )
        )
    return mails
