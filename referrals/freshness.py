"""Whether a fact is news. Pure values."""

from datetime import datetime, timedelta

NEWS_FOR = timedelta(days=30)
IMPORTED = "imported"
"""The source of facts that a former tool kept."""
SILENT_SOURCES = frozenset({"csv", "demo", IMPORTED})


def is_news(source: str, occurred_at: datetime, *, at: datetime) -> bool:
    """Return whether a fact is worth a mail at `at`: history that is loaded later mails nobody."""
    return source not in SILENT_SOURCES and occurred_at >= at - NEWS_FOR
