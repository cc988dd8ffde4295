"""Wishing to tell endpoints: webhook rows are made in the transaction of their cause."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from core import clocks
from core.doorbell import ring_on_commit
from messaging.models import WebhookDelivery, WebhookEndpoint, WebhookEvent, WebhookVersion
from messaging.services.endpoints import EndpointOff
from messaging.webhook_types import TEST, WEBHOOK_TYPES, family_of, is_wanted

MAX_BYTES = 20_000
_Key = tuple[str, str]


class WrongWebhook(ValueError):
    """A type that is not declared, data with other keys than its sample, or too much of it: a bug of the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """Something to tell: its type, the public id of what it is about, and the keys that its type declares."""

    type: str
    object_id: str
    data: Mapping[str, Any]


def are_webhooks_wanted(*, types: Iterable[str]) -> bool:
    """Tell whether any endpoint, also one that is off, asked for one of these types."""
    wishes = WebhookEndpoint.objects.values_list("types", flat=True)
    return any(is_wanted(type_, wish) for wish in wishes for type_ in types)


def queue_webhook(*, type: str, object_id: str, data: Mapping[str, Any]) -> WebhookEvent | None:
    """Keep an event for every endpoint that asked for its type; None where none did. See `queue_webhooks`."""
    return next(iter(queue_webhooks(drafts=[WebhookDraft(type=type, object_id=object_id, data=data)])), None)


@transaction.atomic
def queue_webhooks(*, drafts: Sequence[WebhookDraft]) -> list[WebhookEvent]:
    """Keep events in their order, each with the next version of its object; return those that somebody asked for.

    Belongs inside the transaction of its cause. What an endpoint that is off asked for is kept for a replay.
    Raises `WrongWebhook` for what its type does not declare.
    """
    endpoints = list(WebhookEndpoint.objects.order_by("pk"))
    wanted = [draft for draft in drafts if any(is_wanted(draft.type, one.types) for one in endpoints)]
    if not wanted:
        return []
    now = clocks.now()
    events = _store(wanted, now)
    on = [endpoint for endpoint in endpoints if endpoint.active]
    pairs = [(one, event) for event in events for one in on if is_wanted(event.type, one.types)]
    _post(pairs, now)
    return events


@transaction.atomic
def send_test_webhook(*, endpoint: WebhookEndpoint, at: datetime) -> WebhookDelivery:
    """Queue a `webhook.test` for this endpoint alone and return its delivery; `EndpointOff` where it is off."""
    if not endpoint.active:
        raise EndpointOff("the endpoint is switched off; switch it on first")
    draft = WebhookDraft(type=TEST, object_id=endpoint.public_id, data={"endpoint": endpoint.public_id})
    return _post([(endpoint, _store([draft], at)[0])], at)[0]


def body_of(event: WebhookEvent) -> bytes:
    """Return the bytes that are sent and signed: the same in every try."""
    return _encode(event.type, event.at, event.data, event.version)


def _post(pairs: Sequence[tuple[WebhookEndpoint, WebhookEvent]], at: datetime) -> list[WebhookDelivery]:
    rows = [WebhookDelivery(endpoint=endpoint, event=event, due_at=at) for endpoint, event in pairs]
    if rows:
        WebhookDelivery.objects.bulk_create(rows)
        ring_on_commit("messaging.tasks.send_webhooks")
    return rows


def _store(drafts: Sequence[WebhookDraft], at: datetime) -> list[WebhookEvent]:
    contents = [_checked(draft, at) for draft in drafts]
    versions = _next_versions([(family_of(draft.type), draft.object_id) for draft in drafts])
    events = [
        WebhookEvent(type=draft.type, object_id=draft.object_id, version=version, data=data, at=at)
        for draft, data, version in zip(drafts, contents, versions, strict=True)
    ]
    return WebhookEvent.objects.bulk_create(events)


def _checked(draft: WebhookDraft, at: datetime) -> dict[str, Any]:
    if draft.type != TEST:
        if draft.type not in WEBHOOK_TYPES:
            raise WrongWebhook(f"{draft.type!r} is not among {sorted(WEBHOOK_TYPES)}")
        declared = set(WEBHOOK_TYPES[draft.type].sample)
        if set(draft.data) != declared:
            raise WrongWebhook(f"{draft.type}: expected {sorted(declared)}, got {sorted(draft.data)}")
    data: dict[str, Any] = json.loads(json.dumps(draft.data, cls=DjangoJSONEncoder))
    size = len(_encode(draft.type, at, data, 2**31))
    if size > MAX_BYTES:
        raise WrongWebhook(f"{draft.type}: {size} bytes are more than {MAX_BYTES}")
    return data


def _encode(type_: str, at: datetime, data: Mapping[str, Any], version: int) -> bytes:
    ordered = dict(sorted(data.items()))
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    value = {"type": type_, "timestamp": moment, "data": ordered, "version": version}
    return json.dumps(value, separators=(",", ":")).encode()


def _next_versions(keys: Sequence[_Key]) -> list[int]:
    """Return for each key the number after its last; the rows stay locked, so that numbers rise as commits do."""
    WebhookVersion.objects.bulk_create(
        [WebhookVersion(family=family, object_id=object_id) for family, object_id in dict.fromkeys(keys)],
        ignore_conflicts=True,
    )
    rows = WebhookVersion.objects.select_for_update().filter(
        family__in={family for family, _ in keys}, object_id__in={object_id for _, object_id in keys}
    )
    found = {(row.family, row.object_id): row for row in rows.order_by("pk")}
    numbers = []
    for key in keys:
        found[key].version += 1
        numbers.append(found[key].version)
    WebhookVersion.objects.bulk_update([found[key] for key in dict.fromkeys(keys)], ["version"])
    return numbers
