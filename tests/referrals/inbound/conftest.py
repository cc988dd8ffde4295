"""Sources with the secrets that the calls are signed with."""

import pytest

from referrals.models import Source
from referrals.services.sources import create_source
from tests.referrals.inbound.calling import SECRETS


@pytest.fixture
def source():
    def make(kind: str, **options) -> Source:
        return create_source(kind=kind, slug=f"my-{kind}", secret=SECRETS.get(kind, ""), options=options)

    return make
