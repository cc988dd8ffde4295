# ruff: noqa: E501 - user agents are long
import pytest

from referrals.bots import BOT, PERSON, PREVIEW, device_of, judge_visit

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
AGENTS = [
    (PERSON, "desktop", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36"),
    (PERSON, "desktop", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"),
    (PERSON, "desktop", f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.1 Safari/605.1.15"),
    (PERSON, "desktop", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/131.0.0.0"),
    (PERSON, "desktop", f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36"),
    (PERSON, "desktop", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (PERSON, "phone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile/15E148 Safari/604.1"),
    (PERSON, "phone", f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36"),
    (PERSON, "phone", "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"),
    (PERSON, "phone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Mobile/15E148 Instagram 330.0.3.29.92 (iPhone14,5; iOS 17_5)"),
    (PERSON, "phone", f"Mozilla/5.0 (Linux; Android 13; SM-G991B; wv) {CHROME} Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/442.0.0.44.114;]"),
    (PERSON, "phone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {WEBKIT} Mobile/15E148 [Pinterest/iOS]"),
    (PERSON, "phone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {WEBKIT} GSA/340.3 Mobile/15E148 Safari/604.1"),
    (PERSON, "tablet", f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1"),
    (PERSON, "tablet", f"Mozilla/5.0 (Linux; Android 13; SM-X200) {CHROME} Safari/537.36"),
    (PREVIEW, "", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    (PREVIEW, "", "WhatsApp/2.23.20.0 A"),
    (PREVIEW, "", "Twitterbot/1.0"),
    (PREVIEW, "", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"),
    (PREVIEW, "", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    (PREVIEW, "", "TelegramBot (like TwitterBot)"),
    (PREVIEW, "", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"),
    (PREVIEW, "", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"),
    (PREVIEW, "", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"),
    (PREVIEW, "", "http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.social/)"),
    (PREVIEW, "", "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)"),
    (BOT, "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    (BOT, "", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
    (BOT, "", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"),
    (BOT, "", "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"),
    (BOT, "", "curl/8.5.0"),
    (BOT, "", "python-requests/2.32.3"),
    (BOT, "", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36"),
    (BOT, "", "okhttp/4.9.3"),
    (BOT, "", "Go-http-client/2.0"),
    (BOT, "", ""),
    (BOT, "", "   "),
]  # fmt: skip
PERSONS = AGENTS[0][2]


@pytest.mark.parametrize(("kind", "agent"), [(kind, agent) for kind, _, agent in AGENTS])
def test_judge_visit_tells_people_from_bots_and_previews(kind, agent):
    verdict = judge_visit({"user-agent": agent})

    assert verdict.kind == kind
    assert bool(verdict.why) == (kind != PERSON)


@pytest.mark.parametrize(("device", "agent"), [(device, agent) for kind, device, agent in AGENTS if kind == PERSON])
def test_device_of_people(device, agent):
    assert device_of(agent) == device


@pytest.mark.parametrize(
    ("header", "value", "kind"),
    [
        ("sec-purpose", "prefetch;prerender", BOT),
        ("purpose", "prefetch", BOT),
        ("x-moz", "prefetch", BOT),
        ("x-purpose", "preview", BOT),
        ("sec-fetch-dest", "image", BOT),
        ("sec-fetch-dest", "iframe", BOT),
        ("sec-fetch-dest", "empty", BOT),
        ("sec-fetch-dest", "document", PERSON),
        ("sec-fetch-mode", "no-cors", BOT),
        ("sec-fetch-mode", "navigate", PERSON),
    ],
)
def test_judge_visit_counts_only_what_somebody_opened(header, value, kind):
    verdict = judge_visit({"user-agent": PERSONS, header: value})

    assert (verdict.kind, verdict.embedded) == (kind, kind == BOT)


def test_judge_visit_is_not_slowed_by_a_huge_agent():
    assert judge_visit({"user-agent": "Mozilla/5.0 (" * 100_000}).kind in (PERSON, BOT)
