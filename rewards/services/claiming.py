"""The gift before any order: a coupon handed out on the landing page, and the reward it becomes later."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.errors import NotFound, Refused
from referrals.codes import coupon_key
from referrals.conditions import Value, evaluate
from referrals.models import Claim, Event, Link, Referral
from referrals.queries.claims import claims_behind
from referrals.queries.programs import offer_live_at, program_runs_at, terms_of
from referrals.services.claims import Claimant, holder_of, network_of_claimant, refuse_too_many
from referrals.terms import RewardRule, Terms
from rewards.fulfilment.coupon import coupon_detail, take_coupon
from rewards.models import Coupon, CouponPool, Fulfilment, Reward
from rewards.services.fulfilling import keep_step, new_order
from rewards.services.planning import BY_STAFF

CLAIM = "claim"


class NoGift(NotFound):
    """The program hands out no gift before an order, or not on this way."""

    code = "no_gift"


class NotRunning(Refused):
    """The program takes no new friends now."""

    code = "program_not_running"


class OutOfStock(Refused):
    """No coupon is left; when new ones arrive the gift can be claimed again."""

    code = "out_of_stock"


def gift_rule(terms: Terms, values: Mapping[str, Value], *, at: datetime) -> RewardRule | None:
    """Return the first `on: claim` rule whose condition holds of what is known before any event, or None."""
    for rule in terms.rules_on(CLAIM):
        if rule.when is None or evaluate(rule.when, values, at=at).holds:
            return rule
    return None


def claim_gift(*, claimant: Claimant, at: datetime) -> Claim:
    """Return the gift of whoever asks through a link; the same person is given the same one again.

    Raises `NotRunning`, `NoGift`, `OutOfStock` or `TooManyClaims`.
    """
    holder = holder_of(claimant, at=at)
    known = _claim_of(claimant, holder)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _claim(claimant, holder, at)
    except IntegrityError:
        known = _claim_of(claimant, holder)
        if known is None:
            raise
        return known


def _claim_of(claimant: Claimant, holder: str) -> Claim | None:
    if not holder:
        return None
    return Claim.objects.select_related("program").filter(program=claimant.link.program, holder=holder).first()


def _claim(claimant: Claimant, holder: str, at: datetime) -> Claim:
    program, click = claimant.link.program, claimant.click
    # Who asks twice at once waits here for their own first answer.
    Link.objects.select_for_update(no_key=True).get(pk=claimant.link.pk)
    if known := _claim_of(claimant, holder):
        return known
    if not program_runs_at(program, at):
        raise NotRunning("this program takes no new friends now")
    offer = offer_live_at(program, at)
    values: dict[str, Value] = {"channel": click.channel if click else "", "method": "link" if click else "code"}
    rule = gift_rule(terms_of(offer), values, at=at)
    if rule is None:
        raise NoGift("this program hands out no gift before an order")
    network = network_of_claimant(claimant, at=at)
    refuse_too_many(network, at=at)
    pool = CouponPool.objects.filter(name=rule.what).first()
    coupon = take_coupon(pool, at=at) if pool else None
    if coupon is None:
        raise OutOfStock("no coupon is left just now; new ones are on their way")
    return Claim.objects.create(
        link=claimant.link,
        program=program,
        offer=offer,
        rule=rule.id,
        click=click,
        holder=holder,
        network=network,
        coupon=coupon.code,
        key=coupon_key(coupon.code),
        at=at,
        expires_at=coupon.expires_at,
    )


@transaction.atomic
def settle_claim(*, referral: Referral, at: datetime) -> Reward | None:
    """Make the gift that a bound friend claimed a reward of the referral, once; return it where it is new."""
    if referral.state not in Referral.LIVE:
        return None
    mine = Reward.objects.filter(program=referral.program_id, recipient=referral.friend_id, moment=CLAIM)
    if mine.filter(Q(state__in=Reward.STANDING) | Q(reason=BY_STAFF)).exists():
        return None
    claim = claims_behind(referral).select_related("offer").first()
    if claim is None:
        return None
    free = Claim.objects.filter(pk=claim.pk, friend=claim.friend_id)
    coupon = Coupon.objects.select_related("pool", "reward").select_for_update(of=("self",)).filter(key=claim.key)
    found = coupon.first()
    if found is None or free.update(friend=referral.friend_id) != 1:
        return None
    return _grant(claim, found, referral, at)


def _grant(claim: Claim, coupon: Coupon, referral: Referral, at: datetime) -> Reward:
    binding = referral.binding_event_id
    event = Event.objects.filter(pk=binding).first() if binding else None
    reward = Reward.objects.create(
        program_id=referral.program_id,
        offer=claim.offer,
        referral=referral,
        recipient_id=referral.friend_id,
        side="friend",
        rule=claim.rule,
        moment=CLAIM,
        kind="coupon",
        cause=f"{CLAIM}:{claim.pk}",
        event=event,
        detail=coupon_detail(coupon),
        inputs={"claimed_at": claim.at.isoformat(), "link": claim.link.code},
        state=Reward.State.FULFILLED,
        occurred_at=claim.at,
        available_at=claim.at,
        created_at=at,
    )
    order = new_order(reward, at=at)
    order.state, order.done_at = Fulfilment.State.DONE, claim.at
    order.save(force_insert=True)
    Coupon.objects.filter(pk=coupon.pk, state=Coupon.State.BLOCKED).update(state=Coupon.State.GIVEN)
    Coupon.objects.filter(pk=coupon.pk).update(reward=reward)
    keep_step(reward, "granted", at=at, why="claimed on the landing page before any order")
    return reward
