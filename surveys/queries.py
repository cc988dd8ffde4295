"""Reading surveys: who is who, what was asked, and the numbers."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from core.periods import start_of_day
from messaging.kinds import KINDS
from messaging.models import Message
from messaging.queries import refusals_of
from referrals.models import Customer
from surveys.eligibility import Contact, History, Hours, Reason, Throttle
from surveys.models import Invitation, Response, Survey, SurveyVersion
from surveys.satisfaction import ENOUGH, csat_interval, csat_of, mean_interval, mean_of
from surveys.scales import CSAT, NPS, SCALES
from surveys.scoring import Tally, nps_interval, nps_of, tally_of

LETTER_KIND = "survey_invitation"
REMINDER_KIND = "survey_reminder"
_ACTIVE = (Response.State.PROVISIONAL, Response.State.CONFIRMED)


def current_version(survey: Survey) -> SurveyVersion:
    """Return the wording that is asked now."""
    return survey.versions.latest("number")


def person_of(customer: Customer) -> QuerySet[Customer]:
    """Return the customers who are this person to a mailbox: the same row or the same address."""
    same = Q(pk=customer.pk)
    if customer.email_normalized:
        same |= Q(email_normalized=customer.email_normalized)
    return Customer.objects.filter(same)


def contact_of(customer: Customer) -> Contact:
    """Return whether the customer can and wants to be written to about surveys."""
    if customer.erased_at is not None or not customer.email:
        return Contact(erased=customer.erased_at is not None, has_email=bool(customer.email))
    key = recipient_key(customer)
    refusals = refusals_of(keys=[key], emails=[customer.email])
    reason = refusals.reason(key=key, email=customer.email, kind=KINDS[LETTER_KIND])
    return Contact(suppressed=reason == Reason.SUPPRESSED, unsubscribed=reason == Reason.UNSUBSCRIBED)


def recipient_key(customer: Customer) -> str:
    """Return the customer's identity among recipients."""
    return f"customer:{customer.pk}"


def cause_of(invitation: Invitation) -> str:
    """Return the name under which the mail of this invitation is kept."""
    return f"invitation:{invitation.public_id}"


def sent_at_of(invitation: Invitation) -> datetime | None:
    """Return when the invitation's latest mail left, None where that is not known or one is just leaving."""
    letters = Message.objects.filter(kind__in=(LETTER_KIND, REMINDER_KIND), cause=cause_of(invitation))
    found = letters.aggregate(latest=Max("sent_at"), leaving=Count("pk", filter=Q(state=Message.State.SENDING)))
    return None if found["leaving"] else found["latest"] or invitation.sent_at


def history_of(customer: Customer, *, leaving: Invitation | None = None, at: datetime | None = None) -> History:
    """Return when the person was last asked, last left it unanswered and last answered, over all surveys.

    For a mail that is `leaving` at `at`: without its invitation, and without those that are to leave later.
    """
    asked = Invitation.objects.filter(customer__in=person_of(customer)).exclude(state=Invitation.State.NOT_ASKED)
    if leaving is not None:
        asked = asked.exclude(Q(pk=leaving.pk) | Q(state=Invitation.State.PLANNED, send_at__gt=at))
    found = asked.aggregate(
        answered_at=Max("responses__at", filter=Q(responses__state__in=_ACTIVE)),
        unanswered_at=Max("send_at", filter=~Q(state=Invitation.State.ANSWERED)),
        asked_at=Max("send_at"),
        reminded_at=Max("reminded_at"),
    )
    asked_at = max(filter(None, (found["asked_at"], found.pop("reminded_at"))), default=None)
    return History(**found | {"asked_at": asked_at})


def throttle_of(survey: Survey) -> Throttle:
    """Return the survey's limits."""
    return Throttle(
        after_answer=timedelta(days=survey.days_after_answer),
        after_silence=timedelta(days=survey.days_after_silence),
        between=timedelta(hours=survey.hours_between),
    )


def mails_by_day(survey: Survey, *, start: datetime, zone: ZoneInfo) -> Counter[date]:
    """Return how many invitations of the survey leave or have left on each day from `start` on."""
    asked = survey.invitations.filter(send_at__gte=start).exclude(state=Invitation.State.NOT_ASKED)
    rows = (
        asked.annotate(day=TruncDate("send_at", tzinfo=zone)).values_list("day").annotate(Count("pk")).order_by("day")
    )
    return Counter(dict(rows))


