"""Mails about signing in."""

from datetime import timedelta

from messaging.kinds.kind import TRANSACTIONAL, Kind

KINDS: dict[str, Kind] = {
    "sign_in_code": Kind(
        label="Sign-in code",
        purpose=TRANSACTIONAL,
        priority=0,
        keep_for=timedelta(minutes=15),
        guarantee="at_least_once",
        variables={"code": "code"},
        immediate=True,
        secret=True,
    ),
    "sign_in_unknown": Kind(
        label="Sign-in with an unknown address",
        purpose=TRANSACTIONAL,
        priority=0,
        keep_for=timedelta(minutes=15),
        guarantee="at_most_once",
        variables={"sign_in_url": "url"},
        immediate=True,
    ),
    "password_reset": Kind(
        label="Link for a new staff password",
        purpose=TRANSACTIONAL,
        priority=0,
        keep_for=timedelta(hours=1),
        guarantee="at_least_once",
        variables={"reset_url": "url"},
        immediate=True,
        secret=True,
    ),
}
