"""Customers: who they are, what they have, and every point's origin."""

from typing import Any
from zoneinfo import available_timezones

from django.db.models import prefetch_related_objects
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clocks
from core.api.idempotency import idempotent
from core.api.pagination import CursorPages, page_of
from core.api.permissions import ScopeByMethod, scope
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from referrals.models import Customer, Erasure
from referrals.people import external_id_problem
from referrals.queries.links import share_url
from referrals.queries.people import customer_known_as, find_alias, living_customer_known_as, living_customers
from referrals.services.customers import CustomerData, put_customer
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.identities import erased_keys
from referrals.services.links import ensure_links
from referrals.services.merging import merge_customers
from rewards.models import Entry
from rewards.queries.balances import empty_counts, expiring_next, ledger_of, points_of, referral_counts
from rewards.queries.standing import MembershipStanding, badges_of, memberships_of
from rewards.services.adjustments import MAX_DAYS, MAX_POINTS
from rewards.services.credits import give_points


class CustomerIn(StrictSerializer):
    """What the company tells of a customer."""

    email = serializers.EmailField(required=False, max_length=254, allow_blank=True)
    name = serializers.CharField(required=False, max_length=200, allow_blank=True)
    locale = serializers.RegexField(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", required=False, max_length=20)
    time_zone = serializers.CharField(required=False, max_length=64)
    attributes = serializers.DictField(required=False)

    def validate_time_zone(self, value: str) -> str:
        """Accept only zones of the IANA database."""
        if value not in available_timezones():
            raise serializers.ValidationError("Expected an IANA time zone such as 'Europe/Berlin'.")
        return value


class AdjustmentIn(StrictSerializer):
    """Points by hand: above 0 gives, below 0 takes."""

    points = serializers.IntegerField(min_value=-MAX_POINTS, max_value=MAX_POINTS)
    reason = serializers.CharField(max_length=200)
    expires_days = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, required=False, allow_null=True, help_text="for points given; null: never"
    )


class WaitingChangeOut(serializers.Serializer[Any]):
    """What waits for a second person."""

    change = serializers.CharField()
    state = serializers.ChoiceField(["open"])
    title = serializers.CharField()


class PointsOut(serializers.Serializer[Any]):
    """Points by bucket."""

    available = serializers.IntegerField()
    pending = serializers.IntegerField()
    debt = serializers.IntegerField()
    lifetime = serializers.IntegerField()
    redeemed = serializers.IntegerField()
    expired = serializers.IntegerField()


class ReferralCountsOut(serializers.Serializer[Any]):
    """Referrals by state."""

    signed_up = serializers.IntegerField()
    qualified = serializers.IntegerField()
    approved = serializers.IntegerField()
    flagged = serializers.IntegerField()
    voided = serializers.IntegerField()
    reversed = serializers.IntegerField()
    expired = serializers.IntegerField()


class TierOut(serializers.Serializer[Any]):
    """The tier shown to the customer and the next one; null where there is none."""

    name = serializers.CharField(allow_null=True)
    next = serializers.CharField(allow_null=True)
    referrals_to_next = serializers.IntegerField(allow_null=True)


class NextMilestoneOut(serializers.Serializer[Any]):
    """The next milestone and how many referrals are missing."""

    referrals = serializers.IntegerField()
    to_go = serializers.IntegerField()


class MembershipOut(serializers.Serializer[Any]):
    """A customer in one running program."""

    program = serializers.CharField()
    code = serializers.CharField()
    url = serializers.URLField()
    tier = TierOut(allow_null=True)
    next_milestone = NextMilestoneOut(allow_null=True)
    referrals = ReferralCountsOut()


class ExpiringOut(serializers.Serializer[Any]):
    """Points that expire together, and their last instant."""

    points = serializers.IntegerField()
    at = serializers.DateTimeField()


