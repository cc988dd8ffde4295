"""What is seen and shared where: offer views, openings and shares, each by its placement."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from core.dispatch import publish
from core.periods import local_day
from referrals.events import OfferSeen, ShareRecorded
from referrals.models import Link, OfferView, Program, Share


@transaction.atomic
def record_share(*, link: Link, program: Program, channel: str, placement: str, at: datetime) -> Share:
    """Keep that the link was passed on by a channel (one of SHARE_CHANNELS); `program` is what friends come to."""
    share = Share.objects.create(link=link, program=program, channel=channel, placement=placement, at=at)
    publish(ShareRecorded(subject=f"share:{share.pk}", days=(_day(at),)))
    return share


@transaction.atomic
def record_view(*, program: Program, kind: str, placement: str, at: datetime) -> OfferView:
    """Keep that a person saw or opened the offer there."""
    view = OfferView.objects.create(program=program, kind=kind, placement=placement, at=at)
    publish(OfferSeen(subject=f"offer_view:{view.pk}", days=(_day(at),)))
    return view


def _day(at: datetime) -> str:
    return local_day(at, timezone.get_default_timezone()).isoformat()
