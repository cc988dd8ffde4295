"""Mails to the company's own people."""

from datetime import timedelta

from messaging.kinds.kind import TRANSACTIONAL, Kind

KINDS: dict[str, Kind] = {
    "change_requested": Kind(
        label="A change waits for a second person",
        purpose=TRANSACTIONAL,
        priority=25,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={"title": "text", "asked_by": "text", "why": "text", "page_url": "url"},
        staff=True,
    ),
    "staff_alert": Kind(
        label="Something waits for the staff",
        purpose=TRANSACTIONAL,
        priority=10,
        keep_for=timedelta(days=3),
        guarantee="at_least_once",
        variables={
            "what": "copy",  # one line, also in the subject, such as "The shop does not answer"
            "details": "text",
            "page_url": "url",
        },
        staff=True,
    ),
    "stock_low": Kind(
        label="Coupons run out (to staff)",
        purpose=TRANSACTIONAL,
        priority=25,
        keep_for=timedelta(days=3),
        guarantee="at_least_once",
        variables={"pool": "text", "free": "whole", "days_left": "whole", "waiting": "whole", "pool_url": "url"},
        staff=True,
    ),
    "budget_alert": Kind(
        label="Budget running out",
        purpose=TRANSACTIONAL,
        priority=30,
        keep_for=timedelta(days=3),
        guarantee="at_most_once",
        variables={
            "program": "copy",
            "stage": "code",  # 80, 95, soon or spent
            "granted": "whole",
            "budget": "whole",
            "left": "whole",
            "run_out": "day",  # empty: cannot be told yet
            "heir": "copy",  # the program that takes over; empty: none
            "budget_url": "url",
        },
        staff=True,
    ),
    "webhook_disabled": Kind(
        label="Webhook endpoint switched off",
        purpose=TRANSACTIONAL,
        priority=15,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "endpoint": "text",  # its description, else its host
            "gone": "whole",  # 1: it answered that it is gone; 0: it failed for five days
            "admin_url": "url",
        },
    ),
}
