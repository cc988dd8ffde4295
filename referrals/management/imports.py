"""What the commands that import files have in common: columns by other names, wrong rows, how far it has come."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from django.core.management.base import CommandError, OutputWrapper

from referrals.sources.csv import RowProblem

SHOWN = 100


def report_problems(file: Path, problems: Sequence[RowProblem], *, skip_errors: bool, to: OutputWrapper) -> None:
    """Name the wrong rows, in their order; raise `CommandError`, nothing being imported, unless they are skipped."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    lines = [f"{file}:{problem}" for problem in ordered[:SHOWN]]
    lines += [f"and {len(problems) - SHOWN:,} more"] if len(problems) > SHOWN else []
    if problems and not skip_errors:
        raise CommandError("\n".join(["nothing was imported:", *lines]), returncode=1)
    for line in lines:
        to.write(line)


def read_names(pairs: Sequence[str], *, known: Callable[[str], bool], ours: str) -> dict[str, str]:
    """Return `--map OURS=THEIRS` as ours -> theirs; `CommandError` for what `known` does not know."""
    names: dict[str, str] = {}
    for pair in pairs:
        our, equals, theirs = pair.partition("=")
        if not equals or not theirs or not known(our):
            raise CommandError(f"--map {pair}: expected OURS=THEIRS, ours one of {ours}", returncode=1)
        names[our] = theirs
    return names


class Progress:
    """A bar on standard error where somebody watches, else a line now and then."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.watched = sys.stderr.isatty()

    def show(self, done: int) -> None:
        """Tell how many are done."""
        if self.watched:
            filled = 30 * done // max(self.total, 1)
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {self.total:,}")
            sys.stderr.flush()
        elif done % 10_000 == 0:
            sys.stderr.write(f"{done:,} of {self.total:,} rows\n")

    def end(self) -> None:
        """Leave the line of the bar."""
        if self.watched:
            sys.stderr.write("\n")
