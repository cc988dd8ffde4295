"""Staff see one redemption from the points to what came of it, and undo it with a reason."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import staff_may
from core.errors import Refused
from rewards.models import Redemption
from rewards.services.redeeming import cancel_redemption, fail_redemption, fulfil_redemption

State = Redemption.State
Do = Callable[..., Any]
STEPS: dict[str, tuple[str, tuple[str, ...], Do]] = {
    "fulfil": ("Handed over", (State.PLACED,), fulfil_redemption),
    "cancel": ("Undo, points go back", Redemption.STANDING, partial(cancel_redemption, even_fulfilled=True)),
    "fail": ("Cannot be delivered", (State.PLACED,), fail_redemption),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_may("rewards.view_redemption", post="rewards.change_redemption")
def show_redemption_story(request: HttpRequest, redemption_id: str) -> HttpResponse:
    """Show one redemption with all its steps; a POST takes one more, with a reason."""
    if not request.user.has_perm("referrals.view_customer"):
        raise PermissionDenied
    redemption = Redemption.objects.select_related("customer").filter(public_id=redemption_id).first()
    if redemption is None:
        raise Http404
    if request.method == "POST":
        _take_step(request, redemption)
        return redirect("redemption_story", redemption_id)
    decides = request.user.has_perm("rewards.change_redemption")
    context = {
        **admin.site.each_context(request),
        "title": f"{redemption.customer}: {redemption.title}",
        "redemption": redemption,
        "steps": [(key, title) for key, (title, at, _) in STEPS.items() if decides and redemption.state in at],
        "story": redemption.steps.order_by("pk"),
        "coupons": redemption.coupons.order_by("pk"),
        "sees_fields": request.user.has_perm("rewards.view_redemption"),
    }
    return render(request, "admin_find/redemption.html", context)


def _take_step(request: HttpRequest, redemption: Redemption) -> None:
    told = request.POST.get("reason", "").strip()[:200]
    step = request.POST.get("step", "")
    if step not in STEPS:
        raise Http404
    if not told:
        messages.error(request, "Say why.")
        return
    title, _, do = STEPS[step]
    words = {"outcome" if step == "fulfil" else "reason": told}
    try:
        do(redemption=redemption, actor=str(request.user), at=timezone.now(), **words)
    except Refused as refusal:
        messages.warning(request, refusal.detail)
    else:
        messages.success(request, f"{title}: done. The customer is told, in your words.")
