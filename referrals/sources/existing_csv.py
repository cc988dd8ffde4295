"""The list of existing customers out of a CSV file: addresses, or their SHA-256. Pure."""

import csv
import io
import re
from dataclasses import dataclass

from referrals.people import normalize_email
from referrals.sources.csv import SEPARATORS, FileRefused, RowProblem

PLAIN = ("email", "e-mail", "email_address", "mail")
HASHED = ("sha256", "email_sha256", "hash", "hashed_email", "email_hash")
_HASH = re.compile(r"[0-9a-f]{64}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,189}")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the file holds: normalised addresses, hashes as they stand, and the rows that are neither."""

    emails: tuple[str, ...]
    hashes: tuple[str, ...]
    problems: tuple[RowProblem, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.emails) + len(self.hashes) + len(self.problems)


def read_existing(text: str) -> Listed:
    """Return the file's rows; `FileRefused` without a header that names a column of addresses or hashes."""
    first = text.lstrip("\r\n").partition("\n")[0]
    records = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count))
    header = [cell.strip().lower() for cell in next(records, [])]
    columns = [(place, name) for place, name in enumerate(header) if name in (*PLAIN, *HASHED)]
    if len(columns) != 1:
        raise FileRefused(
            f"1: expected one column named {PLAIN[0]} or {HASHED[0]}, found {', '.join(header) or 'none'}"
        )
    place, name = columns[0]
    emails, hashes, problems = [], [], []
    for cells in records:
        value = cells[place].strip().lower() if place < len(cells) else ""
        if not any(cell.strip() for cell in cells):
            continue
        if name in HASHED and _HASH.fullmatch(value):
            hashes.append(value)
        elif name in PLAIN and _EMAIL.fullmatch(value):
            emails.append(normalize_email(value))
        else:
            expected = "64 hexadecimal digits" if name in HASHED else "an email address"
            problems.append(RowProblem(records.line_num, name, f"expected {expected}, got {value[:60]!r}"))
    return Listed(tuple(emails), tuple(hashes), tuple(problems))
