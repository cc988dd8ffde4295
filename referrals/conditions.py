"""Conditions: a small, closed language over named fields, checked when written and explained when read. Pure.

    {all: [{order.amount: {gte: "100"}}, {channel: {in: [whatsapp, email]}}]}

`all`, `any` and `not` combine; a field is compared with one of the operators of its kind. A bare value means
`eq`, a bare list `in`. There is nothing to call and nothing to reach: only the fields that were registered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from core.errors import Invalid

Value: TypeAlias = str | Decimal | int | bool | datetime | None
DEEPEST = 6
LARGEST = 100
LONGEST = 200
ORDERING = ("gt", "gte", "lt", "lte")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("eq", "ne", "in", "not_in", "contains", "starts_with", "exists"),
    "number": ("eq", "ne", "in", "not_in", *ORDERING, "exists"),
    "moment": ("before", "after", "within_days", "older_than_days", "exists"),
    "flag": ("eq", "exists"),
    "open": ("eq", "ne", "in", "not_in", "contains", "starts_with", *ORDERING, "exists"),
}
"""What each kind of field can be asked. `open` is an attribute the company made up: text or number, as it comes."""

Fields = Mapping[str, str]
"""Field names and their kinds; a name that ends in `.*` stands for every name below it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `value` is text, a tuple of texts, a flag, or a whole number of days."""

    field: str
    operator: str
    value: str | bool | int | tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {self.field: {self.operator: list(self.value) if isinstance(self.value, tuple) else self.value}}

    def __str__(self) -> str:
        value = ", ".join(self.value) if isinstance(self.value, tuple) else str(self.value).lower()
        return f"{self.field} {self.operator} {self.value if isinstance(self.value, str) else value}"


@dataclass(frozen=True, slots=True)
class All:
    """Holds where every part does."""

    parts: tuple["Condition", ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"all": [part.to_json() for part in self.parts]}

    def __str__(self) -> str:
        return " and ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where at least one part does."""

    parts: tuple["Condition", ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"any": [part.to_json() for part in self.parts]}

    def __str__(self) -> str:
        return " or ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where its part does not."""

    part: "Condition"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"not": self.part.to_json()}

    def __str__(self) -> str:
        return f"not {_bracketed(self.part)}"


