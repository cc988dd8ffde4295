"""API keys: `Authorization: Bearer KEY`."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework_api_key.models import AbstractAPIKey
from rest_framework_api_key.permissions import KeyParser

from core.sandbox import TEST_KEY_PREFIX

_USE_NOTED_EVERY = timedelta(minutes=1)


class BearerParser(KeyParser):
    """Finds the key behind the word Bearer."""

    keyword = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the key; a wrong, revoked or expired one is refused with 401."""

    parser = BearerParser()

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AbstractAPIKey] | None:
        """Return (nobody, the key), or None where no key was sent."""
        if not request.META.get("HTTP_AUTHORIZATION"):
            return None
        text = without_prefix(self.parser.get(request) or "")
        model = apps.get_model(settings.API_KEY_MODEL)
        try:
            if not text or "\x00" in text:
                raise model.DoesNotExist
            key: AbstractAPIKey = model.objects.get_from_key(text)
        except model.DoesNotExist:
            raise AuthenticationFailed("This API key is not known or was revoked.", "wrong_key") from None
        if key.has_expired:
            raise AuthenticationFailed("This API key has expired.", "key_expired")
        refuse_other_origins(request, key)
        _note_use(model, key)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes a missing key a 401."""
        return 'Bearer realm="api"'


def without_prefix(text: str) -> str:
    """Return the key as it was made; 401 for a sandbox's key in a live installation, and the other way round."""
    ours = settings.SANDBOX
    if text.startswith(TEST_KEY_PREFIX) == ours:
        return text.removeprefix(TEST_KEY_PREFIX) if ours else text
    if ours:
        raise AuthenticationFailed(f"This is no sandbox key; those begin with {TEST_KEY_PREFIX}.", "not_a_sandbox_key")
    raise AuthenticationFailed("This is a sandbox key; it works in the sandbox alone.", "sandbox_key")


def refuse_other_origins(request: Request, key: AbstractAPIKey) -> None:
    """Refuse with 403 `origin_not_allowed` a key that is used outside the pages it is limited to."""
    origins = getattr(key, "origins", [])
    if origins and request.headers.get("origin", "") not in origins:
        raise PermissionDenied("This key works on other pages only.", "origin_not_allowed")


def _note_use(model: Any, key: AbstractAPIKey) -> None:
    now = timezone.now()
    last = getattr(key, "last_used_at", None)
    if last is not None and now - last < _USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    model.objects.filter(stale, pk=key.pk).update(last_used_at=now)
