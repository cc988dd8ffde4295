"""Webhook endpoints over the API: made, changed, tried out, their log, and replays."""

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.pagination import CursorPages, page_of
from core.api.permissions import ScopeByMethod, scope
from messaging.api.serializers import (
    WebhookDeliveryOut,
    WebhookEndpointChangeIn,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookReplayIn,
    WebhookReplayOut,
    WebhookSecretOut,
)
from messaging.models import WebhookDelivery, WebhookEndpoint
from messaging.services import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    replay_delivery,
    replay_span,
    rotate_endpoint_secret,
    send_test_webhook,
)


def find_endpoint(public_id: str) -> WebhookEndpoint:
    """Return the endpoint or raise `Http404`."""
    endpoint = WebhookEndpoint.objects.filter(public_id=public_id).first()
    if endpoint is None:
        raise Http404(f"No webhook endpoint {public_id!r}.")
    return endpoint


def find_delivery(endpoint: WebhookEndpoint, public_id: str) -> WebhookDelivery:
    """Return the endpoint's delivery or raise `Http404`."""
    delivery = _deliveries(endpoint).filter(public_id=public_id).first()
    if delivery is None:
        raise Http404(f"No delivery {public_id!r} of this endpoint.")
    return delivery


def _deliveries(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    found = WebhookDelivery.objects.filter(endpoint=endpoint)
    return found.select_related("endpoint", "event").prefetch_related("tries")


class WebhookEndpointsView(APIView):
    """All endpoints."""

    permission_classes = [ScopeByMethod]

    @extend_schema(responses=page_of(WebhookEndpointOut))
    def get(self, request: Request) -> Response:
        """List the endpoints, newest first."""
        return CursorPages(request).answer(WebhookEndpoint.objects.all(), WebhookEndpointOut)

    @extend_schema(request=WebhookEndpointIn, responses={201: WebhookSecretOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Make an endpoint; the answer tells its secret, this once. 422 `forbidden_address` for one of the inside."""
        body = WebhookEndpointIn(data=request.data)
        body.is_valid(raise_exception=True)
        endpoint = create_endpoint(**body.validated_data)
        return Response(WebhookSecretOut(endpoint).data, status=201)


class WebhookEndpointView(APIView):
    """One endpoint."""

    permission_classes = [ScopeByMethod]

    @extend_schema(responses=WebhookEndpointOut)
    def get(self, _request: Request, endpoint_id: str) -> Response:
        """Return the endpoint."""
        return Response(WebhookEndpointOut(find_endpoint(endpoint_id)).data)

    @extend_schema(request=WebhookEndpointChangeIn, responses=WebhookEndpointOut)
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Change what is given; `active: true` switches one on again that was switched off."""
        endpoint = find_endpoint(endpoint_id)
        body = WebhookEndpointChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        changed = change_endpoint(endpoint=endpoint, at=timezone.now(), **body.validated_data)
        return Response(WebhookEndpointOut(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, _request: Request, endpoint_id: str) -> Response:
        """Forget the endpoint and its log."""
        delete_endpoint(endpoint=find_endpoint(endpoint_id))
        return Response(status=204)


class WebhookEndpointTestView(APIView):
    """Trying an endpoint out."""

    permission_classes = [scope("write")]

    @extend_schema(request=None, responses={202: WebhookDeliveryOut})
    @idempotent
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Send a `webhook.test`; the answer is its delivery, whose log tells what came of it."""
        delivery = send_test_webhook(endpoint=find_endpoint(endpoint_id), at=timezone.now())
        return Response(WebhookDeliveryOut(delivery).data, status=202)


class WebhookEndpointSecretView(APIView):
    """A new secret."""

    permission_classes = [scope("write")]

    @extend_schema(request=None, responses=WebhookSecretOut)
    @idempotent
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Give the endpoint a new secret, told this once; the old one signs beside it for 72 hours."""
        endpoint = rotate_endpoint_secret(endpoint=find_endpoint(endpoint_id), at=timezone.now())
        return Response(WebhookSecretOut(endpoint).data)


class WebhookEndpointReplayView(APIView):
    """Sending again."""

    permission_classes = [scope("write")]

    @extend_schema(request=WebhookReplayIn, responses={202: WebhookReplayOut})
    @idempotent
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send one delivery, or what happened in a span, again. 409 `endpoint_off` where it is switched off."""
        endpoint = find_endpoint(endpoint_id)
        body = WebhookReplayIn(data=request.data)
        body.is_valid(raise_exception=True)
        wish, now = body.validated_data, timezone.now()
        if "delivery" in wish:
            replay_delivery(delivery=find_delivery(endpoint, wish["delivery"]), at=now)
            return Response({"queued": 1}, status=202)
        count = replay_span(
            endpoint=endpoint, since=wish["from"], until=wish.get("to", now), at=now, only=wish.get("only", "failed")
        )
        return Response({"queued": count}, status=202)


class WebhookDeliveriesView(APIView):
    """The log of an endpoint."""

    permission_classes = [scope("read")]

    @extend_schema(
        responses=page_of(WebhookDeliveryOut),
        parameters=[
            OpenApiParameter("state", str, enum=WebhookDelivery.State.values),
            OpenApiParameter("type", str),
        ],
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        """List deliveries with what was answered, newest first; `?state=` and `?type=` narrow it."""
        found = _deliveries(find_endpoint(endpoint_id))
        state, type_ = request.query_params.get("state"), request.query_params.get("type")
        if state is not None:
            if state not in WebhookDelivery.State.values:
                raise ValidationError({"state": [f"Expected one of {', '.join(WebhookDelivery.State.values)}."]})
            found = found.filter(state=state)
        return CursorPages(request).answer(found.filter(event__type=type_) if type_ else found, WebhookDeliveryOut)
