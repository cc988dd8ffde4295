"""What the widget shows: the offers, and to a customer whom the shop vouches for their link and points."""

from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.origins import read_identity
from core import clocks
from core.brand import current_brand
from core.contrast import ink_on
from core.errors import Refused
from referrals.models import Customer
from referrals.people import external_id_problem
from referrals.pictures import qr_svg
from referrals.queries.audiences import public_programs
from referrals.queries.links import how_url, placement_of
from referrals.queries.people import living_customer_known_as
from referrals.queries.sharing import OfferCard, ShareCard, offer_cards, promise_in_words
from referrals.services.customers import CustomerData, put_customer
from referrals.services.experiments import show_share_cards
from referrals.services.links import ensure_links
from rewards.api.visitors import PublishableOrRead
from rewards.queries.balances import points_of

IDENTITY = "X-Goodword-Identity"


class IdentityRefused(Refused):
    """The token that says who the visitor is was not signed with this key's secret, or is over."""

    code = "identity_refused"
    status = 403


class TargetOut(serializers.Serializer[Any]):
    """An address that opens an app with the link in it."""

    channel = serializers.CharField()
    name = serializers.CharField()
    href = serializers.CharField()


class WidgetLinkOut(serializers.Serializer[Any]):
    """The customer's link."""

    code = serializers.CharField()
    url = serializers.URLField()
    native_url = serializers.URLField()
    qr = serializers.URLField()
    qr_svg = serializers.CharField(help_text="the same picture, to be drawn without another request")
    subject = serializers.CharField()
    text = serializers.CharField()
    targets = TargetOut(many=True)


class WidgetOfferOut(serializers.Serializer[Any]):
    """A program's offer in words, with the customer's link where there is a customer."""

    program = serializers.CharField()
    name = serializers.CharField()
    advocate = serializers.ListField(child=serializers.CharField())
    friend = serializers.ListField(child=serializers.CharField())
    how_url = serializers.URLField()
    link = WidgetLinkOut(allow_null=True)


class WidgetPointsOut(serializers.Serializer[Any]):
    """The customer's points."""

    available = serializers.IntegerField()
    pending = serializers.IntegerField()


class WidgetOut(serializers.Serializer[Any]):
    """All that a widget needs, in one language."""

    language = serializers.CharField()
    brand = serializers.CharField()
    accent = serializers.CharField()
    accent_ink = serializers.CharField(help_text="readable on the accent")
    portal_url = serializers.URLField()
    first_name = serializers.CharField(allow_null=True, help_text="null for a visitor who is not known")
    points = WidgetPointsOut(allow_null=True)
    offers = WidgetOfferOut(many=True)
    words = serializers.DictField(child=serializers.CharField())


class WidgetView(APIView):
    """The widget's contents."""

    permission_classes = [PublishableOrRead]

    @extend_schema(
        parameters=[
            OpenApiParameter("lang", str, description="`en` or `de`; else the browser's language"),
            OpenApiParameter("placement", str, description="where it stands, so that the link's clicks count there"),
            OpenApiParameter(IDENTITY, str, OpenApiParameter.HEADER, description="who the shop says the visitor is"),
        ],
        responses=WidgetOut,
    )
    def get(self, request: Request) -> Response:
        """Return the offers, with links and points for a customer of the shop. 403 `identity_refused`, 409 `erased`."""
        wanted = request.query_params.get("lang", "")[:2].lower()
        known = dict(settings.LANGUAGES)
        customer = _customer(request)
        with translation.override(wanted if wanted in known else translation.get_language()):
            return Response(_shown_to(customer, _placement(request)))


def _placement(request: Request) -> str:
    return placement_of({"p": request.query_params.get("placement", "")})


def _customer(request: Request) -> Customer | None:
    """Return the customer whom the shop's token names, a new one where they are not known yet."""
    token = request.headers.get(IDENTITY, "")
    if not token:
        return None
    now = timezone.now()
    external_id = read_identity(token, secrets=getattr(request.auth, "identity_secrets", ()), at=clocks.real_now())
    if not external_id:
        raise IdentityRefused("this token is forged, over, or signed with another key's secret")
    if problem := external_id_problem(external_id):
        raise IdentityRefused(f"this token names no customer: {problem}")
    known = living_customer_known_as(external_id)
    return known or put_customer(external_id=external_id, data=CustomerData(), at=now)[0]


def _shown_to(customer: Customer | None, placement: str) -> dict[str, Any]:
    brand = current_brand()
    points = points_of(customer) if customer else None
    return {
        "language": translation.get_language(),
        "brand": brand.name,
        "accent": brand.accent,
        "accent_ink": ink_on(brand.accent),
        "portal_url": f"{settings.PUBLIC_BASE_URL}/",
        "first_name": customer.first_name if customer else None,
        "points": {"available": points.available, "pending": points.pending} if points else None,
        "offers": _own_offers(customer, placement) if customer else _public_offers(),
        "words": _words(brand.name),
    }


def _own_offers(customer: Customer, placement: str) -> list[dict[str, Any]]:
    links = ensure_links(customer=customer)
    prefetch_related_objects([link.program for link in links], "offers", "share_texts")
    return [_offer(card.offer, card) for card in show_share_cards(links=links, placement=placement, at=timezone.now())]


def _public_offers() -> list[dict[str, Any]]:
    programs = public_programs().prefetch_related("offers")
    return [_offer(offer, None) for offer in offer_cards(programs, at=timezone.now())]


def _offer(offer: OfferCard, card: ShareCard | None) -> dict[str, Any]:
    return {
        "program": offer.slug,
        "name": offer.name,
        "advocate": [promise_in_words(one, offer, "advocate") for one in offer.advocate],
        "friend": [promise_in_words(one, offer, "friend") for one in offer.friend],
        "how_url": how_url(offer.slug),
        "link": _link(card) if card else None,
    }


def _link(card: ShareCard) -> dict[str, Any]:
    return {
        "code": card.code,
        "url": card.url,
        "native_url": card.native_url,
        "qr": f"{settings.PUBLIC_BASE_URL}/q/{card.code}.svg",
        "qr_svg": qr_svg(card.qr_url),
        "subject": card.subject,
        "text": card.text,
        "targets": [{"channel": one.channel, "name": one.label, "href": one.href} for one in card.targets],
    }


def _words(brand: str) -> dict[str, str]:
    """Return what the widget itself says."""
    return {
        "title": _("Tell friends about %(brand)s") % {"brand": brand},
        "you": _("You get"),
        "friend": _("Your friend gets"),
        "link": _("Your link"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "share": _("Share"),
        "how": _("How it works"),
        "sign_in": _("Get your link"),
        "points": _("Your points"),
        "pending": _("on the way"),
        "close": _("Close"),
        "nothing": _("There is no offer at the moment."),
    }
