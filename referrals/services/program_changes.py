"""Changing what a running program promises, by two people where the company wants it so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.changes import ChangedMeanwhile, ChangeKind, ask_change, record_change
from accounts.models import ChangeRequest, User
from core.errors import Invalid
from referrals.models import Program
from referrals.program_file import ProgramDocument, parse_program
from referrals.program_text import program_changes, render_program
from referrals.queries.programs import find_document
from referrals.services.programs import apply_program

KIND = "program"


def needs_second_person(document: ProgramDocument) -> bool:
    """Tell whether this changes rules or budget of a program that is past its draft, where that takes two people."""
    if not settings.SECOND_PERSON_FOR_PROGRAMS:
        return False
    before = find_document(document.slug)
    return before is not None and before.status != Program.Status.DRAFT and before.terms != document.terms


@transaction.atomic
def change_program(
    *, document: ProgramDocument, reason: str, actor: str, asker: User | None, at: datetime
) -> Program | ChangeRequest:
    """Apply the document, or ask a second person to; raises `Invalid` where that needs a reason and none is given."""
    if not needs_second_person(document):
        return apply_program(document=document, at=at)
    if not reason.strip():
        raise Invalid("say why: a second person decides on this change", pointer="/reason")
    return ask_change(reason=reason, actor=actor, asker=asker, at=at, **_request(document))


@transaction.atomic
def apply_programs_by_command(*, documents: Sequence[ProgramDocument], actor: str, at: datetime) -> list[Program]:
    """Apply several documents, all or none, by whoever rules the machine; what would need two people is recorded."""
    applied = []
    for document in documents:
        if needs_second_person(document):
            record_change(actor=actor, at=at, **_request(document))
        applied.append(apply_program(document=document, at=at))
    return applied


def _request(document: ProgramDocument) -> dict[str, Any]:
    before = find_document(document.slug)
    return {
        "kind": KIND,
        "subject": f"program:{document.slug}",
        "title": f"Change the rules of {document.name}",
        "payload": {"file": render_program(document)},
        "before": {"file": render_program(before) if before else ""},
    }


def _lines(change: ChangeRequest) -> list[str]:
    before = parse_program(change.before["file"]) if change.before["file"] else None
    return [str(one) for one in program_changes(before, parse_program(change.payload["file"]))]


def _conflict(change: ChangeRequest) -> str:
    now = find_document(change.subject.removeprefix("program:"))
    if now is not None and render_program(now) == change.before["file"]:
        return ""
    return "the program was changed since this was asked"


def _do(change: ChangeRequest, actor: str, at: datetime) -> Program:
    Program.objects.select_for_update().get(slug=change.subject.removeprefix("program:"))
    if conflict := _conflict(change):  # now that nobody else can change it
        raise ChangedMeanwhile(conflict)
    return apply_program(document=parse_program(change.payload["file"]), at=at)


PROGRAM_CHANGE = ChangeKind(
    label="rules of a program", permission="referrals.change_program", lines=_lines, conflict=_conflict, do=_do
)
