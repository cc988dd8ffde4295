"""Which translator speaks which system's language. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from referrals.sources import hmac, shopify, stripe, woocommerce
from referrals.sources.reading import Options, Translated

SHOPS: Mapping[str, Any] = {"stripe": stripe, "shopify": shopify, "woocommerce": woocommerce}
KNOWN_OPTIONS: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "stripe": {"customer": ("", "client_reference_id"), "accept_test": (True, False)},
    "shopify": {"order_id": shopify.ORDER_FIELDS, "accept_test": (True, False)},
    "woocommerce": {"order_id": woocommerce.ORDER_FIELDS},
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one source speaks: is a call genuine, what is its key and topic, which facts does it tell."""

    kind: str
    options: Options

    def is_genuine(self, *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime) -> bool:
        """Tell whether one of the secrets signed exactly these bytes; asked before anything is parsed."""
        if self.kind == "hmac":
            return hmac.is_genuine(secrets=secrets, headers=headers, body=body, at=at, options=self.options)
        return bool(SHOPS[self.kind].is_genuine(secrets=secrets, headers=headers, body=body, at=at))

    def event_key(self, *, headers: Mapping[str, str], value: object) -> str:
        """Return the sender's own id of the call, '' where there is none."""
        asked = partial(hmac.event_key, options=self.options) if self.kind == "hmac" else SHOPS[self.kind].event_key
        return str(asked(headers=headers, value=value))[:200]

    def topic_of(self, *, headers: Mapping[str, str], value: object) -> str:
        """Return the sender's word for what happened."""
        asked = partial(hmac.topic_of, options=self.options) if self.kind == "hmac" else SHOPS[self.kind].topic_of
        return str(asked(headers=headers, value=value))[:100]

    def translate(self, *, topic: str, value: object) -> Translated:
        """Return the facts of a call; `NotUnderstood` (or another `Invalid`) where it is not in the known shape."""
        tell = hmac.translate if self.kind == "hmac" else SHOPS[self.kind].translate
        told: Translated = tell(topic=topic, value=value, options=self.options)
        return told


def option_problems(kind: str, values: object) -> list[str]:
    """Return what is wrong with a source's options, in words; empty where nothing is."""
    if not isinstance(values, dict):
        return ["expected a JSON object"]
    if kind == "hmac":
        return hmac.option_problems(values)
    known = KNOWN_OPTIONS.get(kind, {})
    found = [f"{name!r} is not an option; expected {', '.join(known)}" for name in values if name not in known]
    return found + [
        f"{name}: expected one of {', '.join(str(one) for one in known[name] if one != '')}"
        for name, value in values.items()
        if name in known and value not in known[name]
    ]
