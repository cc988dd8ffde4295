"""Binding a friend to an advocate by hand: staff report what they know as a fact, and the rules decide as ever."""

from datetime import datetime

from django.db import transaction

from core.errors import Refused
from core.ids import new_id
from referrals.facts import fact_from_json
from referrals.models import Customer, Event, Program, Referral
from referrals.queries.people import customer_known_as
from referrals.services.binding import BY_HAND
from referrals.services.events import record_event
from referrals.services.links import ensure_link

NAME = "referred_by_hand"


class NotBound(Refused):
    """The friend is bound already, or staff have decided on them before; nothing was stored."""

    code = "already_bound"


@transaction.atomic
def bind_by_hand(
    *, program: Program, advocate: Customer, friend: str, reason: str, actor: str, occurred_at: datetime, at: datetime
) -> Referral:
    """Bind a friend (external id; a new one is created) to the advocate, as from `occurred_at`.

    What voids a referral voids this one, too. Raises `NotBound`, `Erased`, `BadFact`.
    """
    link = ensure_link(customer=advocate, program=program)
    body = {
        "event_id": new_id("hand"),
        "type": Event.Type.CUSTOM,
        "name": NAME,
        "occurred_at": occurred_at.isoformat(),
        "customer": {"external_id": friend},
        "referral": {"code": link.code},
        "attributes": {"reason": reason, "by": actor},
    }
    event = record_event(fact=fact_from_json(body, now=at), at=at, source=BY_HAND).event
    referral = Referral.objects.filter(binding_event=event).first()
    if referral is None:
        standing = Referral.objects.filter(friend=customer_known_as(friend), program=program).order_by("-pk").first()
        state = f" ({standing.state})" if standing else ""
        raise NotBound(f"{friend} has an advocate in this program already{state}", pointer="/friend")
    return referral
