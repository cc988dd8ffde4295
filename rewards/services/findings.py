"""What an audit may find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks an invariant: which row, and what was expected of it."""

    row: str
    expected: str


Check = Callable[[], Iterator[Finding]]
"""A check of the whole ledger: its findings, the first row first."""
CHUNK = 5_000
"""How many rows are read at a time."""
