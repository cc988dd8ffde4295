"""Reading the folder that mails are written to where none is really sent."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,150}")
SEARCHED = 2000
_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHead:
    """One line of the list; `name` is the file's name without its ending."""

    name: str
    to: str
    subject: str
    date: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """One mail to look at."""

    head: MailHead
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def mail_heads(folder: Path, *, search: str = "") -> Iterator[MailHead]:
    """Yield the mails in the folder, newest first; with `search` those with the words in address, subject or text."""
    words = search.lower().split()
    files = sorted(folder.glob("*.eml"), key=_age, reverse=True) if folder.is_dir() else []
    names = [file.stem for file in files]
    for name in names[:SEARCHED] if words else names:
        if not words:
            yield _head(name, folder / f"{name}.eml")
        elif (found := read_mail(folder, name)) and _matches(found, words):
            yield found.head


def count_mails(folder: Path) -> int:
    """Return how many mails the folder holds."""
    return sum(1 for _ in folder.glob("*.eml")) if folder.is_dir() else 0


def read_mail(folder: Path, name: str) -> StoredMail | None:
    """Return the mail of that name, or nothing if there is none."""
    file = folder / f"{name}.eml"
    if not _NAME.fullmatch(name) or not file.is_file():
        return None
    parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    return StoredMail(
        head=_head(name, file),
        headers=tuple((header, str(parsed[header])) for header in _HEADERS if parsed[header]),
        text=_part(parsed, "plain"),
        html=_part(parsed, "html"),
    )


def _age(file: Path) -> tuple[str, int]:
    """Order by the moment in the name, in whole seconds, and within it by when the file was written."""
    return file.stem.partition("-")[0], file.stat().st_mtime_ns


def _matches(found: StoredMail, words: list[str]) -> bool:
    hay = f"{found.head.to} {found.head.subject} {found.text}".lower()
    return all(word in hay for word in words)


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _head(name: str, file: Path) -> MailHead:
    with file.open("rb") as handle:
        headers = BytesHeaderParser(policy=email.policy.default).parse(handle)
    try:
        date = parsedate_to_datetime(str(headers["Date"]))
    except (TypeError, ValueError):
        date = None
    return MailHead(name=name, to=str(headers["To"] or ""), subject=str(headers["Subject"] or ""), date=date)


def delete_mails_to(folder: Path, address: str) -> int:
    """Delete the mails in the folder that went to the address; return how many."""
    gone = 0
    for file in folder.glob("*.eml") if folder.is_dir() else ():
        with file.open("rb") as handle:
            to = str(BytesHeaderParser(policy=email.policy.default).parse(handle).get("To", ""))
        if address.lower() in to.lower():
            file.unlink(missing_ok=True)
            gone += 1
    return gone
