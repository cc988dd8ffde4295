"""Mails about gifts, coupons and what points buy."""

from datetime import timedelta

from messaging.kinds.kind import REWARDS, TRANSACTIONAL, Kind

KINDS: dict[str, Kind] = {
    "gift_ready": Kind(
        label="Coupon or gift is ready",
        purpose=REWARDS,
        priority=20,
        keep_for=timedelta(days=14),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "gift": "copy",  # such as "10 % off your next order"
            "code": "code",  # the coupon's; empty where there is none
            "valid_until": "day",
            "gifts_url": "url",
        },
    ),
    "choose_gift": Kind(
        label="Choose your reward",
        purpose=REWARDS,
        priority=20,
        keep_for=timedelta(days=14),
        guarantee="at_most_once",
        variables={"first_name": "name", "title": "copy", "gifts_url": "url"},
    ),
    "redemption_settled": Kind(
        label="Redemption handed over or undone",
        purpose=TRANSACTIONAL,
        priority=15,
        keep_for=timedelta(days=14),
        guarantee="at_least_once",
        variables={
            "first_name": "name",
            "item": "copy",
            "done": "whole",  # 1: handed over; 0: undone, the points are back
            "points": "whole",
            "note": "copy",  # a code, a link, or why; may be empty
            "portal_url": "url",
        },
    ),
}
