"""Staff find anybody by anything, and see a referral's whole story with what can be taken back of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import Refused
from referrals.models import Referral
from referrals.services.lifecycle import reopen_referral, void_referral
from referrals.services.review import approve_referral, hold_referral
from rewards.models import Reward
from rewards.queries.explain import tell_whole_story
from rewards.queries.finding import find_anything
from rewards.services.reviewing import approve_reward, cancel_reward, hold_reward, reopen_reward, revoke_reward

SEES = ("referrals.view_customer", "referrals.view_referral")
_OFF = (Reward.State.CANCELLED, Reward.State.REVOKED)


@dataclass(frozen=True, slots=True)
class Step:
    """What staff can do to a reward, with a reason: where it is offered, and the service that does it."""

    title: str
    fits: Callable[[Reward], bool]
    do: Callable[..., Any]


STEPS: dict[str, Step] = {
    "approve": Step("Let it go", lambda one: _waits(one), approve_reward),
    "hold": Step("Hold", lambda one: one.state == Reward.State.PENDING and not one.held, hold_reward),
    "cancel": Step("Cancel", lambda one: one.state == Reward.State.PENDING, cancel_reward),
    "revoke": Step("Take back", lambda one: one.state in Reward.STANDING[1:], revoke_reward),
    "reopen": Step("Decide anew", lambda one: _reopens(one), reopen_reward),
}


REFERRAL_STEPS: dict[str, tuple[Callable[..., Any], str]] = {
    "reopen": (reopen_referral, "Reopened: judged anew by what the friend bought."),
    "approve": (approve_referral, "Let go: it is what the friend's orders make it."),
    "hold": (hold_referral, "Held: nothing of it is released until somebody has looked at it."),
}


@require_safe
@never_cache
@login_required
def find(request: HttpRequest) -> HttpResponse:
    """Find people and referrals by `?q=`."""
    _refuse_strangers(request)
    wanted = request.GET.get("q", "").strip()[:200]
    context = {
        **admin.site.each_context(request),
        "title": "Find anybody",
        "wanted": wanted,
        "found": find_anything(wanted) if wanted else None,
    }
    return render(request, "admin_find/find.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def show_story(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Show one referral from the shared link to the mails; a POST takes one step with a reason."""
    _refuse_strangers(request)
    related = ("program", "offer", "advocate", "friend", "click")
    referral = Referral.objects.select_related(*related).filter(public_id=referral_id).first()
    if referral is None:
        raise Http404
    if request.method == "POST":
        _take_step(request, referral)
        return redirect("story", referral_id)
    return render(request, "admin_find/story.html", _story(request, referral))


def _refuse_strangers(request: HttpRequest) -> None:
    user = request.user
    if not user.is_staff:
        raise Http404
    if not user.has_perms(SEES):
        raise PermissionDenied


def _story(request: HttpRequest, referral: Referral) -> dict[str, Any]:
    rewards = Reward.objects.filter(referral=referral).select_related("recipient", "referral").order_by("pk")
    return {
        **admin.site.each_context(request),
        "title": f"{referral.advocate} → {referral.friend}",
        "referral": referral,
        "story": tell_whole_story(referral),
        "rewards": [
            (reward, [(key, step.title) for key, step in STEPS.items() if step.fits(reward)]) for reward in rewards
        ],
        "decides_referral": request.user.has_perm("referrals.change_referral"),
        "decides_rewards": request.user.has_perm("rewards.change_reward"),
        "steps": _steps_of(referral),
    }


def _take_step(request: HttpRequest, referral: Referral) -> None:
    reason = request.POST.get("reason", "").strip()[:200]
    if not reason:
        messages.error(request, "Say why.")
        return
    words = {"note": reason, "actor": str(request.user), "at": timezone.now()}
    try:
        done = _do(request, referral, request.POST.get("step", ""), words)
    except Refused as refusal:
        messages.warning(request, refusal.detail)
    else:
        messages.success(request, done)


def _do(request: HttpRequest, referral: Referral, step: str, words: dict[str, Any]) -> str:
    if public_id := request.POST.get("reward"):
        return _do_to_reward(request, referral, public_id, step, words)
    if not request.user.has_perm("referrals.change_referral"):
        raise PermissionDenied
    if step == "void":
        void_referral(referral=referral, reason=request.POST.get("kind", "manual"), **words)
        return "Voided: everything it earned went back."
    if step in REFERRAL_STEPS:
        service, done = REFERRAL_STEPS[step]
        service(referral=referral, **words)
        return done
    raise Http404


def _do_to_reward(request: HttpRequest, referral: Referral, public_id: str, step: str, words: dict[str, Any]) -> str:
    if not request.user.has_perm("rewards.change_reward"):
        raise PermissionDenied
    reward = Reward.objects.filter(referral=referral, public_id=public_id).first()
    if reward is None or step not in STEPS:
        raise Http404
    STEPS[step].do(reward=reward, **words)
    return f"{STEPS[step].title}: done."


def _waits(reward: Reward) -> bool:
    checked = reward.referral is not None and _is_held(reward.referral)
    return reward.state == Reward.State.PENDING and (reward.held or (checked and not reward.cleared))


def _is_held(referral: Referral) -> bool:
    return referral.held or referral.state == Referral.State.FLAGGED


def _steps_of(referral: Referral) -> list[tuple[str, str]]:
    """Return the steps that staff can take with the referral: their name and title."""
    if referral.state == Referral.State.VOIDED:
        return [("reopen", "Reopen")]
    if _is_held(referral):
        return [("approve", "Let it go"), ("void", "Void")]
    may_hold = referral.state in (Referral.State.SIGNED_UP, Referral.State.QUALIFIED)
    return [("hold", "Hold"), ("void", "Void")] if may_hold else [("void", "Void")]


def _reopens(reward: Reward) -> bool:
    refused = reward.state == Reward.State.REFUSED and reward.reason != "reopened"
    return refused or (reward.state in _OFF and reward.reason == "by_staff")
