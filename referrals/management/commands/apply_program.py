"""Create or update programs from program files."""

import sys
from argparse import ArgumentParser
from getpass import getuser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.program_file import ProgramDocument, ProgramFileRefused, parse_program
from referrals.program_text import Change, program_changes
from referrals.queries.program_warnings import program_warnings
from referrals.queries.programs import find_document
from referrals.services.program_changes import apply_programs_by_command
from referrals.yaml_nodes import FileProblem


class Command(BaseCommand):
    """Prints the difference, then applies all files or, where one has a problem, none."""

    help = "Create or update programs from program files; prints the difference first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the files and --check."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a program file (YAML or JSON)")
        parser.add_argument("--check", action="store_true", help="only print the difference; exit 1 if there is one")

    def handle(self, *_: Any, files: list[Path], check: bool, **__: Any) -> None:
        """Print what would change, and unless --check apply it."""
        documents = _read_all(files)
        differs = False
        for document in documents:
            before = find_document(document.slug)
            changes = program_changes(before, document)
            differs = differs or bool(changes)
            self._print(document, before, changes)
            for told in program_warnings(document):
                self.stdout.write(f"  {told}")
        if check:
            if differs:
                sys.exit(1)
            return
        apply_programs_by_command(documents=documents, actor=f"command line ({getuser()})", at=timezone.now())

    def _print(self, document: ProgramDocument, before: ProgramDocument | None, changes: list[Change]) -> None:
        if before is None:
            self.stdout.write(f"{document.slug}: new program")
        else:
            self.stdout.write(f"{document.slug}: {'changes' if changes else 'no change'}")
        for change in changes:
            self.stdout.write(f"  {change.field}: {change.after}" if before is None else f"  {change}")
        if before is not None and before.terms != document.terms:
            self.stdout.write("  the terms differ: a new offer, for referrals from now on")


def _read_all(files: list[Path]) -> list[ProgramDocument]:
    problems: list[FileProblem] = []
    documents: dict[str, ProgramDocument] = {}
    for file in files:
        try:
            document = parse_program(file.read_text(encoding="utf-8-sig"), file=str(file))
        except ProgramFileRefused as error:
            problems += error.problems
        except (OSError, UnicodeDecodeError) as error:
            problems.append(FileProblem(str(file), 1, f"expected a readable UTF-8 file: {error}"))
        else:
            if document.slug in documents:
                problems.append(FileProblem(str(file), 1, f"program {document.slug} is in another of these files too"))
            documents[document.slug] = document
    if problems:
        lines = "\n".join(str(problem) for problem in problems)
        raise CommandError(f"nothing was applied:\n{lines}", returncode=1)
    return list(documents.values())
