"""Who may see the numbers: staff whose role lets them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

PERMISSION = "analytics.view_dailyvalue"
Page = Callable[..., HttpResponse]


def staff_page(view: Page) -> Page:
    """Send strangers to the sign-in, hide the page from customers, refuse staff whose role lacks the numbers."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_staff:
            raise Http404
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied(_("Your role does not show the numbers. Ask an administrator."))
        return view(request, *args, **kwargs)

    return guarded
