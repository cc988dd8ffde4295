"""Telling people from machines by what a visit says of itself. Pure, and never a reason to refuse a visit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import ua_parser
from crawlerdetect import CrawlerDetect

PERSON, BOT, PREVIEW = "person", "bot", "preview"
LONGEST_AGENT = 512

_PREVIEW = re.compile(
    r"facebookexternalhit|facebookcatalog|facebot|meta-externalfetcher|^whatsapp/|twitterbot|linkedinbot|slackbot"
    r"|slack-imgproxy|telegrambot|discordbot|skypeuripreview|redditbot|pinterestbot|pinterest/0|mastodon/|viber/"
    r"|vkshare|embedly|iframely|kakaotalk-scrap|bluesky cardyb|snap url preview|googlemessages|bitlybot|zoombot"
    r"|google-pagerenderer|line-poker|applebot.*imessage|preview",
    re.IGNORECASE,
)
_TABLETS = re.compile(r"ipad|tablet|kindle|playbook|silk/(?!.*mobile)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a visit looks like and what that rests on; `embedded` where it is no page visit of its own."""

    kind: str
    why: str = ""
    embedded: bool = False


def judge_visit(headers: Mapping[str, str]) -> Verdict:
    """Return the verdict on a visit with these headers (names in lower case).

    Prefetching browsers and pages that embed the link are bots here: nobody chose to open it.
    """
    if _is_ahead_of_time(headers):
        return Verdict(BOT, "prefetch", embedded=True)
    dest, mode = headers.get("sec-fetch-dest", "").lower(), headers.get("sec-fetch-mode", "").lower()
    if dest not in ("", "document") or mode not in ("", "navigate"):
        return Verdict(BOT, f"not a page visit: {(dest or mode)[:20]}", embedded=True)
    return _judge_agent(headers.get("user-agent", "")[:LONGEST_AGENT].strip())


def is_person_behind(headers: Mapping[str, str]) -> bool:
    """Tell whether a request that a page's script makes (names in lower case) comes of a page a person looks at."""
    agent = headers.get("user-agent", "")[:LONGEST_AGENT].strip()
    return not _is_ahead_of_time(headers) and _judge_agent(agent).kind == PERSON


def _is_ahead_of_time(headers: Mapping[str, str]) -> bool:
    purpose = " ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")).lower()
    return any(word in purpose for word in ("prefetch", "prerender", "preview"))


@lru_cache(maxsize=4096)
def _judge_agent(agent: str) -> Verdict:
    if not agent:
        return Verdict(BOT, "no user agent")
    if found := _PREVIEW.search(agent):
        return Verdict(PREVIEW, f"link preview: {found.group().strip('/').lower()[:40]}")
    detect = CrawlerDetect(user_agent=agent)
    if detect.is_crawler():
        return Verdict(BOT, f"crawler: {(detect.get_matches() or 'unnamed')[:45]}")
    return Verdict(PERSON)


@lru_cache(maxsize=4096)
def device_of(agent: str) -> str:
    """Return 'phone', 'tablet', 'desktop' or '' (unknown) for a user agent."""
    agent = agent[:LONGEST_AGENT]
    system = ua_parser.parse_os(agent)
    family = system.family if system else ""
    if _TABLETS.search(agent) or (family == "Android" and "mobile" not in agent.lower()):
        return "tablet"
    if family in ("iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS", "BlackBerry OS"):
        return "phone"
    desktop = ("Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian", "FreeBSD")
    return "desktop" if family in desktop else ""
