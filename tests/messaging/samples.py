"""Values that mails are written with in tests: ordinary, the shortest and the longest that callers may give."""

from django.conf import settings

from messaging.models import Message
from messaging.services import Recipient, queue_message

ANN = Recipient(key="customer:1", email="ann@shop.example", name="Ann Example", locale="en")
BULK_KINDS = (
    *("purchase_thanks", "friend_joined", "friend_claimed", "reward_available", "survey_invitation", "survey_reminder"),
    *("milestone_reached", "milestone_near", "tier_up", "tier_at_risk", "badge_earned", "event_invitation"),
    *("gift_ready", "choose_gift", "leaderboard_prize"),
)


def url(path: str = "/") -> str:
    return f"{settings.PUBLIC_BASE_URL}{path}"


def ordinary() -> dict[str, dict]:
    return {
        "sign_in_code": {"code": "K7QX2M"},
        "sign_in_unknown": {"sign_in_url": url("/accounts/login/")},
        "password_reset": {"reset_url": url("/accounts/password/reset/key/1-s3cret/")},
        "purchase_thanks": {
            "first_name": "Ann",
            "share_url": url("/r/ANNX7K2"),
            "share_text": "I like Goodword and think you will too. Here is my personal link:",
            "code": "ANNX7K2",
            "advocate_gets": "500 points",
            "friend_gets": "100 points",
            "portal_url": url("/share/ANNX7K2/?p=mail"),
            "how_url": url("/programs/refer-a-friend/"),
        },
        "friend_joined": {
            "first_name": "Ann",
            "friend_name": "Bob M.",
            "date": "2026-05-14",
            "portal_url": url(),
            "how_url": url(),
        },
        "friend_claimed": {"first_name": "Ann", "friend_name": "Bob M.", "answer_url": url("/told/fcl_1/")},
        "reward_available": {
            "first_name": "Ann",
            "points": 500,
            "why": "Bob M. made their first purchase",
            "portal_url": url(),
        },
        "change_requested": {
            "title": "Give 5,000 points to customer c-1",
            "asked_by": "mia@shop.example",
            "why": "the parcel was lost twice",
            "page_url": url("/admin/accounts/changerequest/1/change/"),
        },
        "appeal_answered": {
            "first_name": "Ann",
            "friend_name": "Bob M.",
            "outcome": "We looked again and it counts now.",
            "answer": "Two households after all. Sorry for the trouble!",
            "portal_url": url(),
        },
        "staff_alert": {
            "what": "The shop does not answer",
            "details": "3 referrals wait for its answer. The last try ended with: the shop answered 503.",
            "page_url": url("/review/"),
        },
        "gift_ready": {
            "first_name": "Ann",
            "gift": "10 % off your next order",
            "code": "WELCOME-K7QX2M4",
            "valid_until": "2026-06-14",
            "gifts_url": url("/gifts/"),
        },
        "choose_gift": {"first_name": "Ann", "title": "Choose your thank-you", "gifts_url": url("/gifts/")},
        "stock_low": {"pool": "WELCOME10", "free": 12, "days_left": 4, "waiting": 0, "pool_url": url("/admin/")},
        "budget_alert": _budget(
            "Refer a friend", "80", 800, "2026-06-01", "A smaller thanks", "/budgets/refer-a-friend/"
        ),
        "points_expiring": {
            "first_name": "Ann",
            "points": 120,
            "first_day": "2026-05-14",
            "last_day": "2026-05-20",
            "portal_url": url(),
        },
        "redemption_settled": {
            "first_name": "Ann",
            "item": "Coffee mug",
            "done": 1,
            "points": 300,
            "note": "On its way with the parcel service.",
            "portal_url": url("/redemptions/"),
        },
        "webhook_disabled": {"endpoint": "Shop", "gone": 1, "admin_url": url("/admin/messaging/webhookendpoint/1/")},
        "survey_invitation": _survey("How likely are you to recommend us?", "very likely", "/s/TOKEN"),
        "survey_reminder": _survey("How likely are you to recommend us?", "very likely", "/s/TOKEN"),
        **_standing("Ann", "Gold", 5, "2026-05-14", "/events/TOKEN"),
    }


def shortest() -> dict[str, dict]:
    return {
        "sign_in_code": {"code": "1"},
        "sign_in_unknown": {"sign_in_url": url()},
        "password_reset": {"reset_url": url()},
        "purchase_thanks": {
            "first_name": "",
            "share_url": url("/r/A"),
            "share_text": "",
            "code": "",
            "advocate_gets": "",
            "friend_gets": "",
            "portal_url": url(),
            "how_url": url(),
        },
        "friend_joined": {
            "first_name": "",
            "friend_name": "",
            "date": "2026-01-01",
            "portal_url": url(),
            "how_url": url(),
        },
        "friend_claimed": {"first_name": "", "friend_name": "", "answer_url": url()},
        "reward_available": {"first_name": "", "points": 0, "why": "", "portal_url": url()},
        "change_requested": {"title": "x", "asked_by": "", "why": "", "page_url": url()},
        "appeal_answered": {"first_name": "", "friend_name": "", "outcome": "x", "answer": "", "portal_url": url()},
        "staff_alert": {"what": "", "details": "", "page_url": url()},
        "gift_ready": {"first_name": "", "gift": "", "code": "", "valid_until": "", "gifts_url": url()},
        "choose_gift": {"first_name": "", "title": "", "gifts_url": url()},
        "stock_low": {"pool": "", "free": 0, "days_left": 0, "waiting": 3, "pool_url": url()},
        "budget_alert": _budget("", "", 0, "", "", "/"),
        "points_expiring": {
            "first_name": "",
            "points": 1,
            "first_day": "2026-01-01",
            "last_day": "2026-01-01",
            "portal_url": url(),
        },
        "redemption_settled": {
            "first_name": "",
            "item": "Mug",
            "done": 0,
            "points": 1,
            "note": "",
            "portal_url": url(),
        },
        "webhook_disabled": {"endpoint": "", "gone": 0, "admin_url": url()},
        "survey_invitation": _survey("?", "", "/s/T") | {"first_name": ""},
        "survey_reminder": _survey("?", "", "/s/T") | {"first_name": ""},
        **_standing("", "", 1, "2026-01-01", "/"),
        "milestone_reached": {"first_name": "", "referrals": 1, "gets": "", "available_on": "", "portal_url": url()},
    }


