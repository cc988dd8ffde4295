"""What staff should know of a program that is right in itself but names what does not exist yet."""

from collections.abc import Callable, Iterable, Sequence

from django.conf import settings
from django.utils.module_loading import import_string

from referrals.models import Program
from referrals.program_file import ProgramDocument
from referrals.queries.audiences import missing_audience


def program_warnings(document: ProgramDocument) -> list[str]:
    """Return in words what the program names in vain, by every app that has a look (`config/program_warnings.py`)."""
    looks: Sequence[Callable[[ProgramDocument], Iterable[str]]] = import_string(settings.PROGRAM_WARNINGS)
    return [told for look in looks for told in look(document)]


def referral_warnings(document: ProgramDocument) -> list[str]:
    """Return that the audience or the program that takes over is missing."""
    told: list[str] = []
    if missing := missing_audience(document.terms.audience):
        told.append(f"audience: offered to {missing}")
    successor = document.terms.limits.then_offer
    if successor and not Program.objects.filter(slug=successor).exists():
        told.append(f"limits.then_offer: there is no program {successor!r}; when the budget is spent nobody takes over")
    return told
