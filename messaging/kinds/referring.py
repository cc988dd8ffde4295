"""Mails about referring."""

from datetime import timedelta

from messaging.kinds.kind import REFERRAL_TIPS, REWARDS, Kind

KINDS: dict[str, Kind] = {
    "purchase_thanks": Kind(
        label="Thank-you after a purchase",
        purpose=REFERRAL_TIPS,
        priority=50,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "share_url": "url",
            "share_text": "text",  # words to pass the link on with
            "code": "code",
            "advocate_gets": "copy",  # such as "500 points"
            "friend_gets": "copy",
            "portal_url": "url",
            "how_url": "url",  # of the program's public page
        },
        offer=True,
    ),
    "friend_joined": Kind(
        label="A friend joined",
        purpose=REWARDS,
        priority=30,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        # of the friend first name and initial, never more
        variables={"first_name": "name", "friend_name": "name", "date": "day", "portal_url": "url", "how_url": "url"},
    ),
    "friend_claimed": Kind(
        label="Did you tell this friend?",
        purpose=REWARDS,
        priority=30,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={"first_name": "name", "friend_name": "name", "answer_url": "url"},
    ),
}
