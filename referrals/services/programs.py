"""Programs come into being and change through program files alone."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from referrals.models import Offer, Program, ProgramStatus
from referrals.program_file import ProgramDocument
from referrals.queries.programs import current_offer, terms_of


@transaction.atomic
def apply_program(*, document: ProgramDocument, at: datetime) -> Program:
    """Create or update the program of that slug; a change of its terms publishes a new offer, live from `at`.

    The first offer and the first status count since ever. What stays the same is not written again.
    """
    program = Program.objects.select_for_update().filter(slug=document.slug).first()
    if program is None:
        program = _create_program(document)
        if program is not None:
            return program
        program = Program.objects.select_for_update().get(slug=document.slug)
    _update_program(program, document, at)
    return program


@transaction.atomic
def apply_programs(*, documents: Sequence[ProgramDocument], at: datetime) -> list[Program]:
    """Apply several documents in their order, all or none."""
    return [apply_program(document=document, at=at) for document in documents]


def _columns(document: ProgramDocument) -> dict[str, object]:
    return {
        "name": document.name,
        "status": document.status,
        "landing_url": document.landing_url,
        "allowed_landing_hosts": list(document.allowed_landing_hosts),
        "starts": document.starts,
        "ends": document.ends,
    }


def _create_program(document: ProgramDocument) -> Program | None:
    """Create the program, or return None where somebody else just did."""
    try:
        with transaction.atomic():
            program = Program.objects.create(slug=document.slug, **_columns(document))
    except IntegrityError:
        if not Program.objects.filter(slug=document.slug).exists():
            raise
        return None
    ProgramStatus.objects.create(program=program, status=document.status, at=None)
    Offer.objects.create(program=program, number=1, terms=document.terms.to_json(), live_from=None)
    return program


def _update_program(program: Program, document: ProgramDocument, at: datetime) -> None:
    changed = [name for name, value in _columns(document).items() if getattr(program, name) != value]
    if "status" in changed:
        ProgramStatus.objects.create(program=program, status=document.status, at=at)
    for name in changed:
        setattr(program, name, _columns(document)[name])
    if changed:
        program.save(update_fields=changed)
    last = current_offer(program)
    if terms_of(last) != document.terms:
        Offer.objects.create(program=program, number=last.number + 1, terms=document.terms.to_json(), live_from=at)
