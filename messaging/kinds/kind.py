"""What the company writes about: every kind of mail, its purpose, its promise and its variables.

A kind's variables are all that its templates can see, beside the brand. Each has a type: `copy` is the
company's own wording; `name` and `text` may hold what customers typed and are neutralised (a name can
never become a link); `url` must belong to this installation; `day` is an ISO date, `whole` a whole
number, `code` letters, digits and dashes, `scores` a list of {score, mark, label, url}. All are needed; those
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
