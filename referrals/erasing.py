"""What remains of facts about a person who was erased: amounts, moments and ids, no words. Pure."""

from collections.abc import Mapping
from typing import Any

KEPT: Mapping[str, tuple[str, ...]] = {
    "": ("event_id", "type", "name", "occurred_at", "channel"),
    "customer": ("external_id",),
    "referral": ("code", "click_id", "coupon"),
    "order": ("id", "amount", "currency", "discount", "margin"),
    "lead": ("id", "stage", "value", "currency"),
}
"""Of an event's body, by its part: the keys that stay. Whatever else it said is gone."""


WORDS = ("saw", "evidence")
ERASED = "(erased)"


def redact_body(body: object, replaced: Mapping[str, str]) -> dict[str, Any]:
    """Return an event's body without words about the person; ids and codes in `replaced` become others."""
    if not isinstance(body, dict):
        return {}
    kept = _only(body, KEPT[""], replaced)
    for part, keys in KEPT.items():
        inner = body.get(part)
        if part and isinstance(inner, dict):
            kept[part] = _only(inner, keys, replaced)
    return kept


def replace_all(value: Any, replaced: Mapping[str, str]) -> Any:
    """Return JSON values in which every text that is a key of `replaced`, in any case, stands for its value."""
    if isinstance(value, str):
        return replaced.get(value.casefold(), value)
    if isinstance(value, list):
        return [replace_all(one, replaced) for one in value]
    if isinstance(value, dict):
        return {key: replace_all(one, replaced) for key, one in value.items()}
    return value


def without_words(inputs: Any) -> Any:
    """Return what a decision rests on without what conditions and risk rules saw of the person, however deep."""
    if isinstance(inputs, dict):
        return {key: ERASED if key in WORDS else without_words(value) for key, value in inputs.items()}
    return [without_words(one) for one in inputs] if isinstance(inputs, list) else inputs


def _only(part: Mapping[str, Any], keys: tuple[str, ...], replaced: Mapping[str, str]) -> dict[str, Any]:
    return {key: replace_all(part[key], replaced) for key in keys if key in part and not isinstance(part[key], dict)}
