"""The hash chain over the ledger: pure values.

A stretch of the ledger is three series of rows (transfers, their entries, their lot uses), each row packed as the
number of its transfer and its digest. A seal's hash is SHA-256 over the hash before it and the packed series. Beside
it stand short marks, one a row, that say which row no longer is what it was.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PARTS = ("transfer", "entries of transfer", "lot uses of transfer")
_PACKED = 8 + hashlib.sha256().digest_size
_MARK = struct.Struct(">Q4s")
_LENGTHS = struct.Struct(f">{len(PARTS)}I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Closed:
    """The hash over some rows, and their marks."""

    sha256: str
    marks: bytes


def row_digest(columns: Iterable[Any]) -> bytes:
    """Return the SHA-256 of a row: its columns as PostgreSQL's json_build_array writes them, in UTF-8.

    A moment is its microseconds since 1970, JSON the text of its jsonb. So a database can do it as well.
    """
    return hashlib.sha256(_text([_plain(value) for value in columns]).encode(errors="surrogatepass")).digest()


def pack_rows(rows: Iterable[tuple[int, Sequence[Any]]]) -> bytes:
    """Return a series, packed, of rows given as the number of their transfer and their columns."""
    return b"".join(transfer.to_bytes(8) + row_digest(columns) for transfer, columns in rows)


def close_rows(series: Sequence[bytes], *, prev_sha256: str) -> Closed:
    """Return the hash of the packed series on top of the hash before, and a mark for each row."""
    chain = hashlib.sha256(prev_sha256.encode())
    lengths = _LENGTHS.pack(*(len(packed) // _PACKED for packed in series))
    chain.update(lengths)
    marks = [lengths]
    for packed in series:
        chain.update(packed)
        marks += [packed[start : start + _MARK.size] for start in range(0, len(packed), _PACKED)]
    return Closed(chain.hexdigest(), b"".join(marks))


def first_difference(before: bytes, after: bytes) -> str:
    """Return which row changed between two series of marks: 'transfer 12', 'lot uses of transfer 12' …; or ''."""
    changed = [
        (transfer, nth)
        for nth, (old, new) in enumerate(zip(_unpacked(before), _unpacked(after), strict=True))
        for transfer in _first_of(old, new)
    ]
    if not changed:
        return ""
    transfer, nth = min(changed)
    return f"{PARTS[nth]} {transfer}"


def _unpacked(marks: bytes) -> Iterator[list[tuple[int, bytes]]]:
    start = _LENGTHS.size
    for length in _LENGTHS.unpack_from(marks):
        end = start + length * _MARK.size
        yield list(_MARK.iter_unpack(marks[start:end]))
        start = end


def _first_of(old: list[tuple[int, bytes]], new: list[tuple[int, bytes]]) -> list[int]:
    """Return the number of the first transfer, if any, whose rows differ in one series."""
    for one, other in zip(old, new, strict=False):
        if one != other:
            return [min(one[0], other[0])]
    longer = old[len(new) :] or new[len(old) :]
    return [longer[0][0]] if longer else []


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return _text(_ordered(value)) if isinstance(value, dict | list) else value


def _ordered(value: Any) -> Any:
    """Return JSON with its keys as jsonb orders them: the shorter first, then by their bytes."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _ordered(value[key]) for key in keys}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


_text = json.JSONEncoder(ensure_ascii=False).encode
