"""What README and docs tell people to type exists, and the guide to the API runs as it stands."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from accounts.services import create_api_key
from tests.contracts.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MANAGE = ".venv/bin/python manage.py"


def blocks(text):
    """Return the fenced blocks of a text as (language, content)."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_documents_name_commands_and_targets_that_exist(file):
    text = file.read_text()
    code = "\n".join([*re.findall(r"`([^`\n]+)`", text), *(content for _, content in blocks(text))])

    commands = set(re.findall(r"manage\.py ([a-z_]+)", code))
    made = set(re.findall(r"\bmake ([a-z]+)", code))

    assert (commands - set(get_commands()), made - targets()) == (set(), set())


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_documents_link_to_files_that_exist(file):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", file.read_text())

    local = [link for link in links if not re.match(r"https?://|mailto:", link)]
    assert [link for link in local if not (file.parent / link).exists()] == []


def holds(expected, actual):
    """Return whether the answer says what the guide says: objects may say more, '…' stands for anything."""
    if expected == "…":
        return True
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(key in actual and holds(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(actual, list) and all(any(holds(one, found) for found in actual) for one in expected)
    return expected == actual


class Inside(Terminal):
    """A shell whose calls of manage.py run in this process, on the test's database."""

    def run(self, script):
        """Run a block, then what it would give to manage.py."""
        said = super().run("\n".join(self._as_arguments(line) for line in script.splitlines()))
        for line in said.splitlines():
            if line.startswith("manage:"):
                self._manage(json.loads(line.removeprefix("manage:")))
        return said

    @staticmethod
    def _as_arguments(line):
        if not line.startswith(MANAGE):
            return line
        told = "import json, sys; print('manage:' + json.dumps(sys.argv[1:]))"
        return f'python3 -c "{told}"{line.removeprefix(MANAGE)}'

    def _manage(self, arguments):
        paths = [str(self.folder / one) if one.endswith(".yaml") else one for one in arguments]
        call_command(*paths, stdout=StringIO())


@pytest.mark.curl
def test_guide_to_the_api_runs_as_it_stands(live_server, settings, tmp_path):
    settings.PUBLIC_BASE_URL = live_server.url
    key = create_api_key(name="my-shop", scopes=["read", "write"])[1]
    terminal = Inside(tmp_path, BASE=live_server.url, KEY=key)
    output, checked = "", 0
    steps = blocks((ROOT / "docs" / "api.md").read_text())
    assert "create_api_key" in steps[0][1]

    for language, content in steps[1:]:
        if language == "sh":
            output = terminal.run(content)
        elif language == "json":
            assert holds(json.loads(content), json.loads(output)), f"{content}\n{output}"
            checked += 1

    assert checked >= 7
