"""Choosing one of several rewards, once."""

from datetime import datetime

from django.db import transaction

from core.errors import Invalid, Refused
from rewards.models import ChoiceOption, Fulfilment, Reward
from rewards.services.book import Book
from rewards.services.fulfilling import fulfil_order, keep_step
from rewards.services.world import budget_left_of

State = Fulfilment.State


class NothingToChoose(Refused):
    """The reward is no choice, or it was chosen, taken back or not released yet; the detail says which."""

    code = "nothing_to_choose"


class BudgetExhausted(Refused):
    """The points do not fit into what is left of the program's budget; something else can be chosen."""

    code = "budget_exhausted"


@transaction.atomic
def choose_reward(*, reward: Reward, option: ChoiceOption, at: datetime, actor: str = "") -> Reward:
    """Give the customer the option of their choice in place of the reward; it is given as its kind says.

    Raises `NothingToChoose` a second time, `Invalid` for an option that is not offered here, and `BudgetExhausted`
    for points that the program has no longer (rule 11).
    """
    order = Fulfilment.objects.filter(reward=reward, kind="choice").first()
    if reward.kind != "choice" or order is None or order.state != State.ASKED:
        raise NothingToChoose(_why_not(reward, order))
    if option.group.name != order.what or not option.offered:
        raise Invalid("this is not among what you can choose from", pointer="/option")
    if option.kind == "points":
        _within_budget(reward, option.points, at)
    chosen = {
        "kind": option.kind,
        "what": option.what,
        "points": option.points,
        "amount_minor": option.amount_minor,
        "currency": option.currency,
    }
    waiting = Fulfilment.objects.filter(pk=order.pk, kind="choice", state=State.ASKED)
    fresh = {"state": State.DUE, "how": Fulfilment.How.AT_ONCE, "attempts": 0, "due_at": at}
    if waiting.update(**chosen, **fresh) != 1:
        raise NothingToChoose("it was chosen or taken back just now")
    reward.detail = {**reward.detail, "chosen": option.name, "gift": {k: v for k, v in chosen.items() if v}}
    Reward.objects.filter(pk=reward.pk).update(detail=reward.detail)
    keep_step(reward, "chosen", at=at, why=option.name, actor=actor)
    fulfil_order(order=order, at=at)
    reward.refresh_from_db()
    return reward


def _within_budget(reward: Reward, points: int, at: datetime) -> None:
    Book(customers=(reward.recipient_id,), at=at, subject=f"reward:{reward.pk}")  # locked before the program, as ever
    left = budget_left_of(reward.program_id)
    if left is not None and points > left:
        raise BudgetExhausted(f"{points} points are more than is left of what the program gives")


def _why_not(reward: Reward, order: Fulfilment | None) -> str:
    if reward.kind != "choice":
        return "there is nothing to choose in this reward"
    if "chosen" in reward.detail:
        return f"this was chosen already: {reward.detail['chosen']}"
    if order is None or order.state == State.DUE:
        return "this reward is not ready to be chosen yet"
    return "this reward was taken back"
