"""What is with a reward, in words for its owner; the reason codes are those of the rules."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.templatetags.amounts import day
from rewards.models import Reward
from rewards.queries.gifts import gift_words

State = Reward.State

REFUSED: Mapping[str, str] = {
    "limit_reached": gettext_noop("not this time: you had reached the limit of rewards for that period"),
    "budget_exhausted": gettext_noop("not this time: the program had given out everything it had"),
    "currency_mismatch": gettext_noop("not this time: the order was in another currency"),
    "condition": gettext_noop("not this time: it is for certain orders only"),
    "duplicate": gettext_noop("you had this one already"),
}
TAKEN_BACK: Mapping[str, str] = {
    "order_did_not_stand": gettext_noop("taken back: the order did not stand"),
    "by_staff": gettext_noop("taken back by us"),
    "reopened": gettext_noop("decided anew, see below"),
    "self_referral": gettext_noop("taken back: only friends count"),
    "existing_customer": gettext_noop("taken back: your friend was a customer before"),
    "program_not_running": gettext_noop("taken back: the program was not running at that time"),
    "outside_window": gettext_noop("taken back: your link had been opened too long before"),
    "same_person": gettext_noop("taken back: your friend had been brought here before, under another account"),
    "cycle": gettext_noop("taken back: this friend had brought you here in the first place"),
}


def reward_in_words(reward: Reward, *, checking: bool, returns: bool, at: datetime) -> str:
    """Return in the current language how a reward stands at `at`.

    `checking`: its referral waits for somebody to look at it; `returns`: its hold is a return period.
    """
    if reward.state == State.PENDING:
        return _pending(reward, checking=checking, returns=returns, at=at)
    if reward.state == State.REFUSED:
        return _(REFUSED.get(reward.reason, gettext_noop("not this time")))
    if reward.state in (State.CANCELLED, State.REVOKED):
        return _(TAKEN_BACK.get(reward.reason, gettext_noop("taken back: it could not be counted")))
    if reward.state == State.WAITING_STOCK:
        return _("yours, but we have run out of it; you get it as soon as there is more")
    if reward.state == State.FAILED:
        return _("yours, but something went wrong on our side; we keep trying")
    if reward.state == State.AVAILABLE and reward.kind != "points":
        return _("yours, it is being prepared")
    return _("yours")


def _pending(reward: Reward, *, checking: bool, returns: bool, at: datetime) -> str:
    if reward.held or (checking and not reward.cleared):
        return _("we are checking this one; you need not do anything")
    if reward.available_at <= at:
        return _("on its way, yours any moment now")
    words = {"day": day(reward.available_at)}
    if returns:
        return _("on its way, available on %(day)s when the return period ends") % words
    return _("on its way, available on %(day)s") % words


def reward_name(reward: Reward) -> str:
    """Return in a few words what the reward gives ('500 points'), in the current language."""
    if reward.kind != "points":
        return str(reward.detail.get("title") or gift_words(reward, {}, {}) or _("Reward"))
    points = reward.granted_points
    return _("%(n)s points") % {"n": points} if points else _("Points")
