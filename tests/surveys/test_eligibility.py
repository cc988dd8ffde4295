from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.eligibility import Contact, History, Limits, Reason, Throttle, Verdict, judge

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REACHABLE = Contact()


def verdict(*, contact=REACHABLE, history=None, throttle=None, limits=Limits.ALL, at=NOW):
    return judge(contact=contact, history=history or History(), throttle=throttle or Throttle(), limits=limits, at=at)


def test_judge_asks_somebody_who_was_never_asked():
    assert verdict() == Verdict()
    assert verdict().asked


@pytest.mark.parametrize(
    ("history", "wait"),
    [
        (History(answered_at=NOW), timedelta(days=90)),
        (History(unanswered_at=NOW), timedelta(days=30)),
        (History(asked_at=NOW), timedelta(hours=24)),
        (History(answered_at=NOW - timedelta(days=80), unanswered_at=NOW), timedelta(days=30)),
    ],
)
def test_judge_waits_until_the_very_moment(history, wait):
    assert verdict(history=history) == Verdict(Reason.THROTTLED, NOW + wait)
    assert verdict(history=history, at=NOW + wait - timedelta(microseconds=1)).reason == Reason.THROTTLED
    assert verdict(history=history, at=NOW + wait) == Verdict()


def test_judge_keeps_only_the_pause_for_a_renewal():
    history = History(answered_at=NOW - timedelta(days=2), asked_at=NOW - timedelta(hours=23))

    refused = verdict(history=history, limits=Limits.PAUSE)

    assert refused == Verdict(Reason.THROTTLED, NOW + timedelta(hours=1))
    assert verdict(history=history, limits=Limits.PAUSE, at=NOW + timedelta(hours=1)).asked


def test_judge_without_limits_asks_again_at_once():
    assert verdict(history=History(answered_at=NOW, asked_at=NOW), limits=Limits.NONE).asked


@pytest.mark.parametrize("limits", list(Limits))
@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (Contact(erased=True, has_email=False), Reason.ERASED),
        (Contact(has_email=False), Reason.NO_EMAIL),
        (Contact(suppressed=True), Reason.SUPPRESSED),
        (Contact(unsubscribed=True), Reason.UNSUBSCRIBED),
    ],
)
def test_judge_never_overrides_what_the_person_wants(contact, reason, limits):
    assert verdict(contact=contact, limits=limits) == Verdict(reason)


moments = st.none() | st.integers(0, 12_000).map(lambda hours: NOW - timedelta(hours=hours))


@given(st.builds(History, answered_at=moments, unanswered_at=moments, asked_at=moments), st.sampled_from(Limits))
def test_judge_asks_at_the_moment_it_named(history, limits):
    first = verdict(history=history, limits=limits)

    if not first.asked:
        assert first.next_at > NOW
        assert verdict(history=history, limits=limits, at=first.next_at).asked
