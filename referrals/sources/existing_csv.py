"""The list of existing customers out of a CSV file: addresses, or their SHA-256. Pure."""

import re
from dataclasses import dataclass

from referrals.people import is_email, normalize_email
from referrals.sources.csv import FileRefused, RowProblem, open_table

PLAIN = ("email", "e-mail", "email_address", "mail")
HASHED = ("sha256", "email_sha256", "hash", "hashed_email", "email_hash")
_HASH = re.compile(r"[0-9a-f]{64}")


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
    header, records = open_table(text)
    columns = [(place, name.lower()) for place, name in enumerate(header) if name.lower() in (*PLAIN, *HASHED)]
    if len(columns) != 1:
        found = ", ".join(header)
        raise FileRefused(f"1: expected one column named {PLAIN[0]} or {HASHED[0]}, found {found}")
    place, name = columns[0]
    emails, hashes, problems = [], [], []
    for line, cells in records:
        if isinstance(cells, str):
            problems.append(RowProblem(line, "", cells))
            continue
        value = cells[place].strip().lower()
        if name in HASHED and _HASH.fullmatch(value):
            hashes.append(value)
        elif name in PLAIN and is_email(value):
            emails.append(normalize_email(value))
        else:
            expected = "64 hexadecimal digits" if name in HASHED else "an email address"
            problems.append(RowProblem(line, name, f"expected {expected}, got {value[:60]!r}"))
    return Listed(tuple(emails), tuple(hashes), tuple(problems))
