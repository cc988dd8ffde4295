"""The house holds, and each of its walls is seen to fail where it is breached."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ["accounts", "analytics", "config", "core", "messaging", "referrals", "rewards", "surveys"]
EDGES = {"urls", "views", "api", "admin", "tasks", "handlers", "forms", "management", "redirect"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def contracts() -> list[dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def sources() -> list[Path]:
    files = [file for app in APPS for file in sorted((ROOT / app).rglob("*.py"))]
    return [ROOT / "manage.py", *(file for file in files if "migrations" not in file.parts)]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def broken(folder: Path) -> set[str]:
    """Return the names of the contracts that are broken in the copy of the house in `folder`."""
    # Long names are wrapped on output, so that the lines are joined before they are read.
    text = " ".join(lint_imports(folder).stdout.split())
    return {contract["name"] for contract in contracts() if f"{contract['name']} BROKEN" in text}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_house_keeps_every_contract(house):
    result = lint_imports(house)

    assert (result.returncode, broken(house)) == (0, set()), result.stdout


FLOORS = "Floors: an app imports only what stands below it"
PURE = "Pure rules know no Django, no clock and no database"
MAIL = "Only messaging and core.http speak SMTP or HTTP"
GROUND = "Rooms of the ground floor"
CIRCLES = "Siblings: no circles between the modules of an app"

BREACHES = [
    ("referrals/models/breach.py", "from rewards import events\n", {FLOORS}),
    ("core/dispatch.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import accounts.models\n", {FLOORS}),
    ("referrals/queries/breach.py", "from referrals.services import breach\n", {"Rooms of referrals"}),
    ("referrals/utils.py", "", {"Rooms of referrals"}),
    ("core/helpers.py", "", {GROUND}),
    ("core/models.py", "import core.dispatch\n", {GROUND}),
    ("core/money.py", "from django.conf import settings\n", {PURE}),
    ("rewards/breach/__init__.py", "", {"Rooms of rewards"}),
    ("rewards/services/breach.py", "import smtplib\n", {MAIL}),
    ("accounts/models.py", "import requests\n", {MAIL}),
    (
        "rewards/services/breach.py",
        "from referrals import handlers\n",
        {"Private: the edges of referrals belong to referrals"},
    ),
]


@pytest.mark.parametrize(
    ("file", "text", "expected"), BREACHES, ids=[f"{file}: {text[:40]!r}" for file, text, _ in BREACHES]
)
def test_contract_is_broken_by_a_planted_breach(house, file, text, expected):
    (house / "referrals" / "services" / "breach.py").write_text("")
    target = house / file
    target.parent.mkdir(exist_ok=True)
    target.write_text((target.read_text() if target.exists() else "") + text)

    assert expected <= broken(house)


def test_contract_against_circles_is_broken_by_a_planted_circle(house):
    folder = house / "referrals" / "services"
    (folder / "breach_one.py").write_text("from referrals.services import breach_two\n")
    (folder / "breach_two.py").write_text("from referrals.services import breach_one\n")

    assert CIRCLES in broken(house)


def test_every_folder_with_code_is_a_package():
    """A folder without `__init__.py` is no part of the graph: the contracts would not see into it."""
    folders = {file.parent for app in [*APPS, "tests"] for file in (ROOT / app).rglob("*.py")}

    assert sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()) == []


def test_every_edge_is_private():
    protected = {
        name for contract in contracts() if contract["type"] == "protected" for name in contract["protected_modules"]
    }
    there = {
        f"{app}.{path.stem}"
        for app in set(APPS) - {"config", "core"}
        for path in (ROOT / app).iterdir()
        if path.stem in EDGES
    }

    assert there - protected == set()


def test_every_rule_module_is_listed_as_pure():
    """What stands in a layer marked `# rules` must be listed in the contract that keeps rules pure."""
    pure = next(contract for contract in contracts() if contract["name"] == PURE)
    rooms = re.findall(
        r'name = "Rooms of (\w+)"(.*?)^\]', (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )
    rules = {
        f"{app}.{rule}"
        for app, text in rooms
        for line in re.findall(r"^.*# rules$", text, re.MULTILINE)
        for rule in re.findall(r"\((\w+)\)", line)
    }

    assert "referrals.attribution" in rules
    assert rules - set(pure["source_modules"]) == set()


def test_no_file_is_longer_than_400_lines():
    files = [*sources(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    files += [file for kind in ("css", "js") for file in (ROOT / "static" / kind).rglob(f"*.{kind}")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}

    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines():
    long = {}
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    long[f"{file.relative_to(ROOT)}:{node.name}"] = length

    assert long == {}


def test_no_django_signals():
    found = [
        str(file.relative_to(ROOT))
        for file in sources()
        if re.search(r"django\.dispatch|django\.db\.models\.signals|core\.signals", file.read_text())
    ]

    assert found == []


def test_no_inline_script_or_style_in_templates():
    pattern = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)|<style|\sstyle=|\son[a-z]+=|javascript:"
    )
    pages = [file for file in (ROOT / "templates").rglob("*.html") if "emails" not in file.parts]
    found = {
        str(file.relative_to(ROOT)): match.group() for file in pages if (match := pattern.search(file.read_text()))
    }

    assert found == {}
