"""Reading EMAIL_URL: a folder, an SMTP server, the console, or a provider's API through anymail."""

from dataclasses import dataclass, field
from urllib.parse import ParseResult, parse_qsl, unquote, urlparse

FOLDER = "messaging.backends.FolderBackend"
SMTP = "messaging.backends.SmtpBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"

# Which anymail settings the user and the host of `anymail+PROVIDER://USER@HOST` stand for.
PROVIDERS: dict[str, tuple[str, str]] = {
    "brevo": ("BREVO_API_KEY", ""),
    "mailersend": ("MAILERSEND_API_TOKEN", ""),
    "mailgun": ("MAILGUN_API_KEY", "MAILGUN_SENDER_DOMAIN"),
    "mailjet": ("MAILJET_API_KEY", ""),
    "mailtrap": ("MAILTRAP_API_TOKEN", ""),
    "mandrill": ("MANDRILL_API_KEY", ""),
    "postal": ("POSTAL_API_KEY", ""),
    "postmark": ("POSTMARK_SERVER_TOKEN", ""),
    "resend": ("RESEND_API_KEY", ""),
    "scaleway": ("SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
    "sendgrid": ("SENDGRID_API_KEY", ""),
    "sparkpost": ("SPARKPOST_API_KEY", ""),
    "unisender_go": ("UNISENDER_GO_API_KEY", ""),
}
_PORTS = {"smtp": 25, "submission": 587, "submission+tls": 587, "smtp+tls": 587, "smtps": 465, "smtp+ssl": 465}


class BadEmailUrl(ValueError):
    """EMAIL_URL is not one of the forms that docs/configuration.md lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """What Django and anymail are told; `folder` is empty where mails really leave."""

    backend: str
    folder: str = ""
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    anymail: dict[str, str] = field(default_factory=dict)


def read_email_url(url: str) -> MailSettings:
    """Return the settings for `file:///folder`, `smtp://` (`?tls=true`), `submission+tls://`, `smtps://`, `consolemail://`
    or `anymail+PROVIDER://KEY@DOMAIN?name=value`; `BadEmailUrl` for anything else.
    """
    parts = urlparse(url)
    if parts.scheme == "file":
        if not parts.path.startswith("/") or parts.netloc not in {"", "localhost"}:
            raise BadEmailUrl(f"EMAIL_URL: expected file:///absolute/folder, got {url!r}")
        return MailSettings(backend=FOLDER, folder=unquote(parts.path))
    if parts.scheme in {"consolemail", "console"}:
        return MailSettings(backend=CONSOLE)
    if parts.scheme in _PORTS:
        return _smtp(parts)
    if parts.scheme.startswith("anymail+"):
        return _anymail(parts)
    raise BadEmailUrl(
        f"EMAIL_URL: {parts.scheme!r} is none of file, consolemail, anymail+PROVIDER, {', '.join(_PORTS)}"
    )


def _smtp(parts: ParseResult) -> MailSettings:
    asked = {key for key, value in parse_qsl(parts.query.lower()) if value in {"true", "1", "on", "yes"}}
    return MailSettings(
        backend=SMTP,
        host=parts.hostname or "localhost",
        port=parts.port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme.endswith("+tls") or parts.scheme == "submission" or "tls" in asked,
        use_ssl=parts.scheme in {"smtps", "smtp+ssl"} or "ssl" in asked,
    )


def _anymail(parts: ParseResult) -> MailSettings:
    provider = parts.scheme.removeprefix("anymail+").replace("-", "_")
    if provider not in PROVIDERS:
        raise BadEmailUrl(f"EMAIL_URL: unknown provider {provider!r}, expected one of {', '.join(PROVIDERS)}")
    user_name, host_name = PROVIDERS[provider]
    name = provider.upper()
    given = {f"{name}_{key.upper()}": value for key, value in parse_qsl(parts.query)}
    if user_name and parts.username:
        given[user_name] = unquote(parts.username)
    if parts.password:
        given[f"{name}_SECRET_KEY"] = unquote(parts.password)
    if host_name and parts.hostname:
        given[host_name] = parts.hostname
    return MailSettings(backend=f"anymail.backends.{provider}.EmailBackend", anymail=given)
