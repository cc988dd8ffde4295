"""The mails about rewards other than points: a gift is ready, a choice waits, coupons run out."""

import re

from django.conf import settings
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime

from accounts.models import User
from core.periods import local_day
from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import queue_message
from referrals.emails import recipient_of
from rewards.models import ChoiceGroup, CouponPool, Reward
from rewards.queries.gifts import gift_words
from rewards.queries.stock import Stock

GIFTS = "/gifts/"
_MAILABLE_CODE = re.compile(r"[\w-]{1,64}")


def queue_gift_ready(*, reward: Reward) -> Message:
    """Tell a customer that a coupon, credit, card, payment or the like is theirs, with its code where it has one."""
    recipient, detail = reward.recipient, reward.detail
    names = [str(detail.get("what", ""))]
    pools = dict(CouponPool.objects.filter(name__in=names).values_list("name", "gives"))
    groups = {group.name: group for group in ChoiceGroup.objects.filter(name__in=names)}
    with translation.override(recipient.locale or settings.LANGUAGE_CODE):
        gift = gift_words(reward, pools, groups)
    code = str(detail.get("coupon") or detail.get("code") or "")
    expires_at = parse_datetime(str(detail.get("expires_at") or ""))
    until = local_day(expires_at, timezone.get_default_timezone()).isoformat() if expires_at else ""
    return queue_message(
        kind="gift_ready",
        recipient=recipient_of(recipient),
        cause=f"reward:{reward.pk}",
        context={
            "first_name": recipient.first_name,
            "gift": gift,
            "code": code if _MAILABLE_CODE.fullmatch(code) else "",
            "valid_until": until,
            "gifts_url": f"{settings.PUBLIC_BASE_URL}{GIFTS}",
        },
    )


def queue_choose_gift(*, reward: Reward) -> Message:
    """Tell a customer that they may choose their reward."""
    group = ChoiceGroup.objects.filter(name=str(reward.detail.get("what", ""))).first()
    return queue_message(
        kind="choose_gift",
        recipient=recipient_of(reward.recipient),
        cause=f"reward:{reward.pk}",
        context={
            "first_name": reward.recipient.first_name,
            "title": group.title if group else "",
            "gifts_url": f"{settings.PUBLIC_BASE_URL}{GIFTS}",
        },
    )


def queue_stock_low(*, pool: CouponPool, stock: Stock, user: User, day: str) -> Message:
    """Tell one of the staff that a coupon pool runs low; at most once a day."""
    return queue_message(
        kind="stock_low",
        recipient=Recipient(key=f"user:{user.pk}", email=user.email, name=user.name),
        cause=f"pool:{pool.pk}:{day}",
        context={
            "pool": pool.name,
            "free": stock.free,
            "days_left": (stock.forecast.days_left or 0) if stock.forecast else 0,
            "waiting": stock.waiting,
            "pool_url": f"{settings.PUBLIC_BASE_URL}/admin/rewards/couponpool/{pool.pk}/change/",
        },
    )
