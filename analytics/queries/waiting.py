"""When something is due next, over all that waits for its moment."""

from datetime import datetime, timedelta

from django.db.models import Model, Q

from core.models import Delivery
from messaging.models import Message, WebhookDelivery
from referrals.models import InboundCall, Referral, VetoCall
from rewards.models import Fulfilment, Lot, OutboundCall, PerkEvent, Redemption, Reward, TierStanding
from surveys.models import Invitation

_WAITING: tuple[tuple[type[Model], str, Q], ...] = (
    (Delivery, "due_at", Q(state=Delivery.State.DUE)),
    (InboundCall, "due_at", Q(state=InboundCall.State.DUE)),
    (Referral, "weigh_at", Q(weigh_at__isnull=False)),
    (Referral, "held_until", Q(held=True)),
    (Referral, "approve_at", Q(state=Referral.State.QUALIFIED)),
    (Referral, "expires_at", Q(state=Referral.State.SIGNED_UP)),
    (VetoCall, "due_at", Q(state=VetoCall.State.WAITING)),
    (Reward, "available_at", Q(state=Reward.State.PENDING)),
    (Lot, "expires_at", Q(remaining__gt=0)),
    (Lot, "warn_at", Q(remaining__gt=0)),
    (TierStanding, "next_change_at", Q(next_change_at__isnull=False)),
    (PerkEvent, "opens_at", Q(state=PerkEvent.State.PUBLISHED, invited_at=None)),
    (Redemption, "due_at", Q(due_at__isnull=False)),
    (Redemption, "expires_at", Q(state=Redemption.State.RESERVED)),
    (Fulfilment, "due_at", Q(state=Fulfilment.State.DUE)),
    (OutboundCall, "due_at", Q(state=OutboundCall.State.DUE)),
    (Message, "due_at", Q(state__in=Message.OPEN)),
    (WebhookDelivery, "due_at", Q(state=WebhookDelivery.State.DUE)),
    (Invitation, "send_at", Q(state=Invitation.State.PLANNED)),
    (Invitation, "expires_at", Q(state__in=Invitation.OPEN)),
)


def next_due(*, after: datetime, until: datetime) -> datetime | None:
    """Return the first full second by which something is over that is due after `after`, if not later than `until`."""
    found = [moment for moment in (_first(*one, after, until) for one in _WAITING) if moment is not None]
    if not found:
        return None
    return min(min(found).replace(microsecond=0) + timedelta(seconds=1), until)


def _first(model: type[Model], field: str, waits: Q, after: datetime, until: datetime) -> datetime | None:
    span = {f"{field}__gt": after, f"{field}__lte": until}
    rows = model._default_manager.filter(waits, **span).order_by(field)
    moment: datetime | None = rows.values_list(field, flat=True).first()
    return moment
