"""Who may see the staff pages of rewards; and from what a stranger sends to the row they may see."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core.errors import NotFound
from rewards.invitation_tokens import public_id_of
from rewards.models import EventInvitation, PerkEvent

Page = Callable[..., HttpResponse]

SEE_PROGRAMS = "referrals.view_program"
CHANGE_PROGRAMS = "referrals.change_program"


def staff_may(permission: str) -> Callable[[Page], Page]:
    """Send strangers to the sign-in, hide the page from customers, refuse staff whose role lacks `permission`."""

    def guard(view: Page) -> Page:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.is_staff:
                raise Http404
            if not request.user.has_perm(permission):
                raise PermissionDenied(_("Your role does not include this page. Ask an administrator."))
            return view(request, *args, **kwargs)

        return guarded

    return guard


def invitation_of_token(token: str) -> EventInvitation:
    """Return the invitation a signed link names; `NotFound` for anything that was never sent to anybody."""
    public_id = public_id_of(token)
    found = (
        EventInvitation.objects.select_related("event", "customer")
        .exclude(event__state=PerkEvent.State.DRAFT)
        .filter(public_id=public_id, customer__erased_at=None)
        .first()
        if public_id
        else None
    )
    if found is None:
        raise NotFound("This link does not lead to an invitation.")
    return found
