"""Reading a YAML (or JSON) tree with line numbers, collecting every problem instead of the first. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import yaml

from core.errors import Refused

LARGEST_FILE = 200_000

_WHOLE = re.compile(r"0|[1-9][0-9]{0,11}")
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong where, as 'file:line: what was expected'."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class NodeReader:
    """Reads nodes of a YAML tree; what is missing or unreadable comes back as None, the latter noted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[FileProblem] = []

    def refuse(self, node: yaml.Node | None, message: str) -> None:
        """Note a problem at the node's line (line 1 without a node)."""
        self._note(node.start_mark.line + 1 if node is not None else 1, message)

    def _note(self, line: int, message: str) -> None:
        self.problems.append(FileProblem(self.file, line, message))

    def compose(self, text: str) -> yaml.Node | None:
        """Return the root of the only document in `text`."""
        if len(text) > LARGEST_FILE:
            self._note(1, f"expected at most {LARGEST_FILE:,} characters")
            return None
        if text.lstrip("\ufeff \t\r\n").startswith("{"):
            text = text.replace("\t", " ")  # JSON allows tabs between tokens and never inside strings
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._note(mark.line + 1 if mark else 1, f"expected YAML or JSON: {error.problem or 'unreadable'}")
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._note(line, "expected YAML or JSON: a character that is not allowed")
        except RecursionError:
            self._note(1, "expected YAML or JSON: nested too deeply")
        return None

    def mapping(self, node: yaml.Node | None, what: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        """Return the values by key, nulls left out; unknown and repeated keys are refused."""
        if node is None or is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, f"{what}: expected a mapping with {', '.join(keys)}")
            return {}
        found: dict[str, yaml.Node] = {}
        seen: set[str] = set()
        for key_node, value in node.value:
            key = _key_of(key_node)
            if key in seen:
                self.refuse(key_node, f"{what}: the key {key!r} is given twice")
            elif key not in keys:
                self.refuse(key_node, f"{what}: unknown key {key!r}, expected one of {', '.join(keys)}")
            elif not is_null(value):
                found[key] = value
            seen.add(key)
        return found

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """Return the nodes of a list; a missing one is empty."""
        if node is None:
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.refuse(node, f"{what}: expected a list")
        return []

    def value(self, node: yaml.Node | None, expected: str, read: Callable[[str], Value | None]) -> Value | None:
        """Return what `read` makes of a scalar's text; it returns None or raises `Refused` for a bad one."""
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.refuse(node, f"expected {expected}, not a list or mapping")
            return None
        try:
            value = read(_joined(node.value))
        except Refused as error:
            self.refuse(node, error.detail)
            return None
        if value is None:
            self.refuse(node, f"expected {expected}, got {node.value!r}")
        return value

    def plain(self, node: yaml.Node) -> tuple[object, dict[tuple[str | int, ...], yaml.Node]]:
        """Return a tree as plain values, scalars as text, and the node that each path of keys and indices leads to."""
        nodes: dict[tuple[str | int, ...], yaml.Node] = {}

        def read(one: yaml.Node, path: tuple[str | int, ...]) -> object:
            nodes[path] = one
            if isinstance(one, yaml.SequenceNode):
                return [read(item, (*path, number)) for number, item in enumerate(one.value)]
            if not isinstance(one, yaml.MappingNode):
                return _joined(one.value)
            found: dict[str, object] = {}
            for key_node, value in one.value:
                key = _key_of(key_node)
                if key in found:
                    self.refuse(key_node, f"the key {key!r} is given twice")
                found[key] = read(value, (*path, key))
            return found

        return read(node, ()), nodes

    def choice(self, node: yaml.Node | None, what: str, choices: tuple[str, ...]) -> str | None:
        """Return one of `choices`."""
        expected = f"{what} to be one of {', '.join(choices)}"
        return self.value(node, expected, lambda text: text if text in choices else None)

    def whole(self, node: yaml.Node | None, what: str, largest: int) -> int | None:
        """Return a whole number from 0 to `largest`, written plainly (no quotes, no underscores)."""
        plain = not (isinstance(node, yaml.ScalarNode) and node.style in ("'", '"'))

        def read(text: str) -> int | None:
            return int(text) if plain and _WHOLE.fullmatch(text) and int(text) <= largest else None

        return self.value(node, f"{what} to be a whole number from 0 to {largest}, without quotes", read)

    def decimal(self, node: yaml.Node | None, what: str, largest: int) -> Decimal | None:
        """Return the number exactly as written, from 0 to `largest`, with at most 6 decimals."""

        def read(text: str) -> Decimal | None:
            return Decimal(text) if _DECIMAL.fullmatch(text) and Decimal(text) <= largest else None

        return self.value(node, f"{what} to be a number from 0 to {largest} with at most 6 decimals", read)


def _key_of(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else "?"


def is_null(node: yaml.Node) -> bool:
    """Tell whether a node is YAML's null (nothing, ~ or null)."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _joined(text: str) -> str:
    """Join the surrogate pairs that JSON's escapes leave apart; a lone one becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
