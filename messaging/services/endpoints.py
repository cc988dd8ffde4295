"""Webhook endpoints: made, changed, given a new secret, tried out, switched on and off."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from core.dispatch import publish
from core.errors import Invalid, Refused
from core.http import ForbiddenAddress, check_url, is_public
from core.webhooks import new_secret
from messaging.events import EndpointDisabled
from messaging.models import WebhookEndpoint
from messaging.webhook_types import is_wish

ROTATION = timedelta(hours=72)


class EndpointOff(Refused):
    """The endpoint is switched off; nothing is sent to it before it is switched on."""

    code = "endpoint_off"


class UnknownWebhookType(Invalid):
    """A type that no webhook has."""

    code = "unknown_webhook_type"


class TypesMissing(Invalid):
    """An endpoint that asks for nothing."""

    code = "types_missing"


@transaction.atomic
def create_endpoint(
    *, url: str, types: Sequence[str], description: str = "", contact_email: str = ""
) -> WebhookEndpoint:
    """Return a new endpoint with a secret of its own.

    Raises `ForbiddenAddress` for an address that may not be called, `UnknownWebhookType`, `TypesMissing`.
    """
    check_endpoint_url(url)
    return WebhookEndpoint.objects.create(
        url=url, types=checked_types(types), description=description, contact_email=contact_email
    )


@transaction.atomic
def change_endpoint(
    *,
    endpoint: WebhookEndpoint,
    at: datetime,
    url: str | None = None,
    types: Sequence[str] | None = None,
    description: str | None = None,
    contact_email: str | None = None,
    active: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given and return the endpoint; switching it on begins with a clean slate.

    What was waiting for it is sent then; what happened while it was off can be replayed. Refuses like
    `create_endpoint`.
    """
    changed = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    if url is not None:
        check_endpoint_url(url)
        changed.url = url
    if types is not None:
        changed.types = checked_types(types)
    changed.description = changed.description if description is None else description
    changed.contact_email = changed.contact_email if contact_email is None else contact_email
    if active is not None and active != changed.active:
        _switch(changed, on=active, at=at)
    changed.save()
    return changed


@transaction.atomic
def rotate_endpoint_secret(*, endpoint: WebhookEndpoint, at: datetime) -> WebhookEndpoint:
    """Give the endpoint a new secret; the old one goes on signing beside it for 72 hours."""
    changed = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    changed.previous_secret, changed.secret = changed.secret, new_secret()
    changed.previous_until = at + ROTATION
    changed.save(update_fields=["secret", "previous_secret", "previous_until"])
    return changed


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Forget an endpoint and its log; nothing more is sent to it."""
    endpoint.delete()


def disable_endpoint(*, endpoint: WebhookEndpoint, reason: str, at: datetime) -> bool:
    """Switch off an endpoint that cannot be reached and tell its owner; return whether it was on.

    Belongs inside the transaction of its cause.
    """
    on = WebhookEndpoint.objects.filter(pk=endpoint.pk, active=True)
    if on.update(active=False, disabled_reason=reason, disabled_at=at) != 1:
        return False
    publish(EndpointDisabled(subject=f"webhook-endpoint:{endpoint.pk}", endpoint=endpoint.pk))
    return True


def signing_secrets(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets that sign at `at`: the current one, and the previous one while it is being rotated out."""
    rotating = endpoint.previous_secret and endpoint.previous_until is not None and at < endpoint.previous_until
    return [endpoint.secret, *([endpoint.previous_secret] if rotating else [])]


def check_endpoint_url(url: str) -> None:
    """Refuse an address that could never be called: not https, or plainly not on the public internet."""
    try:
        parts = check_url(url)
        if settings.WEBHOOKS_ALLOW_PRIVATE_IPS:
            return
        if parts.scheme != "https":
            raise ForbiddenAddress("Expected an address that begins with https://.")
        if _is_inside(parts.hostname or ""):
            raise ForbiddenAddress("This is not an address of the public internet.")
    except ForbiddenAddress as refusal:
        raise ForbiddenAddress(refusal.detail, pointer="/url") from None


def checked_types(types: Sequence[str]) -> list[str]:
    """Return the wishes, each once; refuse unknown ones and none at all."""
    unknown = [wish for wish in types if not is_wish(wish)]
    if unknown:
        raise UnknownWebhookType(f"{unknown[0]!r} is not a type of webhook, nor the start of one", pointer="/types")
    if not types:
        raise TypesMissing("expected at least one type, such as 'referral.*'", pointer="/types")
    return list(dict.fromkeys(types))


def _is_inside(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def _switch(endpoint: WebhookEndpoint, *, on: bool, at: datetime) -> None:
    endpoint.active = on
    endpoint.disabled_reason = WebhookEndpoint.Reason.NONE if on else WebhookEndpoint.Reason.BY_STAFF
    endpoint.disabled_at = None if on else at
    endpoint.failing_since, endpoint.failures, endpoint.rests_until = None, 0, None
