"""What customers chose of several rewards."""

from django.db.models import Sum

from rewards.models import Fulfilment, Reward

_OVER = (Fulfilment.State.STOPPED, Fulfilment.State.TAKE_BACK)


def chosen_points(program: int) -> int:
    """Return the points that were chosen in the program and not taken back; they count for its budget (rule 11)."""
    chosen = Fulfilment.objects.filter(kind="points", reward__program=program, reward__state__in=Reward.STANDING)
    return int(chosen.exclude(state__in=_OVER).aggregate(total=Sum("points"))["total"] or 0)