class CustomerOut(serializers.Serializer[Any]):
    """A customer."""

    external_id = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    locale = serializers.CharField(allow_null=True)
    time_zone = serializers.CharField(allow_null=True)
    attributes = serializers.DictField()
    points = PointsOut()
    expiring = ExpiringOut(allow_null=True, help_text="the points that expire next")
    programs = MembershipOut(many=True)
    badges = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """Return the customer as JSON values."""
        return customer_json(instance)


class MergeIn(StrictSerializer):
    """Whose id this one is as well, and why."""

    into = serializers.CharField(max_length=200)
    reason = serializers.CharField(max_length=200, required=False, default="")


class LedgerEntryOut(serializers.Serializer[Any]):
    """One entry of a customer's ledger; `balance` is that bucket's afterwards."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(["grant", "release", "revoke", "redeem", "expire", "adjust", "merge"])
    points = serializers.IntegerField()
    bucket = serializers.ChoiceField(["pending", "available", "debt"])
    balance = serializers.IntegerField()
    cause = serializers.DictField()

    def to_representation(self, instance: Entry) -> dict[str, Any]:
        """Return the entry as JSON values."""
        return {
            "at": instance.transfer.event_at,
            "kind": instance.transfer.kind,
            "points": instance.delta,
            "bucket": instance.account.kind,
            "balance": instance.balance,
            "cause": instance.transfer.cause,
        }


def customer_json(customer: Customer) -> dict[str, Any]:
    """Return the customer with points, and a code in every running program."""
    points = points_of(customer)
    expiring = expiring_next(customer)
    counts = referral_counts(customer)
    links = ensure_links(customer=customer)
    prefetch_related_objects([link.program for link in links], "offers")
    standings = memberships_of(customer, [link.program for link in links], at=clocks.now())
    programs = [
        {
            "program": link.program.slug,
            "code": link.code,
            "url": share_url(link),
            **_standing_json(standings[link.program_id]),
            "referrals": counts.get(link.program_id, empty_counts()),
        }
        for link in links
    ]
    return {
        "external_id": customer.external_id,
        "email": customer.email or None,
        "name": customer.name or None,
        "locale": customer.locale or None,
        "time_zone": customer.time_zone or None,
        "attributes": customer.attributes,
        "points": {name: getattr(points, name) for name in points.__slots__},
        "expiring": {"points": expiring.points, "at": expiring.at} if expiring else None,
        "programs": programs,
        "badges": list(badges_of(customer)),
        "created_at": customer.created_at,
    }


def _standing_json(standing: MembershipStanding) -> dict[str, Any]:
    tier, milestone = standing.tier, standing.next_milestone
    return {
        "tier": {
            "name": tier.shown.name if tier.shown else None,
            "next": tier.next.name if tier.next else None,
            "referrals_to_next": tier.to_next if tier.next else None,
        }
        if tier
        else None,
        "next_milestone": {"referrals": milestone.milestone.referrals, "to_go": milestone.to_go} if milestone else None,
    }


def find_customer(external_id: str) -> Customer:
    """Return the customer or raise `Http404`."""
    customer = customer_known_as(external_id)
    if customer is None:
        erased = erased_keys(external_id) if "@" in external_id else []
        customer = Customer.objects.filter(external_id__in=erased).first()
    if customer is None:
        raise Http404(f"No customer {external_id!r}.")
    return customer


def find_living(external_id: str) -> Customer:
    customer = find_customer(external_id)
    if customer.erased_at is not None:
        raise Http404(f"Customer {external_id!r} was erased.")
    return customer


class CustomerExportView(APIView):
    """Everything that is stored of a customer."""

    permission_classes = [scope("read")]

    @extend_schema(responses={200: {"type": "object", "additionalProperties": True}})
    def get(self, _request: Request, external_id: str) -> Response:
        """Return all of it, app by app; 404 for one who was erased."""
        return Response(export_customer(customer=find_living(external_id)))


class CustomersView(APIView):
    """Customers by email."""

    permission_classes = [scope("read")]

    @extend_schema(parameters=[OpenApiParameter("email", str)], responses=page_of(CustomerOut))
    def get(self, request: Request) -> Response:
        """Return customers, newest first; `?email=` those with exactly that address."""
        customers = living_customers()
        if email := request.query_params.get("email"):
            customers = customers.filter(email__iexact=email)
        return CursorPages(request).answer(customers, CustomerOut)


class CustomerView(APIView):
    """One customer."""

    permission_classes = [ScopeByMethod]

    @extend_schema(responses=CustomerOut)
    def get(self, _request: Request, external_id: str) -> Response:
        """Return the customer; 404 for one who was erased."""
        return Response(customer_json(find_living(external_id)))

    @extend_schema(
        parameters=[OpenApiParameter("points", str, enum=list(Erasure.Points.values))], responses={204: None}
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Erase the customer for good: ledger, referrals and numbers stay, the person is gone.

        `?points=keep` (default) lets open points wait, `forfeit` takes them. Again: 204, nothing changes.
        """
        points = request.query_params.get("points", Erasure.Points.KEEP)
        erase_customer(customer=find_customer(external_id), points=points, by=f"key:{request.auth}", at=timezone.now())
        return Response(status=204)

    @extend_schema(request=CustomerIn, responses={200: CustomerOut, 201: CustomerOut})
    def put(self, request: Request, external_id: str) -> Response:
        """Create the customer (201) or change what is given of them (200)."""
        if problem := external_id_problem(external_id):
            raise Invalid(f"external id: {problem}")
        body = CustomerIn(data=request.data)
        body.is_valid(raise_exception=True)
        customer, created = put_customer(
            external_id=external_id, data=CustomerData(**body.validated_data), at=timezone.now()
        )
        return Response(customer_json(customer), status=201 if created else 200)


