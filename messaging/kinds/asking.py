"""Mails about surveys."""

from datetime import timedelta

from messaging.kinds.kind import SURVEYS, Kind

KINDS: dict[str, Kind] = {
    "survey_invitation": Kind(
        label="Survey invitation",
        purpose=SURVEYS,
        priority=40,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "question": "copy",
            "score_links": "scores",  # eleven {score, label such as "9 – very likely" or empty, url}, 0 first
            "survey_url": "url",
            "low_label": "copy",  # such as "not at all likely"
            "high_label": "copy",
            "trap_url": "url",  # hidden: whoever opens it is a machine
        },
    ),
}
