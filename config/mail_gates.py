"""Who is asked again before a mail of some kind leaves: the limits of its app hold at that moment, too."""

from messaging.gates import Gate
from surveys.queries import LETTER_KIND, REMINDER_KIND
from surveys.services.leaving import object_to_letter, object_to_reminder

MAIL_GATES: dict[str, Gate] = {LETTER_KIND: object_to_letter, REMINDER_KIND: object_to_reminder}
