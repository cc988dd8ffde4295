"""Addresses that open other people's apps with a link and a few words in them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class ShareTarget:
    """A place to share: its channel, the name people know it by, and the address that opens it."""

    channel: str
    label: str
    href: str

    @property
    def opens_page(self) -> bool:
        """Whether the address is a web page (and not an app of the device)."""
        return self.href.startswith("https://")


_TARGETS: tuple[tuple[str, str, str], ...] = (
    ("whatsapp", "WhatsApp", "https://wa.me/?text={text_and_url}"),
    ("email", "Email", "mailto:?subject={subject}&body={text_and_url}"),
    ("sms", "SMS", "sms:?&body={text_and_url}"),
    ("telegram", "Telegram", "https://t.me/share/url?url={url}&text={text}"),
    ("facebook", "Facebook", "https://www.facebook.com/sharer/sharer.php?u={url}"),
    ("x", "X", "https://x.com/intent/post?text={text}&url={url}"),
    ("linkedin", "LinkedIn", "https://www.linkedin.com/sharing/share-offsite/?url={url}"),
    ("reddit", "Reddit", "https://www.reddit.com/submit?url={url}&title={subject}"),
)


def share_targets(url_of: Callable[[str], str], *, subject: str, text: str) -> tuple[ShareTarget, ...]:
    """Return where a link can be shared; `url_of` gives the link's address for a channel."""
    return tuple(
        ShareTarget(
            channel,
            label,
            pattern.format(
                url=quote(url_of(channel), safe=""),
                subject=quote(subject, safe=""),
                text=quote(text, safe=""),
                text_and_url=quote(f"{text} {url_of(channel)}", safe=""),
            ),
        )
        for channel, label, pattern in _TARGETS
    )


def title_of(slug: str) -> str:
    """Return a slug as words for people: 'early-access' is 'Early access'."""
    words = slug.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
