"""From a message row to a finished mail: its parts rendered, its headers set."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from core.brand import NIGHT, PAPER, current_brand
from core.contrast import ink_on, mix, readable_on
from messaging.kinds import KINDS, Kind
from messaging.models import Message
from messaging.names import safe_name
from messaging.rendering import RenderedMail, render_mail
from messaging.tokens import preference_token
from messaging.values import clean_values

MASK = "••••••"


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail to send, and the copy of it to keep (codes and links of secret kinds masked)."""

    mail: RenderedMail
    kept: RenderedMail


def compose_mail(row: Message) -> Composed:
    """Render a message; raises `BrokenTemplate` if that cannot be done."""
    kind = KINDS[row.kind]
    mail = _render(row, kind, row.context)
    if not kind.secret:
        return Composed(mail, mail)
    hidden = {"url": f"{settings.PUBLIC_BASE_URL}/"}
    masked = {name: hidden.get(kind.variables[name], MASK) for name in row.context}
    return Composed(mail, _render(row, kind, masked))


def preview_mail(*, kind: str, locale: str, context: dict[str, Any]) -> RenderedMail:
    """Render a mail of a kind with these values for nobody; raises `BrokenTemplate` if that cannot be done."""
    values = clean_values(KINDS[kind], context, base_url=settings.PUBLIC_BASE_URL)
    return _render(Message(recipient_key="preview", kind=kind, locale=locale), KINDS[kind], values)


def as_email(row: Message, mail: RenderedMail, *, at: datetime) -> EmailMultiAlternatives:
    """Return the mail with all its headers, dated `at`; bulk kinds carry one-click unsubscribe (RFC 8058)."""
    headers = {
        "Message-ID": row.message_id,
        "Date": format_datetime(at),
        "X-Goodword-Kind": row.kind,
        "Auto-Submitted": "auto-generated",
    }
    purpose = KINDS[row.kind].purpose
    if purpose:
        headers["List-Unsubscribe"] = f"<{preferences_url(row.recipient_key, purpose)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email = EmailMultiAlternatives(subject=mail.subject, body=mail.text, to=[_to(row)], headers=headers)
    email.attach_alternative(mail.html, "text/html")
    return email


def preferences_url(recipient_key: str, purpose: str) -> str:
    """Return the address of the page where this recipient chooses which mails they wish."""
    path = reverse("messaging:preferences", args=[preference_token(recipient_key, purpose)])
    return f"{settings.PUBLIC_BASE_URL}{path}"


def _to(row: Message) -> str:
    name = safe_name(row.name).replace('"', "").replace(",", " ")
    return f'"{name}" <{row.email}>' if name else row.email


def _render(row: Message, kind: Kind, context: dict[str, Any]) -> RenderedMail:
    url = preferences_url(row.recipient_key, kind.purpose) if kind.purpose else ""
    values = {
        **context,
        "brand": _brand(_accent(context)),
        "purpose": "staff" if kind.staff else kind.purpose,
        "preferences_url": url,
    }
    return render_mail(folder=Path(settings.EMAIL_TEMPLATES), kind=row.kind, locale=row.locale, values=values)


def _accent(context: dict[str, Any]) -> str:
    """The mail's own colour, where it brings one."""
    own = context.get("accent", "")
    return f"#{own}" if own else current_brand().accent


def _brand(accent: str) -> dict[str, str]:
    """The company as templates see it: name, address, logo and the accent made readable by day and by night."""
    brand = current_brand()
    light, dark = readable_on(accent, PAPER), readable_on(accent, NIGHT, ratio=6)
    logo = f"{settings.PUBLIC_BASE_URL}{brand.logo}" if brand.logo.startswith("/") else brand.logo
    return {
        "name": " ".join(brand.name.split()),
        "url": settings.PUBLIC_BASE_URL,
        "logo": logo,
        "address": " ".join(settings.BRAND_ADDRESS.split()),
        "support_email": brand.support_email,
        "accent": light,
        "accent_ink": ink_on(light),
        "accent_soft": mix("#ffffff", light, 0.09),
        "accent_dark": dark,
        "accent_dark_ink": ink_on(dark),
        "accent_dark_soft": mix(NIGHT, dark, 0.16),
    }
