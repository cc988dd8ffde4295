"""An endpoint on the loopback that behaves as it is told, and a verifier written from the text of Standard Webhooks."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Answers with `status`, `headers` and `body` after `wait` seconds, and keeps what came."""

    def __init__(self, status=200, body=b"ok", headers=None, wait=0.0):
        self.status, self.body, self.headers, self.wait = status, body, headers or {}, wait
        self.calls, self.at_once, self.most_at_once = [], 0, 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver._answer(self)

            def log_message(self, *args):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook?a=b"

    def _answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.calls.append(({name.lower(): value for name, value in handler.headers.items()}, body))
        time.sleep(self.wait)
        with self._lock:
            self.at_once -= 1
        try:
            handler.send_response(self.status)
            for name, value in self.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(self.body)
        except OSError:
            return

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def payloads(self):
        return [json.loads(body) for _, body in self.calls]


def verified_by(secret, headers, body):
    """Tell whether one signature is the secret's, as the specification tells receivers to check it."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(part == f"v1,{wanted}" for part in headers["webhook-signature"].split(" "))
