"""Where other systems report by themselves: signature first, stored once, answered at once."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.api.parsers import BODY_TOO_LARGE, MAX_BODY_BYTES
from core.api.problems import Problem, problem_of
from core.errors import Refused
from referrals.models import Source
from referrals.services.inbound import receive_call
from referrals.sources.woocommerce import is_ping

_UNKNOWN = Problem(status=404, code="not_found", detail="No such source, or it is switched off.")


@csrf_exempt
@require_POST
def receive(request: HttpRequest, kind: str, source: str) -> HttpResponse:
    """Answer 200 once the call is stored, also where it was before; 401 for a wrong signature, 413 over 1 MB."""
    body = _read(request)
    if body is None:
        return BODY_TOO_LARGE.as_response()
    row = Source.objects.filter(kind=kind, slug=source, active=True).first() if "\x00" not in source else None
    if row is None:
        return _UNKNOWN.as_response()
    if row.kind == Source.Kind.WOOCOMMERCE and is_ping(body):
        return JsonResponse({"status": "pong"})
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        received = receive_call(source=row, headers=headers, body=body, at=timezone.now())
    except Refused as refusal:
        problem = problem_of(refusal)
        return problem.as_response() if problem else HttpResponse(status=refusal.status)
    return JsonResponse({"id": received.call.public_id, "status": "duplicate" if received.duplicate else "accepted"})


def _read(request: HttpRequest) -> bytes | None:
    """Return the raw body, or None where it has more than 1 MB: what is announced and what arrives are both checked."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if str(announced).isdigit() and int(announced) > MAX_BODY_BYTES:
        return None
    body = request.read(MAX_BODY_BYTES + 1)
    return body if len(body) <= MAX_BODY_BYTES else None
