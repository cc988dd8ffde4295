"""Programs and codes as a checkout asks for them: what runs, what it promises, whose code this is."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pagination import CursorPages, page_of
from core.api.permissions import scope
from core.money import to_text
from referrals.models import Link, Program
from referrals.queries.links import link_of_code
from referrals.queries.programs import current_offer, offer_live_at, program_runs_at, terms_of
from referrals.queries.sharing import gift_words
from referrals.queries.takeovers import program_in_charge
from referrals.terms import RewardRule, Terms, decimal_text
from rewards.api.visitors import UnknownCode

NOT_RUNNING = "program_not_running"


class PromiseOut(serializers.Serializer[Any]):
    """One reward that an offer promises to one side."""

    rule = serializers.CharField()
    on = serializers.ChoiceField(["signup", "qualified", "purchase", "claim", "assist"])
    kind = serializers.CharField()
    points = serializers.IntegerField(allow_null=True)
    percent = serializers.CharField(allow_null=True, help_text="of the order's net amount, in points per unit")
    max_points = serializers.IntegerField(allow_null=True)
    repeat_days = serializers.IntegerField(allow_null=True)
    hold_days = serializers.IntegerField()
    words = serializers.CharField(help_text="what it gives that is no points, in the language of Accept-Language")
    conditional = serializers.BooleanField(help_text="depends on more than the moment")


class QualifiesOut(serializers.Serializer[Any]):
    """What makes a referral qualify."""

    on = serializers.CharField()
    min_amount = serializers.CharField()


class ProgramOut(serializers.Serializer[Any]):
    """A program with what its offer promises now."""

    program = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Program.Status.choices)
    running = serializers.BooleanField(help_text="binds new friends now")
    currency = serializers.CharField()
    landing_url = serializers.URLField()
    starts = serializers.DateField(allow_null=True)
    ends = serializers.DateField(allow_null=True)
    offer = serializers.IntegerField(help_text="number of the offer")
    qualifies = QualifiesOut()
    hold_days = serializers.IntegerField()
    conversion_window_days = serializers.IntegerField()
    advocate = PromiseOut(many=True)
    friend = PromiseOut(many=True)

    def to_representation(self, instance: Program) -> dict[str, Any]:
        """Return the program as JSON values."""
        offer = current_offer(instance)
        terms = terms_of(offer)
        return {
            "program": instance.slug,
            "name": instance.name,
            "status": instance.status,
            "running": program_runs_at(instance, timezone.now()),
            "currency": terms.currency,
            "landing_url": instance.landing_url,
            "starts": instance.starts,
            "ends": instance.ends,
            "offer": offer.number,
            "qualifies": {"on": terms.qualifies_on, "min_amount": to_text(terms.min_amount_minor, terms.currency)},
            "hold_days": terms.hold_days,
            "conversion_window_days": terms.conversion_window_days,
            "advocate": promises_of(terms, "advocate"),
            "friend": promises_of(terms, "friend"),
        }


class CodeOut(serializers.Serializer[Any]):
    """Whose code it is, and what a friend gets who comes with it now."""

    valid = serializers.BooleanField(help_text="a new friend can be bound by it now")
    reason = serializers.ChoiceField([NOT_RUNNING], allow_null=True)
    code = serializers.CharField(help_text="as it is spelled today; a former code leads to the present one")
    program = serializers.CharField(help_text="whose offer the friend gets now")
    advocate = serializers.CharField(help_text="first name; empty where the company knows none")
    gift = PromiseOut(many=True)


def promises_of(terms: Terms, side: str) -> list[dict[str, Any]]:
    """Return what the terms promise a side, in the order of the file, as JSON values."""
    return [_promise(rule, terms) for rule in terms.rewards if rule.to == side]


def _promise(rule: RewardRule, terms: Terms) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "on": rule.on,
        "kind": rule.kind,
        "points": rule.points,
        "percent": None if rule.percent is None else decimal_text(rule.percent),
        "max_points": rule.max_points,
        "repeat_days": rule.repeat_days,
        "hold_days": terms.hold_days_of(rule),
        "words": gift_words(rule, terms.currency),
        "conditional": rule.when is not None or bool(rule.first_match),
    }


class ProgramsView(APIView):
    """Programs, newest first."""

    permission_classes = [scope("read")]

    @extend_schema(
        parameters=[OpenApiParameter("status", str, enum=list(Program.Status.values))], responses=page_of(ProgramOut)
    )
    def get(self, request: Request) -> Response:
        """Return programs in every status unless filtered, each with what it promises now."""
        rows = Program.objects.prefetch_related("offers", "statuses")
        if status := request.query_params.get("status"):
            if status not in Program.Status.values:
                raise ValidationError({"status": [f"Expected one of {', '.join(Program.Status.values)}."]})
            rows = rows.filter(status=status)
        return CursorPages(request).answer(rows, ProgramOut)


class CodeView(APIView):
    """A code that somebody typed at the checkout."""

    permission_classes = [scope("read")]

    @extend_schema(responses=CodeOut)
    def get(self, _request: Request, code: str) -> Response:
        """Return whose it is and the friend's gift; spaces, dashes and case do not matter. 404 `unknown_code`."""
        link = link_of_code(code)
        if link is None or link.customer.erased_at is not None:
            raise UnknownCode("no link has this code")
        return Response(_code_json(link))


def _code_json(link: Link) -> dict[str, Any]:
    now = timezone.now()
    program = program_in_charge(link.program, now)
    valid = program_runs_at(program, now)
    return {
        "valid": valid,
        "reason": None if valid else NOT_RUNNING,
        "code": link.code,
        "program": program.slug,
        "advocate": link.customer.first_name,
        "gift": promises_of(terms_of(offer_live_at(program, now)), "friend"),
    }
