"""Ringing the worker: a hint that rows are due. The rows are the truth, the ring may get lost."""

import logging
import time
from functools import partial

from celery import current_app
from django.db import transaction

_REST_SECONDS = 30.0
_silent_until = 0.0

logger = logging.getLogger(__name__)


def ring(task: str) -> None:
    """Ask the worker to run `task` now; never raises, and rests a while after a broker failure."""
    global _silent_until  # one breaker per process
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task(task, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 - the sweep finds the work whatever the broker does
        _silent_until = time.monotonic() + _REST_SECONDS
        logger.warning("doorbell for %s not heard: %s", task, error)


def ring_on_commit(task: str) -> None:
    """Ring once the current transaction has committed; one ring serves all who asked for it meanwhile."""
    hooks = transaction.get_connection().run_on_commit
    if not any(isinstance(hook, partial) and hook.func is _ring and hook.args == (task,) for _, hook, _ in hooks):
        transaction.on_commit(partial(_ring, task))


def _ring(task: str) -> None:
    ring(task)
