"""Input that is exactly what was promised: an unknown field is an error, not a typo that passes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

UNKNOWN = "Unknown field."
UNSTORABLE = "Must not contain NUL characters, lone surrogates or infinite numbers."


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields and values that no database keeps, each with its pointer (nested ones too)."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values; every error at once."""
        errors: dict[str, Any] = {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            errors.update(error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail})
        if isinstance(data, Mapping):
            errors.update(self._surprises(data))
        if errors:
            raise ValidationError(errors)
        return value

    def _surprises(self, data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
        writable = {name: field for name, field in self.fields.items() if not field.read_only}
        for name, given in data.items():
            if name not in writable:
                yield str(name), [UNKNOWN]
            elif not isinstance(writable[name], serializers.BaseSerializer) and not is_storable(given):
                yield name, [UNSTORABLE]


def is_storable(value: Any) -> bool:
    """Say whether every text and number inside a JSON value can be kept by both databases."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(is_storable(name) and is_storable(part) for name, part in value.items())
    if isinstance(value, list | tuple):
        return all(is_storable(part) for part in value)
    return True
