"""Every environment variable is documented, and nothing else is."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
METHODS = {"str", "bool", "int", "list", "float", "url", "json", "db_url", "get_value", "decimal"}


def variables_read() -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((ROOT / "config/settings.py").read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=method), args=[ast.Constant(value=str(name)), *_]
            ) if method in METHODS:
                found.add(name)
    return found


def test_settings_read_at_least_the_promised_variables():
    promised = "DATABASE_URL DATABASE_OWNER_URL REDIS_URL PUBLIC_BASE_URL PORT ALLOWED_HOSTS SECRET_KEY DEBUG EMAIL_URL"

    assert {*promised.split(), "TIME_ZONE", "WEB_WORKERS"} - variables_read() == set()


def test_env_example_names_every_variable():
    listed = re.findall(r"^([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(variables_read())


def test_configuration_page_names_every_variable():
    listed = re.findall(r"^\| `([A-Z][A-Z_]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(variables_read())


def test_nothing_but_the_settings_reads_the_environment():
    folders = ["accounts", "analytics", "core", "messaging", "referrals", "rewards", "surveys"]
    found = [
        str(file.relative_to(ROOT))
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"os\.environ|getenv", file.read_text())
    ]

    assert found == []


def test_every_dependency_is_explained():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match(r"[\w-]+", requirement).group() for requirement in listed}
    page = (ROOT / "docs/adr/0002-dependencies.md").read_text()

    assert {name for name in names if not re.search(rf"\b{name}\b", page)} == set()


def imported_from_outside(folders: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (file, top-level module) for every import of neither the standard library nor our own code."""
    ours = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for file in (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - ours:
                yield str(file.relative_to(ROOT)), module


def undeclared(folders: list[str], requirements: list[str]) -> dict[str, str]:
    """Return which modules are imported that no requirement brings by itself, with a file that imports each."""
    declared = {re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-") for requirement in requirements}
    homes = packages_distributions()
    return {
        module: file
        for file, module in imported_from_outside(folders)
        if not {home.lower().replace("_", "-") for home in homes.get(module, [])} & declared
    }


def test_every_import_is_of_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, groups = project["project"]["dependencies"], project["dependency-groups"]
    apps = ["accounts", "analytics", "config", "core", "messaging", "referrals", "rewards", "surveys"]

    assert undeclared(apps, runtime) == {}
    assert undeclared(["tests"], runtime + groups["test"] + groups["dev"]) == {}


def test_every_import_twin_an_undeclared_dependency_is_found():
    runtime = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]

    assert "django" in undeclared(["core"], [one for one in runtime if not one.startswith("django>")])
