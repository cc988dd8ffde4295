"""People, the default survey and invitations for the tests of surveys."""

from datetime import UTC, datetime

import pytest

from accounts.models import ApiKey
from referrals.models import Customer
from surveys.models import (
    Invitation,
    Response,
    ResponseRevision,
)
from surveys.services.invitations import invite_customer
from surveys.services.surveys import ensure_default_survey
from surveys.tokens import token_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def now(time_machine):
    """Stop the clock."""
    time_machine.move_to(NOW, tick=False)
    return NOW


@pytest.fixture
def survey(db):
    return ensure_default_survey()


@pytest.fixture
def person(db):
    """Return a function that makes customers."""

    def make(external_id="c-1", name="Ann Archer", email=None, **fields):
        email = f"{external_id}@example.com" if email is None else email
        return Customer.objects.create(
            external_id=external_id, name=name, email=email, email_normalized=email.lower(), **fields
        )

    return make


@pytest.fixture
def ann(person):
    return person()


@pytest.fixture
def invitation(now, survey, ann):
    return invite_customer(survey=survey, customer=ann, at=now)


@pytest.fixture
def page(invitation):
    """The path of the survey page of the invitation."""
    return f"/s/{token_of(invitation.token_id)}"


@pytest.fixture
def answers(db):
    """Return a function that says everything that was ever answered."""

    def read():
        return (
            list(Response.objects.order_by("pk").values_list("invitation", "score", "comment", "state", "revision")),
            list(ResponseRevision.objects.order_by("pk").values_list("response", "number", "score", "comment")),
            list(Invitation.objects.order_by("pk").values_list("pk", "state", "answered_at")),
        )

    return read


@pytest.fixture
def api(client, db):
    """Return a function that calls the API with a key of the scopes."""

    keys = {}

    def call(method, path, body=None, scopes=("read", "write"), **headers):
        if scopes not in keys:
            _, keys[scopes] = ApiKey.objects.create_key(name="test", scopes=list(scopes))
        options = {} if body is None else {"data": body, "content_type": "application/json"}
        headers = {"Authorization": f"Bearer {keys[scopes]}"} | headers
        return getattr(client, method)(f"/api/v1{path}", headers=headers, **options)

    return call
