"""How far a long command has come."""

import sys


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
