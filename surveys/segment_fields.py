"""What a segment may ask of a customer's answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from referrals.conditions import Value
from referrals.segments import Registered, SegmentField
from surveys import scales
from surveys.models import Invitation, Response
from surveys.scoring import band_of


def _latest(pks: Sequence[int]) -> dict[int, Any]:
    """Return each customer's latest confirmed NPS answer as (score, at)."""
    confirmed = Response.objects.filter(
        customer__in=pks, kind=scales.NPS, state=Response.State.CONFIRMED, score__isnull=False
    )
    rows = confirmed.order_by("at", "pk").values_list("customer", "score", "at")
    return {pk: (score, at) for pk, score, at in rows}


def _of_latest(read: Callable[[Any], Value]) -> Callable[[Sequence[int]], Mapping[int, Value]]:
    return lambda pks: {pk: read(answer) for pk, answer in _latest(pks).items()}


def invited(pks: Sequence[int]) -> Mapping[int, Value]:
    """Return when each customer was last asked."""
    asked = Invitation.objects.filter(customer__in=pks, sent_at__isnull=False).order_by("sent_at")
    return dict(asked.values_list("customer", "sent_at"))


SEGMENT_FIELDS: list[Registered] = [
    SegmentField("nps.score", "number", "latest confirmed score, 0 to 10", _of_latest(lambda answer: answer[0])),
    SegmentField("nps.group", "text", "promoter, passive or detractor", _of_latest(lambda one: str(band_of(one[0])))),
    SegmentField("nps.answered_at", "moment", "latest confirmed answer", _of_latest(lambda answer: answer[1])),
    SegmentField("surveys.asked_at", "moment", "latest invitation sent", invited),
]