class CustomerMergeView(APIView):
    """Two ids of one person."""

    permission_classes = [scope("write")]

    @extend_schema(request=MergeIn, responses={200: CustomerOut})
    @idempotent
    def post(self, request: Request, external_id: str) -> Response:
        """Make this customer an alias of the one named in `into` and return that one; it cannot be undone.

        Both ids are understood from then on. Again: 200, nothing changes. 409 `cannot_merge` says why not.
        """
        body = MergeIn(data=request.data)
        body.is_valid(raise_exception=True)
        into = living_customer_known_as(body.validated_data["into"])
        if into is None:
            raise Invalid("no customer has this id", pointer="/into")
        source = find_alias(external_id) or find_living(external_id)
        reason = body.validated_data["reason"]
        merge_customers(source=source, into=into, reason=reason, by=f"key:{request.auth}", at=timezone.now())
        into.refresh_from_db()
        return Response(customer_json(into))


class CustomerLedgerView(APIView):
    """A customer's ledger."""

    permission_classes = [scope("read")]

    @extend_schema(responses=page_of(LedgerEntryOut))
    def get(self, request: Request, external_id: str) -> Response:
        """Return every movement of the customer's points, newest first."""
        return CursorPages(request).answer(ledger_of(find_customer(external_id)), LedgerEntryOut)


class CustomerAdjustmentsView(APIView):
    """Points by hand."""

    permission_classes = [scope("write")]

    @extend_schema(request=AdjustmentIn, responses={201: PointsOut, 202: WaitingChangeOut})
    @idempotent
    def post(self, request: Request, external_id: str) -> Response:
        """Give or take points with a reason; 409 `insufficient_points` beyond what is available.

        202 where the credit is so large that a second person has to approve it first.
        """
        customer = find_customer(external_id)
        body = AdjustmentIn(data=request.data)
        body.is_valid(raise_exception=True)
        waiting = give_points(
            customer=customer, actor=f"key:{request.auth}", asker=None, at=timezone.now(), **body.validated_data
        )
        if waiting is not None:
            told = {"change": waiting.public_id, "state": waiting.state, "title": waiting.title}
            return Response(told, status=202)
        points = points_of(customer)
        return Response({name: getattr(points, name) for name in points.__slots__}, status=201)
