"""Mails about what people earn."""

from datetime import timedelta

from messaging.kinds.kind import REWARDS, TRANSACTIONAL, Kind

KINDS: dict[str, Kind] = {
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
}
