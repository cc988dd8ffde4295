"""Who may see a staff page: strangers sign in, customers see nothing, a role needs the permission."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

Page = Callable[..., HttpResponse]


def staff_may(look: str, *, post: str = "") -> Callable[[Page], Page]:
    """Send strangers to the sign-in, hide the page from customers, refuse staff whose role lacks a permission.

    `look` is needed to see the page, `post` (default: the same) to send its forms, as 'app.codename'.
    """

    def guard(view: Page) -> Page:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.is_staff:
                raise Http404
            if not request.user.has_perm(post if post and request.method == "POST" else look):
                raise PermissionDenied(_("Your role does not include this page. Ask an administrator."))
            return view(request, *args, **kwargs)

        return guarded

    return guard
