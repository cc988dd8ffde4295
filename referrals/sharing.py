"""Addresses that open other people's apps with a link and a few words in them. Pure."""

import re
from collections.abc import Callable, Mapping
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


def share_targets(url_of: Callable[[str], str], words_of: Callable[[str], tuple[str, str]]) -> tuple[ShareTarget, ...]:
    """Return where a link can be shared; by channel, `url_of` gives its address, `words_of` subject and text."""
    targets = []
    for channel, label, pattern in _TARGETS:
        url, (subject, text) = url_of(channel), words_of(channel)
        href = pattern.format(
            url=quote(url, safe=""),
            subject=quote(subject, safe=""),
            text=quote(text, safe=""),
            text_and_url=quote(f"{text} {url}", safe=""),
        )
        targets.append(ShareTarget(channel, label, href))
    return tuple(targets)


PLACEHOLDERS = ("brand", "name", "code")
_BRACES = re.compile(r"\{([^{}]*)\}")


def text_problem(text: str) -> str:
    """Return why a share text cannot be used, or ''."""
    unknown = sorted(set(_BRACES.findall(text)) - set(PLACEHOLDERS))
    if unknown or "{" in _BRACES.sub("", text) or "}" in _BRACES.sub("", text):
        return f"expected only {', '.join('{' + one + '}' for one in PLACEHOLDERS)} in braces"
    return ""


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders filled, and no double spaces where one was empty."""
    return " ".join(_BRACES.sub(lambda found: values.get(found.group(1), ""), text).split())


def title_of(slug: str) -> str:
    """Return a slug as words for people: 'early-access' is 'Early access'."""
    words = slug.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
