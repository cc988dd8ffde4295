"""Mails about VIP events."""

from datetime import timedelta

from messaging.kinds.kind import NEWS, TRANSACTIONAL, Kind

KINDS: dict[str, Kind] = {
    "event_invitation": Kind(
        label="Invitation to a VIP event",
        purpose=NEWS,
        priority=40,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "title": "copy",
            "about": "copy",
            "date": "day",
            "time": "copy",  # such as "18:30 (Europe/Berlin)"
            "place": "copy",
            "answer_by": "day",
            "answer_url": "url",
        },
    ),
    "event_place_free": Kind(
        label="A place at a VIP event became free",
        purpose=TRANSACTIONAL,
        priority=15,
        keep_for=timedelta(days=3),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "title": "copy",
            "date": "day",
            "time": "copy",
            "place": "copy",
            "answer_url": "url",
        },
    ),
    "event_cancelled": Kind(
        label="A VIP event was cancelled",
        purpose=TRANSACTIONAL,
        priority=15,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={"first_name": "name", "title": "copy", "date": "day", "portal_url": "url"},
    ),
}
