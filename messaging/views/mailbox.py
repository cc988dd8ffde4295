"""/mails/: what would have been sent, readable where mails go to a folder."""

from itertools import islice

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from messaging.access import mailbox_of
from messaging.mailbox import StoredMail, count_mails, mail_heads, read_mail

PAGE_SIZE = 30
# A mail may style itself and link out of its frame; it may run nothing and fetch nothing but this site's images.
FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data: https:; frame-ancestors 'self'; form-action 'none'"
)


@never_cache
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """List the mails, newest first, searchable."""
    folder = mailbox_of(request)
    search = request.GET.get("q", "").strip()[:100]
    page = _page_number(request)
    found = list(islice(mail_heads(folder, search=search), (page - 1) * PAGE_SIZE, page * PAGE_SIZE + 1))
    context = {
        "mails": found[:PAGE_SIZE],
        "search": search,
        "page": page,
        "earlier": page - 1 if page > 1 else None,
        "later": page + 1 if len(found) > PAGE_SIZE else None,
        "total": count_mails(folder),
    }
    return render(request, "messaging/staff/mails.html", context)


@never_cache
@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail: its headers, how it looks, its text part."""
    return render(request, "messaging/staff/mail.html", {"mail": _load(request, name)})


@never_cache
@require_safe
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Return a mail's HTML part for a sandboxed frame; its links open in a new tab."""
    html = _load(request, name).html.replace("<head>", '<head><base target="_blank">', 1)
    headers = {"Content-Security-Policy": FRAME_POLICY, "Referrer-Policy": "no-referrer"}
    return HttpResponse(html, headers=headers)


def _load(request: HttpRequest, name: str) -> StoredMail:
    found = read_mail(mailbox_of(request), name)
    if found is None:
        raise Http404
    return found


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1
