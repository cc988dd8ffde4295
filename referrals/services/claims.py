"""Who claims a gift on the landing page, as far as one can tell, and how many may."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.addresses import network_of
from core.errors import Refused
from referrals.models import Claim, Click, Link
from referrals.queries.claims import visitor_holder
from referrals.services.clicks import BY_DAY, day_hash

MOST_A_DAY = 20
"""Gifts that one network (/24 or /48) is handed in one UTC day."""


class TooManyClaims(Refused):
    """The network has been handed as many gifts today as one may."""

    code = "too_many_claims"
    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who asks for a gift through which link; `address` and `agent` are hashed for the day and never stored."""

    link: Link
    click: Click | None = None
    visitor: str = ""
    address: str = ""
    agent: str = ""
    trusted: bool = False


def holder_of(claimant: Claimant, *, at: datetime) -> str:
    """Return by what the same person is known again: the first-party id, the click, the day's hash; '' by nothing."""
    visitor = claimant.visitor or (claimant.click.visitor if claimant.click else "")
    if visitor:
        return visitor_holder(visitor)
    if claimant.click is not None:
        return f"click:{claimant.click.click_id}"
    if claimant.address and not claimant.trusted:
        return BY_DAY + day_hash(f"{claimant.address}|{claimant.agent}", at)
    return ""


def network_of_claimant(claimant: Claimant, *, at: datetime) -> str:
    """Return the day's hash of the network that asks, '' for the company's own server."""
    return "" if claimant.trusted or not claimant.address else day_hash(network_of(claimant.address), at)


def refuse_too_many(network: str, *, at: datetime) -> None:
    """Raise `TooManyClaims` where the network has had its gifts of the UTC day."""
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if network and Claim.objects.filter(network=network, at__gte=start).count() >= MOST_A_DAY:
        left = int((start + timedelta(days=1) - at).total_seconds()) + 1
        raise TooManyClaims("your network has had as many gifts as one may today; try again tomorrow", retry_after=left)
