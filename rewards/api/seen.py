"""What visitors and advocates do on the shop's pages: visits that came past the redirect, views, shares."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from referrals.bots import PERSON, Verdict
from referrals.landing import UTM_KEYS, common_domain, utm_of
from referrals.models import Link, NameSearch, OfferView, Placement, Program
from referrals.queries.audiences import public_programs
from referrals.queries.links import SHARE_CHANNELS
from referrals.queries.people import living_customer_known_as
from referrals.queries.programs import current_offer, terms_of
from referrals.queries.takeovers import program_in_charge
from referrals.services.clicks import Visit, record_click
from referrals.services.links import ensure_link
from referrals.services.placements import record_share, record_view
from rewards.api.visitors import Guest, PublishableOrWrite, find_link, guest_of

REF_COOKIE, CLICK_COOKIE = "gw_ref", "gw_click"
DAY_SECONDS = 86_400


class ClickIn(StrictSerializer):
    """A visit with an advocate's code that did not come through /r/CODE, or a click id that is to be kept."""

    code = serializers.CharField(max_length=64, required=False, allow_blank=True)
    click_id = serializers.CharField(max_length=64, required=False)
    channel = serializers.ChoiceField(SHARE_CHANNELS, required=False)
    placement = serializers.ChoiceField(
        Placement.choices, required=False, help_text="where the advocate took the link from (`p` of its address)"
    )
    utm = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True), required=False)
    visitor = serializers.RegexField(
        r"^[A-Za-z0-9_-]{22}$", required=False, help_text="first-party id of the browser, where it agreed to one"
    )
    keep = serializers.BooleanField(
        default=False,
        help_text="answer with cookies that the shop's server can read, where both share a domain; "
        "only with the visitor's consent, where you need one",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if not attrs.get("code") and not attrs.get("click_id"):
            raise ValidationError({"code": ["Expected code or click_id."]})
        if unknown := set(attrs.get("utm", {})) - set(UTM_KEYS):
            raise ValidationError({"utm": [f"Unknown: {', '.join(sorted(unknown))}; expected {', '.join(UTM_KEYS)}."]})
        return attrs


class ClickOut(serializers.Serializer[Any]):
    """The visit, by which an order can name its advocate."""

    click_id = serializers.CharField(allow_null=True, help_text="null for a machine's visit, which does not count")
    code = serializers.CharField(allow_blank=True, help_text="empty where the visitor named somebody")
    program = serializers.CharField(help_text="whose offer the friend gets")
    keep_days = serializers.IntegerField(help_text="how long a click counts in this program")


class ClicksView(APIView):
    """Visits of pages that carry an advocate's code."""

    permission_classes = [PublishableOrWrite]

    @extend_schema(request=ClickIn, responses={201: ClickOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Record the visit, or look up one that came through /r/CODE.

        404 `unknown_code`; 429 `too_many_codes` for a network that guesses.
        """
        body = ClickIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        guest = guest_of(request)
        search = NameSearch.objects.select_related("program").filter(search_id=given.get("click_id", "")).first()
        if search is not None:
            return self._named(request, search, keep=given["keep"])
        link, click = find_link(guest, code=given.get("code", ""), click_id=given.get("click_id", ""))
        if click is None and guest.is_person:
            click = record_click(link=link, visit=_visit(guest, given), at=timezone.now())
        program = program_in_charge(link.program, click.at if click else timezone.now())
        days = terms_of(current_offer(program)).attribution_window_days
        told = {"click_id": click.click_id if click else None, "code": link.code, "program": program.slug}
        response = Response(told | {"keep_days": days}, status=201)
        if given["keep"] and click:
            _set_cookies(request, response, {REF_COOKIE: link.code, CLICK_COOKIE: click.click_id}, days)
        return response

    @staticmethod
    def _named(request: Request, search: NameSearch, *, keep: bool) -> Response:
        """Answer for a visitor who named somebody: the same whoever it was."""
        days = terms_of(current_offer(search.program)).attribution_window_days
        told = {"click_id": search.search_id, "code": "", "program": search.program.slug, "keep_days": days}
        response = Response(told, status=201)
        if keep:
            _set_cookies(request, response, {CLICK_COOKIE: search.search_id}, days)
        return response

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Drop the cookies that `keep` has set: the visitor's consent is withdrawn."""
        response = Response(status=204)
        if domain := _shared_domain(request):
            for name in (REF_COOKIE, CLICK_COOKIE):
                response.delete_cookie(name, domain=domain, samesite="Lax")
        return response


def _visit(guest: Guest, given: dict[str, Any]) -> Visit:
    return Visit(
        verdict=Verdict(PERSON, "reported by the shop"),
        agent=guest.agent,
        address=guest.address,
        channel=given.get("channel", ""),
        placement=given.get("placement", ""),
        utm=utm_of(given.get("utm", {})),
        visitor=given.get("visitor", ""),
    )


def _shared_domain(request: Request) -> str:
    return common_domain(settings.PUBLIC_BASE_URL, request.headers.get("origin", ""))


def _set_cookies(request: Request, response: Response, cookies: dict[str, str], days: int) -> None:
    """Set cookies for the domain that this server shares with the page, out of reach for scripts."""
    domain = _shared_domain(request)
    if not domain:
        return
    for name, value in cookies.items():
        response.set_cookie(
            name, value, max_age=days * DAY_SECONDS, domain=domain, secure=True, httponly=True, samesite="Lax"
        )


class ViewIn(StrictSerializer):
    """An offer that a person saw or opened."""

    placement = serializers.ChoiceField(Placement.choices)
    kind = serializers.ChoiceField(OfferView.Kind.choices, default=OfferView.Kind.VIEW)
    program = serializers.SlugField(max_length=60, required=False, help_text="left out: the one offered to everybody")


class SeenOut(serializers.Serializer[Any]):
    """Whether it counted."""

    counted = serializers.BooleanField(help_text="false for a machine, which is not kept")


class ViewsView(APIView):
    """Offers that were seen on the shop's pages, in its app, at its till."""

    permission_classes = [PublishableOrWrite]

    @extend_schema(request=ViewIn, responses={201: SeenOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Count a view or an opening of a program's offer by its placement."""
        body = ViewIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        program = _program(given.get("program", ""))
        counted = guest_of(request).is_person
        if counted:
            record_view(program=program, kind=given["kind"], placement=given["placement"], at=timezone.now())
        return Response({"counted": counted}, status=201)


def _program(slug: str) -> Program:
    rows = Program.objects.filter(slug=slug) if slug else public_programs()
    program = rows.first()
    if program is None or program.status == Program.Status.DRAFT:
        raise Invalid("there is no such program" if slug else "no program is offered to everybody", pointer="/program")
    return program


class ShareIn(StrictSerializer):
    """A link that was passed on: by its code or, with a key that may write, by its customer."""

    code = serializers.CharField(max_length=64, required=False)
    customer = serializers.CharField(max_length=200, required=False, help_text="external id; needs a key that writes")
    program = serializers.SlugField(max_length=60, required=False, help_text="with customer; else the first offered")
    channel = serializers.ChoiceField(SHARE_CHANNELS)
    placement = serializers.ChoiceField(Placement.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        if bool(attrs.get("code")) == bool(attrs.get("customer")):
            raise ValidationError({"code": ["Expected either code or customer."]})
        return attrs


class ShareOut(serializers.Serializer[Any]):
    """The share as it was counted; `id` is null for a machine's, which is not."""

    id = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    program = serializers.CharField()
    channel = serializers.CharField()
    placement = serializers.CharField(allow_null=True)


class SharesView(APIView):
    """Links that advocates passed on."""

    permission_classes = [PublishableOrWrite]

    @extend_schema(request=ShareIn, responses={201: ShareOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Count that an advocate used a channel. 404 `unknown_code`, 422 for a customer that is not known."""
        body = ShareIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        guest = guest_of(request)
        link = _shared_link(guest, given)
        now = timezone.now()
        program = program_in_charge(link.program, now)
        placement = given.get("placement", "")
        share = None
        if guest.is_person:
            share = record_share(link=link, program=program, channel=given["channel"], placement=placement, at=now)
        told = {
            "id": share.share_id if share else None,
            "code": link.code,
            "program": program.slug,
            "channel": given["channel"],
            "placement": placement or None,
        }
        return Response(told, status=201)


def _shared_link(guest: Guest, given: dict[str, Any]) -> Link:
    if not given.get("customer"):
        return find_link(guest, code=given["code"])[0]
    if not guest.trusted:
        raise Invalid("a publishable key names a link by its code", pointer="/customer")
    customer = living_customer_known_as(given["customer"])
    if customer is None:
        raise Invalid("no customer has this id", pointer="/customer")
    return ensure_link(customer=customer, program=_program(given.get("program", "")))
