"""Handing a finished mail to whatever EMAIL_URL names, and saying plainly what came of it."""

import re
import smtplib
from types import TracebackType
from typing import Any, Self

from anymail.exceptions import AnymailAPIError
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage

from messaging.backends import OutcomeUnknown

_NO_SUCH_MAILBOX = re.compile(rb"\b5\.1\.(1|10)\b")
_TRY_LATER = (429, 503)
_SERVER_ERROR = 500
_NEVER_CONNECTED = ("ConnectTimeout", "NewConnectionError", "NameResolutionError", "SSLError", "ProxyError")


class NoSuchMailbox(Exception):
    """The receiving server says that this address does not exist: a hard bounce."""


class Courier:
    """Keeps one connection open over many mails; use as a context manager."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def send(self, mail: EmailMessage) -> None:
        """Return if the mail was accepted.

        Raises `OutcomeUnknown` if it may or may not have been, `NoSuchMailbox` if it never will be, and
        whatever else the connection raised if it certainly was not.
        """
        try:
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
            self._connection.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            self._drop()
            if all(code >= _SERVER_ERROR and _NO_SUCH_MAILBOX.search(text) for code, text in error.recipients.values()):
                raise NoSuchMailbox(str(error)) from error
            raise
        except AnymailAPIError as error:
            self._drop()
            if _may_have_arrived(error):
                raise OutcomeUnknown(str(error)) from error
            raise
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                return


def _may_have_arrived(error: AnymailAPIError) -> bool:
    """Tell whether a provider's answer (or its absence) leaves open if the mail was accepted."""
    if error.status_code is not None:
        return bool(error.status_code >= _SERVER_ERROR and error.status_code not in _TRY_LATER)
    cause = repr(error.__cause__)
    return error.__cause__ is not None and not any(sign in cause for sign in _NEVER_CONNECTED)
