"""Calendar files as RFC 5545 wants them."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from rewards.calendar_file import CalendarEvent, calendar_file, fold

EVENT = CalendarEvent(
    uid="perk-event-1@shop.example",
    title="Wine, cheese; and more\\less",
    words="First line\nsecond line",
    place="Hafenstraße 4, Hamburg",
    url="https://shop.example/events/x",
    starts_at=datetime(2026, 5, 14, 18, 30, tzinfo=timezone(timedelta(hours=2))),
    ends_at=datetime(2026, 5, 14, 21, 0, tzinfo=timezone(timedelta(hours=2))),
    stamped_at=datetime(2026, 5, 1, 12, 0, tzinfo=UTC),
)


def test_calendar_file_is_exactly_this():
    assert calendar_file(EVENT).decode() == "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Goodword//Events//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH",
            "BEGIN:VEVENT",
            "UID:perk-event-1@shop.example",
            "DTSTAMP:20260501T120000Z",
            "DTSTART:20260514T163000Z",
            "DTEND:20260514T190000Z",
            "SUMMARY:Wine\\, cheese\\; and more\\\\less",
            "DESCRIPTION:First line\\nsecond line",
            "LOCATION:Hafenstraße 4\\, Hamburg",
            "URL:https://shop.example/events/x",
            "SEQUENCE:0",
            "STATUS:CONFIRMED",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=400))
def test_fold_keeps_every_line_within_75_octets_and_the_text_whole(text):
    folded = fold(text)

    assert max(len(line.encode()) for line in folded.split("\r\n")) <= 75
    assert folded.replace("\r\n ", "") == text


@given(st.text(max_size=60))
def test_calendar_file_lets_no_text_add_a_line(text):
    one = CalendarEvent(**{name: getattr(EVENT, name) for name in EVENT.__slots__} | {"title": text})

    unfolded = calendar_file(one).decode().replace("\r\n ", "")

    assert unfolded.count("\r\n") == 18
    assert "\n" not in unfolded.replace("\r\n", "")