def longest() -> dict[str, dict]:
    """Give every text far more than it may hold, with all that needs escaping."""
    long = "Æ\"<b>&'</b>{{ brand }}{% raw %} " * 400
    path = "/s/" + "T" * 500
    return {
        "sign_in_code": {"code": "K" * 64},
        "sign_in_unknown": {"sign_in_url": url(path)},
        "password_reset": {"reset_url": url(path)},
        "purchase_thanks": {
            "first_name": long,
            "share_url": url("/r/" + "A" * 200),
            "share_text": long,
            "code": "A" * 64,
            "advocate_gets": long,
            "friend_gets": long,
            "portal_url": url(path),
            "how_url": url(path),
        },
        "friend_joined": {
            "first_name": long,
            "friend_name": long,
            "date": "2026-12-31",
            "portal_url": url(path),
            "how_url": url(path),
        },
        "friend_claimed": {"first_name": long, "friend_name": long, "answer_url": url(path)},
        "reward_available": {"first_name": long, "points": 10**15, "why": long, "portal_url": url(path)},
        "change_requested": {"title": long, "asked_by": long, "why": long, "page_url": url(path)},
        "appeal_answered": {
            "first_name": long,
            "friend_name": long,
            "outcome": long,
            "answer": long,
            "portal_url": url(path),
        },
        "staff_alert": {"what": long, "details": long, "page_url": url(path)},
        "gift_ready": {
            "first_name": long,
            "gift": long,
            "code": "K" * 64,
            "valid_until": "2026-12-31",
            "gifts_url": url(path),
        },
        "choose_gift": {"first_name": long, "title": long, "gifts_url": url(path)},
        "stock_low": {"pool": long, "free": 10**9, "days_left": 10**6, "waiting": 10**9, "pool_url": url(path)},
        "budget_alert": _budget(long, "spent", 10**15, "2026-12-31", long, path),
        "points_expiring": {
            "first_name": long,
            "points": 10**15,
            "first_day": "2026-12-30",
            "last_day": "2026-12-31",
            "portal_url": url(path),
        },
        "redemption_settled": {
            "first_name": long,
            "item": long,
            "done": 0,
            "points": 10**15,
            "note": long,
            "portal_url": url(path),
        },
        "webhook_disabled": {"endpoint": long, "gone": 0, "admin_url": url(path)},
        "survey_invitation": _survey(long, long, path) | {"first_name": long},
        "survey_reminder": _survey(long, long, path) | {"first_name": long},
        **_standing(long, long, 10**9, "2026-12-31", path),
    }


def _links(path: str) -> dict[str, str]:
    return {"share_url": url(path), "portal_url": url("/share/ANNX7K2/?p=mail")}


def _standing(name: str, words: str, number: int, day: str, path: str) -> dict[str, dict]:
    """Give the mails about tiers, milestones, badges and events these values."""
    event = {"first_name": name, "title": words, "date": day, "time": words, "place": words, "answer_url": url(path)}
    return {
        "milestone_reached": {
            "first_name": name,
            "referrals": number,
            "gets": words,
            "available_on": day,
            "portal_url": url(path),
        },
        "milestone_near": {"first_name": name, "referrals": number, "gets": words, **_links(path)},
        "tier_up": {"first_name": name, "tier": words, "multiplier": words, "perks": words, "portal_url": url(path)},
        "tier_at_risk": {"first_name": name, "tier": words, "date": day, "needed": number, **_links(path)},
        "leaderboard_prize": {
            "first_name": name,
            "board": words,
            "rank": number,
            "prize": words,
            "boards_url": url(path),
        },
        "badge_earned": {"first_name": name, "badge": words, "description": words, "portal_url": url(path)},
        "event_invitation": {**event, "about": words, "answer_by": day},
        "event_place_free": event,
        "event_cancelled": {"first_name": name, "title": words, "date": day, "portal_url": url(path)},
    }


def _budget(program: str, stage: str, points: int, day: str, heir: str, path: str) -> dict:
    return {
        "program": program,
        "stage": stage,
        "granted": points,
        "budget": points,
        "left": points,
        "run_out": day,
        "heir": heir,
        "budget_url": url(path),
    }


def _survey(question: str, label: str, path: str) -> dict:
    return {
        "first_name": "Ann",
        "question": question,
        "score_links": [
            {
                "score": score,
                "mark": str(score),
                "label": f"{score} – {label[:100]}" if score in (0, 9, 10) else "",
                "url": url(f"{path}?score={score}"),
            }
            for score in range(11)
        ],
        "survey_url": url(path),
        "scale_low": 0,
        "scale_high": 10,
        "accent": "",
        "low_label": label,
        "high_label": label,
        "trap_url": url(f"{path}/x"),
    }


def queue(kind: str = "reward_available", cause: str = "reward:1", recipient: Recipient = ANN, **changes) -> Message:
    """Queue a mail of the kind with ordinary values."""
    due_at = changes.pop("due_at", None)
    context = {**ordinary()[kind], **changes}
    return queue_message(kind=kind, recipient=recipient, cause=cause, context=context, due_at=due_at)
