"""Keeping visits of share links, and forgetting how their addresses were hashed."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.addresses import network_of
from core.dispatch import publish
from core.periods import local_day
from referrals.bots import PERSON, Verdict, device_of
from referrals.events import ClicksRecorded
from referrals.models import Claim, Click, CodeMisses, DailyKey, Link

MISSES = 20
MISS_WINDOW = timedelta(minutes=10)
BY_DAY = "day:"
"""Begins the holder of a gift who is known by the day's keyed hash of address and browser alone."""
_KEPT = timedelta(days=1)

_keys: dict[date, bytes] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a visit of a link said of itself; `address` is used for the day's hash and never stored."""

    verdict: Verdict
    agent: str = ""
    address: str = ""
    channel: str = ""
    placement: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    visitor: str = ""


@transaction.atomic(savepoint=False)
def record_click(*, link: Link, visit: Visit, at: datetime) -> Click:
    """Store the visit of the link; a person's is announced, bots and previews are only kept."""
    click = Click.objects.create(
        link=link,
        program_id=link.program_id,
        at=at,
        channel=visit.channel,
        placement=visit.placement,
        utm=dict(visit.utm),
        visitor=visit.visitor,
        day_hash=day_hash(f"{visit.address}|{visit.agent}", at) if visit.address else "",
        device=device_of(visit.agent),
        verdict=visit.verdict.kind,
        why=visit.verdict.why,
    )
    if visit.verdict.kind == PERSON:
        day = local_day(at, timezone.get_default_timezone())
        publish(ClicksRecorded(subject=f"click:{click.pk}", days=(day.isoformat(),)))
    return click


def day_hash(text: str, at: datetime) -> str:
    """Return the hash of `text` under the key of that UTC day: the same only for the same text and day."""
    day = at.astimezone(UTC).date()
    return hmac.digest(_day_key(day), text.encode(errors="replace"), "sha256").hex()


def _day_key(day: date) -> bytes:
    known = _keys.get(day)
    if known is not None:
        return known
    row, _ = DailyKey.objects.get_or_create(day=day, defaults={"key": secrets.token_hex(32)})
    key = bytes.fromhex(row.key)
    transaction.on_commit(lambda: _remember(day, key))
    return key


def _remember(day: date, key: bytes) -> None:
    _keys.clear()
    _keys[day] = key


def may_visit(*, address: str, at: datetime) -> bool:
    """Tell whether this network (/24 or /48) has not used up its guesses in the current ten minutes."""
    network = day_hash(network_of(address), at)
    return not CodeMisses.objects.filter(network=network, window=_window(at), count__gt=MISSES).exists()


@transaction.atomic
def note_miss(*, address: str, at: datetime) -> bool:
    """Count an unknown code against the network it came from; return whether it was within the limit."""
    row, _ = CodeMisses.objects.get_or_create(network=day_hash(network_of(address), at), window=_window(at))
    CodeMisses.objects.filter(pk=row.pk).update(count=F("count") + 1)
    return CodeMisses.objects.values_list("count", flat=True).get(pk=row.pk) <= MISSES


def _window(at: datetime) -> datetime:
    seconds = int(MISS_WINDOW.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def seconds_left(at: datetime) -> int:
    """Return the seconds until the current window of misses ends."""
    return int((_window(at) + MISS_WINDOW - at).total_seconds()) + 1


def purge_daily_keys(*, at: datetime) -> int:
    """Destroy the keys of past days with the hashes made by them; return how many keys.

    Each purged hash becomes a random token, the same for the same hash, so that the number of distinct
    visitors of a day stays what it was while no token can be tied to an address any more.
    """
    past = DailyKey.objects.filter(day__lt=at.astimezone(UTC).date() - _KEPT)
    return sum(_purge_daily_key(day) for day in past.order_by("day").values_list("day", flat=True))


@transaction.atomic
def _purge_daily_key(day: date) -> int:
    start = datetime.combine(day, time.min, UTC)
    clicks = list(Click.objects.filter(at__gte=start, at__lt=start + timedelta(days=1)).exclude(day_hash=""))
    tokens: dict[str, str] = {}
    _keys.pop(day, None)
    for click in clicks:
        click.day_hash = tokens.setdefault(click.day_hash, secrets.token_hex(8))
    Click.objects.bulk_update(clicks, ["day_hash"], batch_size=400)
    CodeMisses.objects.filter(window__lt=start + timedelta(days=1)).delete()
    _forget_claimants(start)
    return DailyKey.objects.filter(day=day).delete()[0]


def _forget_claimants(start: datetime) -> None:
    """Let no gift of the day be tied to an address any more; who has one is still told apart from who has none."""
    claims = list(Claim.objects.filter(at__gte=start, at__lt=start + timedelta(days=1)).exclude(network="", holder=""))
    for claim in claims:
        claim.network = ""
        if claim.holder.startswith(BY_DAY):
            claim.holder = BY_DAY + secrets.token_hex(16)
    Claim.objects.bulk_update(claims, ["network", "holder"], batch_size=400)
