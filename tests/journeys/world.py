"""What stands around the product in a whole loop: the company's shop with its key, the mailbox, a landing page."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from accounts.models import User
from accounts.services import create_api_key
from messaging.mailbox import StoredMail, mail_heads, read_mail

ANN = {"external_id": "c-ann", "email": "ann@shop.example", "name": "Ann Ackermann"}
BOB = {"external_id": "c-bob", "email": "bob@shop.example", "name": "Bob Miller"}
STAFF, PASSWORD = "marketer@shop.example", "correct horse battery staple"
PROGRAM = """\
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: {landing}
qualifies: {{on: purchase, min_amount: "20.00"}}
hold_days: 14
rewards:
  - {{id: advocate-fixed, to: advocate, on: qualified, points: 500}}
  - {{id: friend-first, to: friend, on: qualified, points: 100}}
"""


@dataclass
class World:
    """One installation at `url` with its mail folder, and a shop that holds a real API key."""

    url: str
    folder: Path
    key: str

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API over HTTP as the shop does; return the answer's JSON, and fail where it is refused."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json()

    def event(self, kind: str, customer: dict, **more: Any) -> Any:
        """Report a fact of now."""
        body = {"event_id": f"{kind}-{customer['external_id']}", "type": kind, "customer": customer}
        return self.send("POST", "/events", body | {"occurred_at": datetime.now(UTC).isoformat()} | more)

    def mail(self, to: str, about: str) -> StoredMail:
        """Return the newest mail to somebody with these words in it."""
        found = [head for head in mail_heads(self.folder, search=f"{to} {about}") if to in head.to]
        assert found, [(head.to, head.subject) for head in mail_heads(self.folder)]
        mail = read_mail(self.folder, found[0].name)
        assert mail is not None
        return mail

    def code_for(self, to: str) -> str:
        """Return the sign-in code mailed last."""
        found = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", self.mail(to, "sign-in code").text)
        assert found
        return found.group()


def open_world(url: str, folder: Path, settings: Any) -> World:
    """Let mails of the installation at `url` go to `folder`, and make a key and a marketer."""
    settings.PUBLIC_BASE_URL = url
    settings.EMAIL_BACKEND = "messaging.backends.FolderBackend"
    settings.EMAIL_FILE_PATH = str(folder)
    settings.MAIL_PAGE = True
    User.objects.create_superuser(STAFF, PASSWORD)
    return World(url, folder, create_api_key(name="shop", scopes=["read", "write"])[1])


def click_in(address: str) -> str:
    """Return the click id that the redirect added to the landing address."""
    return parse_qs(urlsplit(address).query)["click"][0]


def score_link(mail: StoredMail, score: int) -> str:
    """Return the address behind one score of a survey mail."""
    found = re.search(rf'href="([^"]+\?score={score})"', mail.html)
    assert found
    return unescape(found.group(1))


def after_the_hold() -> str:
    """Return a moment when the 14 days are over, for `run_due --as-of`."""
    return (datetime.now(UTC) + timedelta(days=15)).isoformat()
