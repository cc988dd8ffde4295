"""Receivers on the loopback, which may be called here."""

import pytest

from tests.messaging.webhooks.receiver import Receiver


@pytest.fixture(autouse=True)
def _inside(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True


@pytest.fixture
def receive():
    made = []

    def start(**behaviour):
        made.append(Receiver(**behaviour))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()
