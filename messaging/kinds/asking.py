"""Mails about surveys."""

from datetime import timedelta

from messaging.kinds.kind import SURVEYS, Kind, Type

_QUESTION: dict[str, Type] = {
    "first_name": "name",
    "question": "copy",
    "score_links": "scores",  # {score, mark: its number, a face or a star, label or empty, url}, lowest first
    "survey_url": "url",
    "scale_low": "whole",
    "scale_high": "whole",
    "low_label": "copy",  # such as "not at all likely"
    "high_label": "copy",
    "trap_url": "url",  # hidden: whoever opens it is a machine
    "accent": "code",  # the survey's own colour as six hexadecimal digits; empty: the brand's
}

KINDS: dict[str, Kind] = {
    "survey_invitation": Kind(
        label="Survey invitation",
        purpose=SURVEYS,
        priority=40,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables=_QUESTION,
    ),
    "survey_reminder": Kind(
        label="Reminder of a survey",
        purpose=SURVEYS,
        priority=48,
        keep_for=timedelta(days=3),
        guarantee="at_most_once",
        variables=_QUESTION,
    ),
}
