"""Reading programs: what they promise and whether they run, at any instant."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.utils import timezone

from core import clocks
from core.periods import local_day
from referrals.models import Offer, Program, ProgramStatus
from referrals.program_file import ProgramDocument
from referrals.terms import Terms, terms_from_json


def running_programs(at: datetime | None = None) -> QuerySet[Program]:
    """Return the programs that run at `at` (default: now), by slug."""
    at = at or clocks.now()
    day = local_day(at, timezone.get_default_timezone())
    then = ProgramStatus.objects.filter(Q(at=None) | Q(at__lte=at), program=OuterRef("pk"))
    status = then.order_by(F("at").desc(nulls_last=True), "-pk").values("status")[:1]
    return (
        Program.objects.annotate(status_then=Subquery(status))
        .filter(Q(starts=None) | Q(starts__lte=day), Q(ends=None) | Q(ends__gt=day), status_then=Program.Status.ACTIVE)
        .order_by("slug")
    )


def programs_with_audiences(at: datetime | None = None) -> QuerySet[Program]:
    """Return the programs that run at `at` (default: now), by slug, each with `audience`: a segment's slug or ''."""
    newest = Offer.objects.filter(program=OuterRef("pk")).order_by("-number")
    return running_programs(at).annotate(
        audience=Subquery(newest.annotate(word=KT("terms__audience")).values("word")[:1])
    )


def program_runs_at(program: Program, instant: datetime) -> bool:
    """Tell whether the program was active at `instant` and `starts` <= its day < `ends` (installation zone).

    Reads `program.statuses`: prefetch them to ask often without a query.
    """
    day = local_day(instant, timezone.get_default_timezone())
    if program.starts is not None and day < program.starts:
        return False
    if program.ends is not None and day >= program.ends:
        return False
    return _status_at(program.statuses.all(), instant) == Program.Status.ACTIVE


def _status_at(statuses: Iterable[ProgramStatus], instant: datetime) -> str:
    past = [row for row in statuses if row.at is None or row.at <= instant]
    past.sort(key=lambda row: (row.at is not None, row.at or instant, row.pk))
    return past[-1].status if past else Program.Status.DRAFT


def offer_live_at(program: Program, instant: datetime) -> Offer:
    """Return the offer that was live at `instant`; the first one is live since ever.

    Reads `program.offers`: prefetch them to ask often without a query.
    """
    offers = [offer for offer in program.offers.all() if not offer.is_settled]
    past = [offer for offer in offers if offer.live_from is None or offer.live_from <= instant]
    return max(past, key=lambda offer: (offer.live_from is not None, offer.live_from or instant, offer.number))


def current_offer(program: Program) -> Offer:
    """Return the offer published last."""
    return max(program.offers.all(), key=lambda offer: offer.number)


def settled_offer(program: Program) -> Offer:
    """Return the offer of referrals that a former tool rewarded; `ensure_settled_offer` has made it before."""
    return next(offer for offer in program.offers.all() if offer.is_settled)


def terms_of(offer: Offer) -> Terms:
    """Return what the offer promises."""
    return terms_from_json(offer.terms)


def document_of(program: Program) -> ProgramDocument:
    """Return the program as its file would say it now."""
    return ProgramDocument(
        slug=program.slug,
        name=program.name,
        status=program.status,
        landing_url=program.landing_url,
        allowed_landing_hosts=tuple(program.allowed_landing_hosts),
        starts=program.starts,
        ends=program.ends,
        terms=terms_of(current_offer(program)),
    )


def find_document(slug: str) -> ProgramDocument | None:
    """Return the document of the program with that slug, or None."""
    program = Program.objects.prefetch_related("offers").filter(slug=slug).first()
    return document_of(program) if program is not None else None
