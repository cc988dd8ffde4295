"""/u/TOKEN: which mails somebody wishes. Reading changes nothing; a POST does, without cookie or sign-in."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from messaging.kinds import PURPOSES
from messaging.queries import current_recipient, wishes_of
from messaging.services import set_preferences
from messaging.tokens import PreferenceToken, read_preference_token

ONE_CLICK = ("List-Unsubscribe", "One-Click")
WORDS = {
    "rewards": (_("Rewards and friends"), _("When a friend joins through you, and when a reward is yours.")),
    "referral_tips": (_("Ideas for sharing"), _("Your link after an order, and now and then how to make more of it.")),
    "surveys": (_("Surveys"), _("One short question now and then.")),
    "news": (_("News and events"), _("What is new, and invitations.")),
}


@never_cache
@csrf_exempt  # the token in the address is the authority; mail programs post without a cookie (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show the choices; save them on POST; unsubscribe at once on a one-click POST."""
    meant = read_preference_token(token)
    if meant is None or meant.purpose not in PURPOSES:
        return render(request, "messaging/public/link_unknown.html", status=404)
    meant = PreferenceToken(current_recipient(meant.recipient_key), meant.purpose)
    if request.method != "POST":
        return _page(request, meant, token)
    if request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]:
        _save(meant, {meant.purpose: False}, source="one-click")
        return HttpResponse(gettext("You have been unsubscribed."), content_type="text/plain; charset=utf-8")
    changed = _save(meant, _wishes(request.POST, meant), source="preferences page")
    done = "&".join(f"{'on' if allowed else 'off'}={purpose}" for purpose, allowed in changed.items())
    return HttpResponseRedirect(f"{reverse('messaging:preferences', args=[token])}?{done or 'same=1'}")


def _wishes(form: QueryDict, meant: PreferenceToken) -> dict[str, bool]:
    """Read the pressed button: nothing at all, this purpose off, one or more back on, or the ticked ones."""
    action = form.get("action", "save")
    if action == "none":
        return dict.fromkeys(PURPOSES, False)
    if action == "stop":
        return {meant.purpose: False}
    if action in {"resume", "undo"}:
        return {purpose: True for purpose in form.getlist("purpose") if purpose in PURPOSES}
    return {purpose: purpose in form.getlist("purpose") for purpose in PURPOSES}


def _save(meant: PreferenceToken, wishes: dict[str, bool], *, source: str) -> dict[str, bool]:
    wording = {purpose: f"{WORDS[purpose][0]}: {WORDS[purpose][1]}" for purpose in wishes}
    return set_preferences(recipient_key=meant.recipient_key, wishes=wishes, source=source, wording=wording)


def _page(request: HttpRequest, meant: PreferenceToken, token: str) -> HttpResponse:
    wishes = wishes_of(meant.recipient_key)
    choices = [
        {"purpose": purpose, "title": WORDS[purpose][0], "text": WORDS[purpose][1], "on": wishes[purpose]}
        for purpose in PURPOSES
    ]
    off = [purpose for purpose in request.GET.getlist("off") if purpose in PURPOSES and not wishes[purpose]]
    on = [purpose for purpose in request.GET.getlist("on") if purpose in PURPOSES and wishes[purpose]]
    return render(
        request,
        "messaging/public/preferences.html",
        {
            "token": token,
            "choices": choices,
            "this": {"purpose": meant.purpose, "title": WORDS[meant.purpose][0], "on": wishes[meant.purpose]},
            "stopped": [{"purpose": purpose, "title": WORDS[purpose][0]} for purpose in off],
            "resumed": [WORDS[purpose][0] for purpose in on],
            "same": "same" in request.GET,
            "any_on": any(wishes.values()),
        },
    )
