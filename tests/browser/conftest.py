"""A real browser on a live server. Every page opened here must be free of script errors and CSP violations."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.models import User

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK, NARROW = (390, 844), (1280, 900), (320, 640)
LOOKS: list[tuple[tuple[int, int], Literal["light", "dark"]]] = [
    (PHONE, "light"),
    (PHONE, "dark"),
    (DESK, "light"),
    (DESK, "dark"),
]
SERIOUS = {"serious", "critical"}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's Chromium, one for all tests."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[OpenPage]:
    """Return a function that opens a path of the live server as a person would, signed in if `user` is given.

    `scheme` is 'light' or 'dark', `size` width and height. What the console complains of fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on("console", lambda told: complaints.append(told.text) if _is_complaint(told.type, told.text) else None)

    def do(path: str, *, user: User | None = None, size=PHONE, scheme="light", expect=200, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            base_url=live_server.url,
            reduced_motion="reduce",
            **{"locale": "en-GB"} | options,
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        listen(page)
        response = page.goto(path)
        assert response is not None
        assert response.status == expect
        return page

    yield do
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(kind: str, text: str) -> bool:
    expected = "the server responded with a status of 4" in text
    return "Content Security Policy" in text or (kind == "error" and not expected)


def serious_violations(page: Page) -> list[str]:
    """Return what axe finds on the page that would keep somebody from using it, with where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


def sticks_out(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def look(open_page: OpenPage, name: str, path: str, **options: Any) -> None:
    """Open a page on phone and desk, by day and by night: axe finds nothing, and it fits the narrowest phone."""
    page = open_page(path, **options)
    for size, scheme in LOOKS:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme)
        page.reload()
        keep_picture(page, f"{name}-{size[0]}-{scheme}")
        assert serious_violations(page) == []
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    keep_picture(page, f"{name}-{NARROW[0]}")
    assert sticks_out(page) == 0
