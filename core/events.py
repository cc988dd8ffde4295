"""Domain events: facts that other apps may react to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact in ids and plain JSON values.

    `subject` names what the fact is about ('event:12'), so that one can ask whether all that
    follows from it has settled; whoever publishes in reaction to an event passes its subject on.
    """

    subject: str