def hours_of(survey: Survey) -> Hours:
    """Return when mails of the survey may leave."""
    return Hours(survey.write_from, survey.write_until, survey.weekdays_only)


def zone_of(customer: Customer) -> ZoneInfo:
    """Return the customer's time zone, the installation's where theirs is not known."""
    try:
        return ZoneInfo(customer.time_zone or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def active_response(invitation: Invitation) -> Response | None:
    """Return the answer that stands, if there is one."""
    return Response.objects.filter(invitation=invitation, state__in=_ACTIVE).first()


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """The latest confirmed answer per person in a range, how many gave each score of the `kind`'s scale.

    `bots` and `provisional` are beside it, not in it.
    """

    kind: str
    counts: dict[int, int]
    bots: int = 0
    provisional: int = 0

    @property
    def n(self) -> int:
        """How many answered."""
        return sum(self.counts.values())

    @property
    def enough(self) -> bool:
        """Whether there are enough answers to speak of a score."""
        return self.n >= ENOUGH

    @property
    def tally(self) -> Tally:
        """Promoters, passives and detractors; meaningful on 0–10 only."""
        return tally_of(self.counts)

    @property
    def score(self) -> int | float | None:
        """Net Promoter Score, percent satisfied, or mean effort score; None without answers."""
        if self.kind == NPS:
            return nps_of(self.tally)
        return csat_of(self.counts) if self.kind == CSAT else mean_of(self.counts)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the score; None where there are too few answers for one."""
        if self.kind == NPS:
            return nps_interval(self.tally)
        scale = SCALES[self.kind]
        return (
            csat_interval(self.counts)
            if self.kind == CSAT
            else mean_interval(self.counts, low=scale.low, high=scale.high)
        )


def latest_answers(*, survey: Survey, start: datetime | None = None, end: datetime | None = None) -> QuerySet[Response]:
    """Return each person's latest confirmed numeric answer within [start, end)."""
    counted = _within(start, end).filter(survey=survey, state=Response.State.CONFIRMED, score__isnull=False)
    later = counted.filter(customer=OuterRef("customer")).filter(
        Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    )
    return counted.filter(~Exists(later))


def score_between(*, survey: Survey, start: datetime | None = None, end: datetime | None = None) -> ScoreReport:
    """Return the survey's score within [start, end)."""
    counts = latest_answers(survey=survey, start=start, end=end).values_list("score").annotate(Count("pk"))
    beside = (
        _within(start, end)
        .filter(survey=survey)
        .aggregate(
            bots=Count("pk", filter=Q(state=Response.State.DISCARDED)),
            provisional=Count("pk", filter=Q(state=Response.State.PROVISIONAL)),
        )
    )
    return ScoreReport(survey.kind, dict(counts), **beside)


def _within(start: datetime | None, end: datetime | None) -> QuerySet[Response]:
    found = Response.objects.all()
    if start is not None:
        found = found.filter(at__gte=start)
    return found.filter(at__lt=end) if end is not None else found


@dataclass(frozen=True, slots=True)
class ScoreOfDays:
    """The score of the days from `start` (inclusive) to `end` (exclusive)."""

    start: date
    end: date
    report: ScoreReport


def score_by_period(*, survey: Survey, start: date, end: date, by: str, zone: ZoneInfo) -> list[ScoreOfDays]:
    """Return the score of each day, week (from Monday) or month in [start, end), empty ones included."""
    cuts = _cuts(start, end, by)
    spans = pairwise(cuts)
    return [
        ScoreOfDays(
            first,
            last,
            score_between(survey=survey, start=start_of_day(first, zone), end=start_of_day(last, zone)),
        )
        for first, last in spans
    ]


def _cuts(start: date, end: date, by: str) -> list[date]:
    cuts = [start]
    while cuts[-1] < end:
        cuts.append(min(end, _next_cut(cuts[-1], by)))
    return cuts


def _next_cut(day: date, by: str) -> date:
    if by == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    if by == "week":
        return day + timedelta(days=7 - day.weekday())
    return day + timedelta(days=1)
