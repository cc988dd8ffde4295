"""The published schema is the one that the code has: `make openapi` writes it."""

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def generate(folder):
    file = folder / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    return file.read_text(encoding="utf-8")


def test_openapi_is_committed_as_generated_without_warnings(tmp_path):
    assert generate(tmp_path) == COMMITTED.read_text(encoding="utf-8"), "run `make openapi` and review the difference"


def test_openapi_names_problems_and_keys_for_every_operation():
    document = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))

    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]

    assert document["openapi"].startswith("3.1")
    assert operations
    for path, method, operation in operations:
        assert path.startswith("/api/v1/")
        assert operation["security"] == [{"ApiKey": []}], (path, method)
        assert {"401", "403", "422", "429"} <= set(operation["responses"]), (path, method)
        named = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in named) is (method == "post"), (path, method)


def test_openapi_operation_names_are_unique():
    document = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    assert len(names) == len(set(names))


@pytest.mark.django_db
def test_open_schema_and_docs_need_nothing_from_outside(client):
    schema = client.get("/api/schema/")
    docs = client.get("/api/docs/").content.decode()

    assert schema.status_code == 200
    assert "http://" not in docs
    assert "https://" not in docs
    assert "swagger-ui-bundle.js" in docs
