"""Running experiments, and keeping who has been shown what."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import clocks
from core.dispatch import publish
from core.errors import Refused
from core.periods import local_day
from referrals.events import LinksExposed
from referrals.experiments import Arm, problems_of
from referrals.models import Experiment, Exposure, Link, Variant
from referrals.queries.sharing import ShareCard, share_cards


class NotReady(Refused):
    """An experiment whose variants cannot be compared; `detail` says why."""

    code = "experiment_not_ready"
    status = 422


class WrongState(Refused):
    """An experiment that has begun already, or does not run."""

    code = "experiment_state"


class AnotherRuns(Refused):
    """The program has a running experiment on the same thing."""

    code = "another_experiment_runs"


@transaction.atomic
def lock_draft(*, experiment: Experiment) -> Experiment:
    """Return the experiment, kept from starting until the transaction ends. Raises `WrongState` once it has begun."""
    found = Experiment.objects.select_for_update().filter(pk=experiment.pk, state=Experiment.State.DRAFT).first()
    if found is None:
        raise WrongState("it has begun: from then on nothing of it changes")
    return found


@transaction.atomic
def start_experiment(*, experiment: Experiment, expected: str, at: datetime) -> Experiment:
    """Let the experiment run from now on. Raises `WrongState`, `NotReady`, `AnotherRuns`."""
    draft = lock_draft(experiment=experiment)
    if problems := experiment_problems(draft):
        raise NotReady("; ".join(problems))
    state = {"state": Experiment.State.RUNNING, "started_at": at, "expected": expected[:200]}
    try:
        with transaction.atomic():
            Experiment.objects.filter(pk=draft.pk, state=Experiment.State.DRAFT).update(**state)
    except IntegrityError:
        raise AnotherRuns(f"{draft.program} already tries something about {draft.get_subject_display()}") from None
    experiment.refresh_from_db()
    return experiment


@transaction.atomic
def end_experiment(*, experiment: Experiment, learnt: str, at: datetime) -> Experiment:
    """End it: everybody sees again what is shown without it. Raises `WrongState` where it does not run."""
    state = {"state": Experiment.State.ENDED, "ended_at": at, "learnt": learnt[:200]}
    if Experiment.objects.filter(pk=experiment.pk, state=Experiment.State.RUNNING).update(**state) != 1:
        raise WrongState("it does not run")
    experiment.refresh_from_db()
    return experiment


def experiment_problems(experiment: Experiment) -> list[str]:
    """Return why the experiment cannot run as it is, in sentences."""
    pictures = experiment.subject == Experiment.Subject.PICTURE
    arms = [
        Arm(name=one.name, languages=frozenset(one.words), looks=bool(one.colour or one.picture))
        for one in experiment.variants.all()
    ]
    return problems_of(arms, pictures=pictures, languages=[language for language, _ in settings.LANGUAGES])


def show_share_cards(*, links: Iterable[Link], placement: str, at: datetime) -> list[ShareCard]:
    """Return the links as cards for a placement, and keep that their owner was shown what is tried on them."""
    cards = share_cards(links, at=at, placement=placement)
    shown = [(card.link, variant) for card in cards for variant in card.variants]
    note_exposures(shown=shown, placement=placement, at=at)
    return cards


def note_exposures(*, shown: Sequence[tuple[Link, Variant]], placement: str, at: datetime) -> int:
    """Keep the first time each link's owner was shown a variant of an experiment; return how many were new."""
    if not shown:
        return 0
    experiments, people = {one.experiment_id for _, one in shown}, {link.customer_id for link, _ in shown}
    known = Exposure.objects.filter(experiment__in=experiments, customer__in=people)
    seen = set(known.values_list("experiment_id", "customer_id"))
    fresh = [
        Exposure(
            experiment_id=variant.experiment_id,
            variant=variant,
            customer_id=link.customer_id,
            link=link,
            at=at,
            placement=placement,
        )
        for link, variant in shown
        if (variant.experiment_id, link.customer_id) not in seen
    ]
    if fresh:
        _keep(fresh, at)
    return len(fresh)


@transaction.atomic
def _keep(fresh: Sequence[Exposure], at: datetime) -> None:
    Exposure.objects.bulk_create(fresh, ignore_conflicts=True)
    publish(LinksExposed(subject=f"link:{fresh[0].link_id}", days=tuple(_days_since(at))))


def _days_since(at: datetime) -> Iterable[str]:
    """Return the days on which something may have happened since: one, unless it is told late."""
    zone = timezone.get_default_timezone()
    first, last = local_day(at, zone), local_day(clocks.now(), zone)
    return [(first + timedelta(days=n)).isoformat() for n in range(max((last - first).days, 0) + 1)]
