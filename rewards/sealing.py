"""The hash chain over the ledger: pure values.

A seal's hash is SHA-256 over the hash before it and the full digests of its rows in order. Beside it stand
short marks, one a row, that say which row no longer is what it was.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PARTS = ("transfer", "entries of transfer", "lot uses of transfer")
_MARK = struct.Struct(">Q6s6s6s")


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A transfer with all that was written with it: its columns, its entries and its lot uses, each in id order."""

    pk: int
    transfer: Sequence[Any]
    entries: Sequence[Sequence[Any]]
    uses: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Closed:
    """The hash over some rows, and their marks."""

    sha256: str
    marks: bytes


def close_rows(rows: Iterable[SealedRow], *, prev_sha256: str) -> Closed:
    """Return the hash of the rows on top of the hash before, and a mark for each row."""
    chain = hashlib.sha256(prev_sha256.encode())
    marks = bytearray()
    for row in rows:
        digests = [_digest(row.transfer), _digest(row.entries), _digest(row.uses)]
        for one in digests:
            chain.update(one)
        marks += _MARK.pack(row.pk, *(one[:6] for one in digests))
    return Closed(chain.hexdigest(), bytes(marks))


def first_difference(before: bytes, after: bytes) -> str:
    """Return which row changed between two series of marks: 'transfer 12', 'lot uses of transfer 12' …; or ''."""
    old, new = list(_MARK.iter_unpack(before)), list(_MARK.iter_unpack(after))
    for one, other in zip(old, new, strict=False):
        if one[0] != other[0]:
            return f"transfer {min(one[0], other[0])}"
        for part, was, now in zip(PARTS, one[1:], other[1:], strict=True):
            if was != now:
                return f"{part} {one[0]}"
    longer = old[len(new) :] or new[len(old) :]
    return f"transfer {longer[0][0]}" if longer else ""


def _digest(values: Sequence[Any]) -> bytes:
    return hashlib.sha256(_encode(values).encode()).digest() if values else _NOTHING


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"cannot seal {value!r}")


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
_NOTHING = hashlib.sha256(_encode([]).encode()).digest()


def grouped(rows: Iterable[Sequence[Any]]) -> "Grouped":
    """Return the rows, which come ordered by their first column, to be asked for by it in rising order."""
    return Grouped(iter(rows))


class Grouped:
    """Hands out rows by their first column, in rising order; the rest of each row is what is handed out."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, key: int) -> list[Sequence[Any]]:
        """Return what belongs to `key`, passing over what is before it."""
        found: list[Sequence[Any]] = []
        while self._next is not None and self._next[0] <= key:
            if self._next[0] == key:
                found.append(self._next[1:])
            self._next = next(self._rows, None)
        return found
