"""How mails leave: an SMTP backend that knows how far it got, and a folder for installations that send nothing."""

import os
import re
import secrets
import smtplib
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone

_START_INPUT = 354


class OutcomeUnknown(Exception):
    """The mail was handed over, but no answer came: it may have been sent or not."""


class _TellsHowFar(smtplib.SMTP):
    """Tells a connection lost before the mail was handed over from one lost after it."""

    _last_code = 0

    def getreply(self) -> tuple[int, bytes]:
        self._last_code, text = super().getreply()
        return self._last_code, text

    def data(self, msg: Any) -> tuple[int, bytes]:
        self._last_code = 0
        try:
            return super().data(msg)
        except smtplib.SMTPDataError:
            raise
        except (smtplib.SMTPException, OSError) as error:
            if self._last_code == _START_INPUT:
                raise OutcomeUnknown(f"connection lost after the mail was handed over: {error}") from error
            raise


class _TellsHowFarSsl(_TellsHowFar, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend; raises `OutcomeUnknown` where the answer to a handed-over mail is missing."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _TellsHowFarSsl if self.use_ssl else _TellsHowFar


class FolderBackend(BaseEmailBackend):
    """Writes each mail as one .eml file, complete or not at all, named so that names sort by date."""

    def __init__(self, *args: Any, file_path: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.folder = Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write every mail; return how many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            self._write(mail)
        return len(email_messages)

    def _write(self, mail: EmailMessage) -> None:
        parsed = mail.message()
        moment = parsedate_to_datetime(parsed["Date"]) if parsed["Date"] else timezone.now()
        kind = parsed.get("X-Goodword-Kind", "mail")
        stem = "-".join((f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}", kind, *mail.to[:1], secrets.token_hex(4)))
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", _bare(stem))[:150]
        unfinished = self.folder / f".{name}.part"
        with unfinished.open("wb") as file:
            file.write(parsed.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / f"{name}.eml")


def _bare(text: str) -> str:
    """Return text with 'Ann <ann@example.com>' reduced to its address."""
    return re.sub(r"[^-]*<([^>]*)>", r"\1", text).replace("@", "_at_")
