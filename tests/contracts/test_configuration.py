"""Every environment variable is documented, and nothing else is."""

import ast
import re
import tomllib
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
