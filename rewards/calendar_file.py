"""One event as a calendar file (RFC 5545), for every calendar program. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

MOST_OCTETS = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """What a calendar shows; `uid` is the event's own for ever, a higher `sequence` replaces what was saved before."""

    uid: str
    title: str
    words: str
    place: str
    url: str
    starts_at: datetime
    ends_at: datetime
    stamped_at: datetime
    organiser: str = ""
    sequence: int = 0
    cancelled: bool = False


def calendar_file(event: CalendarEvent) -> bytes:
    """Return the file: lines end in CRLF and are folded at 75 octets, texts are escaped, moments are UTC."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Goodword//Events//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(event.uid)}",
        f"DTSTAMP:{_moment(event.stamped_at)}",
        f"DTSTART:{_moment(event.starts_at)}",
        f"DTEND:{_moment(event.ends_at)}",
        f"SUMMARY:{_text(event.title)}",
        *([f"DESCRIPTION:{_text(event.words)}"] if event.words else []),
        *([f"LOCATION:{_text(event.place)}"] if event.place else []),
        *([f"URL:{event.url}"] if event.url else []),
        f"SEQUENCE:{event.sequence}",
        f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{fold(line)}\r\n" for line in lines).encode()


def fold(line: str) -> str:
    """Return the line in pieces of at most 75 octets, never within a character (RFC 5545, 3.1)."""
    pieces, piece, room = [], "", MOST_OCTETS
    for character in line:
        octets = len(character.encode())
        if octets > room:
            pieces.append(piece)
            piece, room = "", MOST_OCTETS - 1  # the space in front counts
        piece += character
        room -= octets
    return "\r\n ".join([*pieces, piece])


def _text(value: str) -> str:
    """Escape a text (RFC 5545, 3.3.11); controls are dropped."""
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(c for c in plain if c == "\n" or c.isprintable())
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
