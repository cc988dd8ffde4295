"""Who is asked again before a mail of some kind leaves: the limits of its app hold at that moment, too."""

from messaging.gates import Gate

MAIL_GATES: dict[str, Gate] = {}