Condition = Comparison | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a condition holds; where not, the comparison that failed and the value it saw, as text."""

    holds: bool
    condition: str = ""
    saw: str = ""


class BadCondition(Invalid):
    """A condition that is none; `path` leads to the part that is wrong (keys and list indices)."""

    code = "invalid_condition"

    def __init__(self, detail: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.path = path


def _bracketed(part: Condition) -> str:
    return f"({part})" if isinstance(part, All | AnyOf) else str(part)


def kind_of(field: str, fields: Fields) -> str | None:
    """Return the kind of a field, or None where nobody registered it."""
    if field in fields:
        return fields[field]
    for name, kind in fields.items():
        if name.endswith(".*") and field.startswith(name[:-1]) and len(field) > len(name) - 1:
            return kind
    return None


def parse_condition(given: object, fields: Fields) -> Condition:
    """Return the condition that plain JSON values describe; `BadCondition` names the first part that is wrong."""
    size = [0]
    return _parse(given, fields, (), size)


def _parse(given: object, fields: Fields, path: tuple[str | int, ...], size: list[int]) -> Condition:
    size[0] += 1
    if size[0] > LARGEST or len(path) > 2 * DEEPEST:
        raise BadCondition(f"when: expected at most {LARGEST} parts, nested at most {DEEPEST} deep", path)
    if not isinstance(given, Mapping) or not given:
        raise BadCondition("when: expected all, any, not, or a field with its comparison", path)
    parts = [_parse_one(str(key), value, fields, (*path, str(key)), size) for key, value in given.items()]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _parse_one(key: str, value: object, fields: Fields, path: tuple[str | int, ...], size: list[int]) -> Condition:
    if key in {"all", "any"}:
        if not isinstance(value, list) or not value:
            raise BadCondition(f"when: expected {key} to be a list of conditions", path)
        parts = tuple(_parse(one, fields, (*path, number), size) for number, one in enumerate(value))
        return All(parts) if key == "all" else AnyOf(parts)
    if key == "not":
        return Not(_parse(value, fields, path, size))
    kind = kind_of(key, fields)
    if kind is None:
        known = ", ".join(sorted(fields))
        raise BadCondition(f"when: unknown field {key!r}, expected all, any, not or one of {known}", path)
    return _comparisons(key, kind, value, path)


def _comparisons(field: str, kind: str, value: object, path: tuple[str | int, ...]) -> Condition:
    if isinstance(value, list):
        value = {"in": value}
    elif not isinstance(value, Mapping):
        value = {"eq": value}
    if not value:
        raise BadCondition(f"when: {field}: expected one of {', '.join(OPERATORS[kind])}", path)
    tests = [_test(field, kind, str(operator), operand, (*path, str(operator))) for operator, operand in value.items()]
    return tests[0] if len(tests) == 1 else All(tuple(tests))


def _test(field: str, kind: str, operator: str, operand: object, path: tuple[str | int, ...]) -> Comparison:
    if operator not in OPERATORS[kind]:
        raise BadCondition(f"when: {field}: unknown {operator!r}, expected one of {', '.join(OPERATORS[kind])}", path)
    if operator == "exists" or (kind == "flag" and operator == "eq"):
        return Comparison(field, operator, _flag(field, operand, path))
    if operator in {"within_days", "older_than_days"}:
        return Comparison(field, operator, _days(field, operand, path))
    if operator in {"in", "not_in"}:
        if not isinstance(operand, list) or not operand:
            raise BadCondition(f"when: {field}: expected {operator} to be a list of values", path)
        return Comparison(field, operator, tuple(_operand(field, kind, operator, one, path) for one in operand))
    return Comparison(field, operator, _operand(field, kind, operator, operand, path))


def _flag(field: str, operand: object, path: tuple[str | int, ...]) -> bool:
    if isinstance(operand, bool):
        return operand
    if operand in {"true", "false"}:
        return operand == "true"
    raise BadCondition(f"when: {field}: expected true or false", path)


def _days(field: str, operand: object, path: tuple[str | int, ...]) -> int:
    text = str(operand)
    if isinstance(operand, bool) or not text.isdecimal() or len(text) > 5:
        raise BadCondition(f"when: {field}: expected a whole number of days", path)
    return int(text)


def _operand(field: str, kind: str, operator: str, operand: object, path: tuple[str | int, ...]) -> str:
    if isinstance(operand, bool) or not isinstance(operand, str | int | Decimal):
        raise BadCondition(f"when: {field}: expected a value such as '100', not {operand!r}", path)
    text = str(operand)
    if len(text) > LONGEST:
        raise BadCondition(f"when: {field}: expected at most {LONGEST} characters", path)
    if (kind == "number" or operator in ORDERING) and _number(text) is None:
        raise BadCondition(f"when: {field}: expected a number such as '100', not {text!r}", path)
    if kind == "moment" and _moment(text) is None:
        raise BadCondition(f"when: {field}: expected a day such as 2026-01-31, not {text!r}", path)
    return text


def _number(value: Value) -> Decimal | None:
    if isinstance(value, bool) or value is None or isinstance(value, datetime):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: Value) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def fields_of(condition: Condition) -> set[str]:
    """Return the names of the fields that a condition asks for."""
    if isinstance(condition, Comparison):
        return {condition.field}
    parts: Iterable[Condition] = (condition.part,) if isinstance(condition, Not) else condition.parts
    return {name for part in parts for name in fields_of(part)}


def evaluate(condition: Condition, values: Mapping[str, Value], *, at: datetime) -> Outcome:
    """Return whether the condition holds of `values` at `at`.

    A value that is missing or None fails every comparison but `ne`, `not_in` and `exists: false`.
    """
    if isinstance(condition, Comparison):
        saw = values.get(condition.field)
        if _holds(condition, saw, at):
            return Outcome(True)
        return Outcome(False, str(condition), "nothing" if saw is None else _shown(saw))
    if isinstance(condition, Not):
        inner = evaluate(condition.part, values, at=at)
        asked = ", ".join(f"{name}: {_shown(values.get(name))}" for name in sorted(fields_of(condition.part)))
        return Outcome(False, str(condition), asked) if inner.holds else Outcome(True)
    outcomes = [evaluate(part, values, at=at) for part in condition.parts]
    failed = [one for one in outcomes if not one.holds]
    if isinstance(condition, All):
        return failed[0] if failed else Outcome(True)
    if len(failed) < len(outcomes):
        return Outcome(True)
    return Outcome(False, str(condition), "; ".join(dict.fromkeys(one.saw for one in failed)))


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return "nothing" if value is None else str(value)


def _holds(test: Comparison, saw: Value, at: datetime) -> bool:
    wanted, operator = test.value, test.operator
    if operator == "exists":
        return (saw is not None) == wanted
    if saw is None:
        return operator in {"ne", "not_in"}
    if isinstance(wanted, tuple):
        return any(_same(saw, one) for one in wanted) == (operator == "in")
    if isinstance(wanted, bool):
        return saw is wanted
    if isinstance(wanted, int):
        moment = _moment(saw)
        return moment is not None and (at - moment <= timedelta(days=wanted)) == (operator == "within_days")
    return _compares(operator, saw, wanted)


def _compares(operator: str, saw: Value, wanted: str) -> bool:
    if operator in {"eq", "ne"}:
        return _same(saw, wanted) == (operator == "eq")
    if operator in {"contains", "starts_with"}:
        text = _shown(saw).casefold()
        return wanted.casefold() in text if operator == "contains" else text.startswith(wanted.casefold())
    if operator in {"before", "after"}:
        moment, limit = _moment(saw), _moment(wanted)
        return bool(moment and limit and ((moment < limit) if operator == "before" else (moment >= limit)))
    number, limit_number = _number(saw), _number(wanted)
    if number is None or limit_number is None:
        return False
    return {
        "gt": number > limit_number,
        "gte": number >= limit_number,
        "lt": number < limit_number,
        "lte": number <= limit_number,
    }[operator]


def _same(saw: Value, wanted: str) -> bool:
    if isinstance(saw, bool):
        return _shown(saw) == wanted.lower()
    number, other = _number(saw), _number(wanted)
    if number is not None and other is not None:
        return number == other
    return _shown(saw).casefold() == wanted.casefold()
