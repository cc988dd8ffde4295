"""What other apps may ask of messaging."""

from messaging.recipients import Recipient
from messaging.services.history import note_sent_elsewhere
from messaging.services.preferences import set_preference, set_preferences
from messaging.services.queueing import Draft, UnknownKind, queue_message, queue_messages, withdraw_message
from messaging.services.resending import CannotResend, send_again
from messaging.services.retention import forget_contents
from messaging.services.sending import close_expired_leases, deliver_message, send_due

__all__ = [
    "CannotResend",
    "Draft",
    "Recipient",
    "UnknownKind",
    "close_expired_leases",
    "deliver_message",
    "forget_contents",
    "note_sent_elsewhere",
    "queue_message",
    "queue_messages",
    "send_again",
    "send_due",
    "set_preference",
    "set_preferences",
    "withdraw_message",
]
