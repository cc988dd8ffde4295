"""What a program may name that does not exist yet: each app's look at it, on one page."""

from collections.abc import Callable, Iterable

from referrals.program_file import ProgramDocument
from referrals.queries.program_warnings import referral_warnings
from rewards.queries.program_warnings import reward_warnings

PROGRAM_WARNINGS: list[Callable[[ProgramDocument], Iterable[str]]] = [referral_warnings, reward_warnings]
