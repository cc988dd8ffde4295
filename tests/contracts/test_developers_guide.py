"""The developer's guide runs as it stands, block by block, against the product as real processes."""

import json
import sys

import pytest

from referrals.models import Referral
from tests.contracts.terminal import Terminal
from tests.contracts.test_guide import blocks, holds
from tests.races.product import ROOT, Product
from tests.servers import free_port

pytestmark = [pytest.mark.once, pytest.mark.long, pytest.mark.django_db(transaction=True)]

GUIDE = ROOT / "docs" / "developers.md"


@pytest.fixture
def product(tmp_path):
    running = Product(tmp_path / "var", redis_url="")
    running.folder.mkdir()
    running.environment |= {"WEBHOOKS_ALLOW_PRIVATE_IPS": "on", "PUBLIC_BASE_URL": f"http://127.0.0.1:{running.port}"}
    running.start_web()
    running.start_worker()
    yield running
    running.stop()


@pytest.fixture
def clone(tmp_path, product):
    """A folder that looks like the clone: `var/`, `manage.py` and the interpreter stand where the guide has them."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    return tmp_path


def last_json(output: str) -> object:
    """Return the JSON value that the output ends with."""
    text = output.rstrip()
    for start in (place for place, sign in enumerate(text) if sign == "{"):
        try:
            value, end = json.JSONDecoder().raw_decode(text[start:])
        except ValueError:
            continue
        if start + end == len(text):
            return value
    raise AssertionError(f"no JSON at the end of: {output}")


@pytest.mark.curl
def test_developers_guide_runs_as_it_stands(product, clone):
    terminal = Terminal(clone, **product.environment | {"HOME": str(clone)})
    text = GUIDE.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{product.port}").replace("8099", str(free_port()))
    outputs, checked = [""], 0

    for language, content in blocks(text):
        if language == "sh":
            outputs.append(terminal.run(content))
        elif language == "json":
            told = last_json(outputs[-1])
            assert holds(json.loads(content), told), f"{content}\n{told}"
            checked += 1

    everything = "\n".join(outputs)
    assert checked == 4
    assert (everything.count("webhook.test"), everything.count("Subject:") > 1) == (2, True)
    assert (Referral.objects.get().method, "ledger sound" in everything) == ("link", True)
    assert {file.name for file in clone.iterdir()} == {".venv", "manage.py", "var", "exported.sh"}
