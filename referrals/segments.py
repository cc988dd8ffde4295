"""Segments: which customers a saved condition means, over the fields that each app registers. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.conditions import Condition, Fields, Value, evaluate, fields_of
from referrals.program_promises import read_when
from referrals.yaml_nodes import NodeReader

ANY = ".*"


@dataclass(frozen=True, slots=True)
class SegmentField:
    """One thing to ask of a customer.

    `kind` is one of `referrals.conditions.OPERATORS`; `values` returns what is known of the customers with the
    given primary keys, in a fixed number of queries. Who is left out of it counts as unknown.
    """

    name: str
    kind: str
    title: str
    values: Callable[[Sequence[int]], Mapping[int, Value]]


@dataclass(frozen=True, slots=True)
class SegmentFamily:
    """All things to ask whose names begin alike: `name` ends in `.*`.

    `values` is given the customers' primary keys and the wanted endings, and returns values by ending for each.
    """

    name: str
    kind: str
    title: str
    values: Callable[[Sequence[int], Collection[str]], Mapping[int, Mapping[str, Value]]]

    @property
    def prefix(self) -> str:
        """What the names of the family begin with, its dot included."""
        return self.name[: -len(ANY) + 1]


Registered = SegmentField | SegmentFamily


class SegmentTextRefused(ValueError):
    """A definition with problems: each is a line number and what was expected there."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {message}" for line, message in problems))
        self.problems = list(problems)


def grammar_of(fields: Collection[Registered]) -> Fields:
    """Return the names and kinds that a segment's condition may use."""
    return {field.name: field.kind for field in fields}


def read_segment(text: str, fields: Fields) -> Condition:
    """Return the condition that YAML or JSON text describes; `SegmentTextRefused` names every wrong line."""
    reader = NodeReader("line")
    node = reader.compose(text)
    condition = read_when(reader, node, fields) if node is not None else None
    if condition is None and not reader.problems:
        reader.refuse(None, "expected a condition, such as orders.count: {gte: 2}")
    if reader.problems or condition is None:
        raise SegmentTextRefused([(problem.line, problem.message) for problem in reader.problems])
    return condition


def values_of(
    condition: Condition, fields: Collection[Registered], pks: Sequence[int]
) -> Mapping[int, Mapping[str, Value]]:
    """Return what the condition asks of each customer: every field once for all of them."""
    found: dict[int, dict[str, Value]] = {pk: {} for pk in pks}
    asked = fields_of(condition)
    named = {field.name for field in fields}
    for field in fields:
        if isinstance(field, SegmentField):
            _keep_one(found, field, pks, wanted=field.name in asked)
        else:
            _keep_family(found, field, pks, {name for name in asked - named if name.startswith(field.prefix)})
    return found


def _keep_one(found: dict[int, dict[str, Value]], field: SegmentField, pks: Sequence[int], *, wanted: bool) -> None:
    if wanted:
        for pk, value in field.values(pks).items():
            found[pk][field.name] = value


def _keep_family(
    found: dict[int, dict[str, Value]], family: SegmentFamily, pks: Sequence[int], names: Collection[str]
) -> None:
    if names:
        endings = {name.removeprefix(family.prefix) for name in names}
        for pk, values in family.values(pks, endings).items():
            found[pk] |= {f"{family.prefix}{ending}": value for ending, value in values.items()}


def matching(
    condition: Condition, fields: Collection[Registered], pks: Sequence[int], *, at: datetime
) -> Iterator[int]:
    """Return which of the customers the condition means at `at`, in the order given."""
    values = values_of(condition, fields, pks)
    return (pk for pk in pks if evaluate(condition, values[pk], at=at).holds)
