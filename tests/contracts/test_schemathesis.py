"""The description of the API holds for every caller: no server error, no status, type or shape that it does not name.

Schemathesis draws calls out of the schema that the running product publishes. Each is made with a key that reads,
one that stands in a page and one that writes; most of them speak of things that a small company has.
"""

import sys
from collections import defaultdict
from contextlib import suppress
from itertools import count

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from rest_framework.response import Response

from accounts.services import create_api_key
from config.wsgi import application
from rewards.api.programs import ProgramsView

pytestmark = [pytest.mark.once, pytest.mark.long, pytest.mark.django_db]

CALLS, WRONG_CALLS = 12, 2  # of each operation, by each key
ORIGIN = "https://shop.example"
METRICS = ["orders", "nps", "revenue_net"]
PARTS = {  # of an event: what only some types have
    "order": ({"purchase", "refund"}, {"id": "", "amount": "59.90", "currency": ""}),
    "lead": ({"lead", "lead_stage"}, {"id": "", "stage": "won"}),
    "name": ({"custom"}, "visit"),
}


@pytest.fixture(scope="module")
def schemathesis():
    """The library; loading it replaces parts of Hypothesis, which the other tests get back as they were."""
    names = [name for name in sys.modules if name.startswith("hypothesis.")]
    before = {name: dict(vars(sys.modules[name])) for name in names}
    import schemathesis

    yield schemathesis
    for name, attributes in before.items():
        vars(sys.modules[name]).update(attributes)


@pytest.fixture
def one_connection():
    """Keep requests from closing the connection whose transaction the test takes back, as the test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def keys(db):
    return {
        "reads": create_api_key(name="r", scopes=["read"])[1],
        "stands in a page": create_api_key(name="p", publishable=True, origins=[ORIGIN])[1],
        "writes": create_api_key(name="w", scopes=["write"])[1],
    }


def speak_of(known, pick, value, name=""):
    """Return the drawn value with things that exist in place of drawn names, the `pick`-th of each kind."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):  # an event, with the parts of its type alone
            mine = {name: part for name, (types, part) in PARTS.items() if value["type"] in types}
            value = (
                {key: one for key, one in value.items() if key not in PARTS} | mine | {"customer": {"external_id": ""}}
            )
        return {key: speak_of(known, pick, one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [speak_of(known, pick, one, name) for one in value]
    if name in known and type(value) is type(known[name][0]):
        return known[name][pick % len(known[name])]
    return value


class Audit:
    """Plays operations and keeps what came of them: `statuses` by operation, and the `faults`."""

    def __init__(self, schemathesis, keys, known):
        from schemathesis import checks
        from schemathesis.generation.feedback import NO_FEEDBACK

        self.library, self.feedback = schemathesis, NO_FEEDBACK
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        self.schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, config=config)
        self.operations = [one.ok() for one in self.schema.get_all_operations()]
        self.checks = [
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ]
        self.keys, self.known = keys, known
        self.statuses, self.faults = defaultdict(set), []

    def play(self, operation, *, mode, examples):
        """Draw calls of an operation, always the same ones, and make each with every key."""
        turns = count()
        drawn = operation.as_strategy(generation_mode=self.library.GenerationMode(mode), feedback=self.feedback)

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=drawn)
        def each(case):
            pick = next(turns)
            if pick:  # the first stays as drawn
                case.path_parameters = speak_of(self.known | {"name": METRICS}, pick, case.path_parameters)
                case.query = speak_of(self.known, pick, case.query)
                case.body = speak_of(self.known, pick, case.body)
            for who in self.keys:
                self._call(case, who)

        with suppress(Unsatisfiable):  # where nothing can be wrong
            each()

    def _call(self, case, who):
        headers = {"Authorization": f"Bearer {self.keys[who]}", "Origin": ORIGIN}
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        self.statuses[case.operation.label].add(answer.status_code)
        try:
            case.validate_response(answer, checks=self.checks, headers=headers)
        except BaseExceptionGroup as fault:
            self.faults.append(f"{case.operation.label}, a key that {who}: {fault}")


@pytest.fixture
def audit(schemathesis, keys, known, one_connection):
    return Audit(schemathesis, keys, known)


def test_every_operation_keeps_to_its_description(audit):
    for operation in audit.operations:
        audit.play(operation, mode="positive", examples=CALLS)

    assert audit.faults == []
    refused = [label for label, statuses in audit.statuses.items() if min(statuses) >= 300]
    assert len(refused) <= 3, f"what is refused every time proves little: {refused}"
    assert len(audit.statuses) == len(audit.operations)


def test_every_operation_keeps_to_its_description_when_called_wrongly(audit):
    for operation in audit.operations:
        audit.play(operation, mode="negative", examples=WRONG_CALLS)

    assert audit.faults == []


def fail():
    raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (fail, "Server error"),
        (lambda: Response({}, status=418), "Undocumented status code"),
        (lambda: HttpResponse("[]", content_type="text/plain"), "Undocumented Content-Type"),
        (lambda: Response({"results": 3, "next": None}), "Response violates schema"),
    ],
    ids=["bug", "status", "type", "shape"],
)
def test_an_operation_that_breaks_its_description_is_found(audit, monkeypatch, answer, fault):
    """The sabotage twin: each of the four checks sees its breach."""
    monkeypatch.setattr(ProgramsView, "get", lambda self, request: answer())
    [programs] = [one for one in audit.operations if one.label == "GET /api/v1/programs"]

    audit.play(programs, mode="positive", examples=1)

    assert [fault in told for told in audit.faults] == [True]  # the others may not ask
