"""Which experiments run, and which variant an advocate is in."""

from collections.abc import Iterable, Mapping

from django.db.models import Prefetch

from referrals.experiments import arm_of
from referrals.models import Experiment, Program, Variant

Running = Mapping[tuple[int, str], Experiment]
"""Running experiments by program and by what they vary, their variants at hand, without uploaded pictures."""


def running_experiments(programs: Iterable[Program]) -> Running:
    """Return what runs in the programs: one query, and one more where anything does."""
    variants = Prefetch("variants", Variant.objects.defer("picture"))
    rows = Experiment.objects.filter(program__in={one.pk for one in programs}, state=Experiment.State.RUNNING)
    return {(one.program_id, one.subject): one for one in rows.prefetch_related(variants)}


def variant_of(experiment: Experiment, customer_id: int) -> Variant:
    """Return the variant the customer is in, whether they have been shown it or not; always the same one."""
    variants = list(experiment.variants.all())
    weights = [one.weight for one in variants]
    return variants[arm_of(salt=experiment.salt, subject=str(customer_id), weights=weights)]


def text_variant(running: Running, *, program: Program, customer_id: int, language: str) -> Variant | None:
    """Return the variant of the text that a customer passes the link on with, if one is tried in the language."""
    experiment = running.get((program.pk, Experiment.Subject.SHARE_TEXT))
    if experiment is None or not any(language in one.words for one in experiment.variants.all()):
        return None
    return variant_of(experiment, customer_id)


def picture_variant(running: Running, *, program: Program, customer_id: int) -> Variant | None:
    """Return the variant of the picture that apps show with a customer's link, if one is tried."""
    experiment = running.get((program.pk, Experiment.Subject.PICTURE))
    return variant_of(experiment, customer_id) if experiment else None


def is_text_tried(program: Program) -> bool:
    """Tell whether an experiment on the program's share texts runs."""
    return Experiment.objects.filter(
        program=program, subject=Experiment.Subject.SHARE_TEXT, state=Experiment.State.RUNNING
    ).exists()
