"""Kinds of change that may need a second person: who decides, what differs, how it is done."""

from accounts.changes import ChangeKind
from referrals.services.program_changes import PROGRAM_CHANGE
from rewards.services.credits import CREDIT

CHANGE_KINDS: dict[str, ChangeKind] = {"program": PROGRAM_CHANGE, "credit": CREDIT}
