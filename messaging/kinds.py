"""What the company writes about: every kind of mail, its purpose, its promise and its variables.

A kind's variables are all that its templates can see, beside the brand. Each has a type: `copy` is the
company's own wording; `name` and `text` may hold what customers typed and are neutralised (a name can
never become a link); `url` must belong to this installation; `day` is an ISO date, `whole` a whole
number, `code` letters, digits and dashes, `scores` a list of {score, label, url}. All are needed; those
that are unknown are given empty (`whole` 0).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Type = Literal["copy", "name", "text", "url", "code", "day", "whole", "scores"]
Guarantee = Literal["at_most_once", "at_least_once"]

TRANSACTIONAL = ""
REWARDS = "rewards"
REFERRAL_TIPS = "referral_tips"
SURVEYS = "surveys"
NEWS = "news"

PURPOSES: tuple[str, ...] = (REWARDS, REFERRAL_TIPS, SURVEYS, NEWS)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mail.

    `purpose` is what people may opt out of (empty: transactional, always sent); lower `priority` goes
    first; after `keep_for` from its due moment a mail is no longer worth sending; `immediate` kinds are
    sent right after the commit, without waiting for the worker; of `secret` ones no readable copy is kept;
    `staff` ones go to the company's own people; `offer` ones carry the customer's share link, and that one was
    sent is announced.
    """

    label: str
    purpose: str
    priority: int
    keep_for: timedelta
    guarantee: Guarantee
    variables: dict[str, Type] = field(default_factory=dict)
    immediate: bool = False
    secret: bool = False
    staff: bool = False
    offer: bool = False

    @property
    def transactional(self) -> bool:
        """Whether people may not opt out of it."""
        return self.purpose == TRANSACTIONAL


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
    "reward_available": Kind(
        label="Reward available",
        purpose=REWARDS,
        priority=20,
        keep_for=timedelta(days=14),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "points": "whole",
            "why": "text",  # one short sentence, such as "Bob M. made their first purchase"
            "portal_url": "url",
        },
    ),
    "milestone_reached": Kind(
        label="Milestone reached",
        purpose=REWARDS,
        priority=25,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "referrals": "whole",
            "gets": "copy",  # such as "500 points and the badge “Connector”"
            "available_on": "day",  # empty: at once
            "portal_url": "url",
        },
    ),
    "milestone_near": Kind(
        label="One away from a milestone",
        purpose=REWARDS,
        priority=45,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "referrals": "whole",
            "gets": "copy",
            "share_url": "url",
            "portal_url": "url",
        },
        offer=True,
    ),
    "tier_up": Kind(
        label="Tier reached",
        purpose=REWARDS,
        priority=25,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "tier": "copy",
            "multiplier": "copy",  # such as "1.5"; empty where points are not multiplied
            "perks": "copy",  # such as "Early access, Summer party"
            "portal_url": "url",
        },
    ),
    "tier_at_risk": Kind(
        label="Tier at risk",
        purpose=REWARDS,
        priority=35,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "tier": "copy",
            "date": "day",  # the last day on which it is held
            "needed": "whole",
            "share_url": "url",
            "portal_url": "url",
        },
        offer=True,
    ),
    "badge_earned": Kind(
        label="Badge earned",
        purpose=REWARDS,
        priority=30,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "badge": "copy",
            "description": "copy",
            "portal_url": "url",
        },
    ),
    "leaderboard_prize": Kind(
        label="Leaderboard prize",
        purpose=REWARDS,
        priority=30,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "board": "copy",
            "rank": "whole",
            "prize": "copy",
            "boards_url": "url",
        },
    ),
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
    "change_requested": Kind(
        label="A change waits for a second person",
        purpose=TRANSACTIONAL,
        priority=25,
        keep_for=timedelta(days=7),
        guarantee="at_most_once",
        variables={"title": "text", "asked_by": "text", "why": "text", "page_url": "url"},
        staff=True,
    ),
    "appeal_answered": Kind(
        label="Answer to an appeal",
        purpose=TRANSACTIONAL,
        priority=20,
        keep_for=timedelta(days=14),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "friend_name": "name",
            "outcome": "copy",  # one sentence: what was decided
            "answer": "text",
            "portal_url": "url",
        },
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
    "points_expiring": Kind(
        label="Points expire soon",
        purpose=REWARDS,
        priority=30,
        keep_for=timedelta(days=5),
        guarantee="at_most_once",
        variables={
            "first_name": "name",
            "points": "whole",
            "first_day": "day",
            "last_day": "day",  # the same as the first where all expire on one day
            "portal_url": "url",
        },
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
