"""Who a mail is for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person to write to; `key` ('customer:<pk>' or 'user:<pk>') is the identity, the rest may change."""

    key: str
    email: str
    name: str = ""
    locale: str = ""
    time_zone: str = ""
