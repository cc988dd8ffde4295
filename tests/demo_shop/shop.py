"""The demo shop: a landing page, a sign-up, an order and an account, behind a strict content policy."""

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

FIELDS = ("ref", "click")


@dataclass
class DemoShop:
    """What the shop knows: where Goodword is, its keys, its customers and orders; `js` are its own few lines."""

    goodword: str
    key: str
    publishable_key: str
    identity_secret: str
    consent: str = "given"
    orders: list[dict[str, Any]] = field(default_factory=list)
    js: str = """
      window.goodword = window.goodword || [];
      const token = document.querySelector("meta[name=goodword-identity]");
      if (token) goodword.push(["identify", token.content]);
    """

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Serve one request."""
        request = Request(environ)
        pages = {"/welcome": self.landing, "/signup": self.sign_up, "/order": self.order, "/account": self.account}
        if request.path == "/shop.js":
            response = Response(self.js, content_type="text/javascript")
        elif request.path in pages:
            response = Response(pages[request.path](request), content_type="text/html; charset=utf-8")
        else:
            response = Response("not here", status=404)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {self.goodword}; connect-src {self.goodword}; form-action 'self'"
        )
        for name in FIELDS:  # without any script: what the link carried, kept by the shop itself
            if request.args.get(name):
                response.set_cookie(name, request.args[name])
        return response(environ, start_response)

    def landing(self, request: Request) -> str:
        """The page that share links lead to."""
        return self._page(
            f"<h1>Welcome</h1>{self._form(request, '/signup', 'Join')}{self._form(request, '/order', 'Buy')}"
        )

    def sign_up(self, request: Request) -> str:
        """A new account."""
        self._report("signup", request, f"signup-{request.form['customer']}")
        return self._page(f"<h1>You are in</h1>{self._form(request, '/order', 'Buy')}")

    def order(self, request: Request) -> str:
        """An order, with whatever the customer typed as code or coupon."""
        number = f"order-{len(self.orders) + 1}"
        order = {"id": number, "amount": "59.90", "currency": "EUR"}
        self.orders.append(self._report("purchase", request, number, order=order))
        return self._page("<h1>Thank you</h1><goodword-refer placement='post_purchase'></goodword-refer>")

    def account(self, request: Request) -> str:
        """The customer's account with the widget in it."""
        customer = request.args.get("customer", "")
        said = f"{customer}.{int(time.time()) + 3600}"
        mark = hmac.new(self.identity_secret.encode(), said.encode(), hashlib.sha256).hexdigest()
        token = f'<meta name="goodword-identity" content="{escape(said)}.{mark}">' if customer else ""
        return self._page(
            f"<h1>Account</h1><goodword-refer mode='{request.args.get('mode', 'page')}'></goodword-refer>", token
        )

    def _report(self, kind: str, request: Request, event_id: str, **more: Any) -> dict[str, Any]:
        given = {name: request.form.get(name) or request.cookies.get(name, "") for name in FIELDS}
        referral = {
            "click_id": given["click"],
            "code": request.form.get("code") or given["ref"],
            "coupon": request.form.get("coupon", ""),
        }
        body = {
            "event_id": event_id,
            "type": kind,
            "occurred_at": datetime.now(UTC).isoformat(),
            "customer": {"external_id": request.form["customer"], "email": f"{request.form['customer']}@mail.example"},
            "referral": {name: value for name, value in referral.items() if value},
            **more,
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = requests.post(f"{self.goodword}/api/v1/events", json=body, headers=headers, timeout=20)
        assert answer.ok, answer.text
        return dict(answer.json())

    def _form(self, request: Request, action: str, word: str) -> str:
        hidden = "".join(f"<input type='hidden' name='{name}' data-goodword='{name}'>" for name in FIELDS)
        customer = escape(request.form.get("customer", ""))
        fields = f"{hidden}<label>Name <input name='customer' value='{customer}'></label>"
        fields += "<label>Code <input name='code'></label><label>Coupon <input name='coupon'></label>"
        return f"<form method='post' action='{action}'>{fields}<button>{word}</button></form>"

    def _page(self, body: str, head: str = "") -> str:
        widget = f"data-key='{self.publishable_key}' data-consent='{self.consent}'"
        return (
            "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Shop</title>"
            f"<meta name='viewport' content='width=device-width'>{head}<script src='/shop.js'></script>"
            f"<script src='{self.goodword}/widget.js' {widget} async></script></head><body>{body}</body></html>"
        )


@contextmanager
def serving(shop: DemoShop) -> Iterator[str]:
    """Serve the shop on 127.0.0.1 while the block runs; give its origin."""
    server = make_server("127.0.0.1", 0, shop, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
