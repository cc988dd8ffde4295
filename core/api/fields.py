"""Fields that take one JSON type only and say what they expected."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers


class TextField(serializers.CharField):
    """A JSON string; numbers and booleans are refused rather than turned into text."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text, stripped."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """An ISO 8601 instant that names its zone, such as 2026-03-01T10:00:00Z."""

    default_error_messages = {"moment": "Expected an ISO 8601 time with its zone, such as 2026-03-01T10:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the aware instant."""
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
            if moment is None or moment.utcoffset() is None:
                self.fail("moment")
            return super().to_internal_value(value)
        except (ValueError, OverflowError):
            self.fail("moment")
