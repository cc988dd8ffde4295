"""Who may be asked, and when next: limits by person over all surveys."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

_SATURDAY = 5


class Reason:
    """Why somebody is not asked; stable codes."""

    ERASED = "erased"
    NO_EMAIL = "no_email"
    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    THROTTLED = "throttled"
    INACTIVE = "survey_inactive"
    UNDELIVERED = "undelivered"
    NOT_SAMPLED = "not_sampled"
    NOT_IN_SEGMENT = "not_in_segment"
    TOO_LATE = "too_late"
    DAILY_CAP = "daily_cap"


class Limits(Enum):
    """Which limits hold: all of them, only the pause between two mails, or none but the person's own wishes."""

    ALL = "all"
    PAUSE = "pause"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Throttle:
    """The least time between two questions to one person."""

    after_answer: timedelta = timedelta(days=90)
    after_silence: timedelta = timedelta(days=30)
    between: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Hours:
    """When mails may leave: the hours from `start` to before `end` of the person's day, on weekdays only or on all."""

    start: int = 0
    end: int = 24
    weekdays_only: bool = False

    def next_open(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return `at` where it lies within the hours, else the first moment after it that does."""
        local = at.astimezone(zone)
        day = local.date()
        if self._takes(day) and self.start <= local.hour < self.end:
            return at
        if not self._takes(day) or local.hour >= self.end:
            day = next(one for one in (day + timedelta(days=ahead) for ahead in range(1, 4)) if self._takes(one))
        return datetime.combine(day, time(self.start), zone).astimezone(at.tzinfo)

    def _takes(self, day: date) -> bool:
        return not self.weekdays_only or day.weekday() < _SATURDAY


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether and why not a person can be written to."""

    erased: bool = False
    has_email: bool = True
    suppressed: bool = False
    unsubscribed: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The latest moments of each kind in what a person was asked, over all surveys."""

    answered_at: datetime | None = None
    unanswered_at: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody is asked: `reason` is empty if so; `next_at` is the first moment at which they may be."""

    reason: str = ""
    next_at: datetime | None = None

    @property
    def asked(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reason


def judge(*, contact: Contact, history: History, throttle: Throttle, limits: Limits, at: datetime) -> Verdict:
    """Return whether a question may reach the person at `at`; no force overrides what the person wants."""
    reason = _unreachable(contact)
    if reason:
        return Verdict(reason)
    next_at = next_allowed(history=history, throttle=throttle, limits=limits)
    if next_at is not None and at < next_at:
        return Verdict(Reason.THROTTLED, next_at)
    return Verdict()


def next_allowed(*, history: History, throttle: Throttle, limits: Limits) -> datetime | None:
    """Return the first moment at which no limit is left; None where none ever held."""
    pauses: list[tuple[datetime | None, timedelta]] = []
    if limits is not Limits.NONE:
        pauses.append((history.asked_at, throttle.between))
    if limits is Limits.ALL:
        pauses.append((history.answered_at, throttle.after_answer))
        pauses.append((history.unanswered_at, throttle.after_silence))
    return max((moment + pause for moment, pause in pauses if moment is not None), default=None)


def _unreachable(contact: Contact) -> str:
    if contact.erased:
        return Reason.ERASED
    if not contact.has_email:
        return Reason.NO_EMAIL
    if contact.suppressed:
        return Reason.SUPPRESSED
    return Reason.UNSUBSCRIBED if contact.unsubscribed else ""
