"""Trying a whole transaction again when the database asks for it: it gave way to another one."""

import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from django.db import OperationalError, transaction

_TRANSIENT = frozenset({"40001", "40P01", "55P03"})
_TRIES = 5
_again: ContextVar[bool] = ContextVar("again", default=False)

Result = TypeVar("Result")


def gave_way(error: BaseException) -> bool:
    """Return whether the error is a deadlock or the like that a whole new try would not meet again."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") in _TRANSIENT


def will_try_again() -> bool:
    """Return whether somebody up the call stack tries the whole transaction again."""
    return _again.get()


def with_retries(work: Callable[[], Result]) -> Result:
    """Run `work`, a transaction of its own, up to 5 times while it gives way; inside another transaction, once."""
    if transaction.get_connection().in_atomic_block:
        return work()
    token = _again.set(True)
    try:
        for number in range(1, _TRIES):
            try:
                return work()
            except OperationalError as error:
                if not gave_way(error):
                    raise
                time.sleep(random.uniform(0, 0.05 * number))  # noqa: S311 - jitter, no secret
    finally:
        _again.reset(token)
    return work()
