"""Calls to the outside never reach the inside."""

import ipaddress
import re
import socket
import threading
import time

import pytest

from core import http
from core.http import ForbiddenAddress, Unreachable

INSIDE_V4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.1.2.3",
    "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
INSIDE_V6 = [
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2620:4f:8000::1", "3fff::1",
    "5f00::1", "fc00::1", "fd00::1", "fd12:3456:789a::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff05::2",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "93.184.216.34", "100.63.255.255", "100.128.0.1",
          "172.15.255.255", "172.32.0.1", "198.17.255.255", "223.255.255.255", "2001:4860:4860::8888",
          "2606:4700::1111", "2a00:1450:4001::1", "2400:cb00::1"]  # fmt: skip
DISGUISED = [
    "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0/", "http://0x7f.1/",
    "http://localhost/", "http://user@127.0.0.1/", "http://1.1.1.1@127.0.0.1/", "http://127.0.0.1:80@1.1.1.1/",
    "http://1.1.1.1\\@127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://127.0.0.1\t/",
    "http://127.0.0.1%00.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1/",
    "http://", "http:///x", "javascript:alert(1)", "http://127.0.0.1:22/", "http://1.1.1.1:8080/", "http://[::1",
    "http://１２７.0.0.1/", "http://127。0。0。1/", "http://ⓛocalhost/",
]  # fmt: skip


class Listener:
    """A server on the loopback that counts who comes."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", wait=0.0):
        self.answer, self.wait, self.connections, self.requests = answer, wait, 0, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self.requests.append(self._request(connection))
                time.sleep(self.wait)
                connection.sendall(self.answer)

    @staticmethod
    def _request(connection):
        """Read head and body, which may come in two packets."""
        read = connection.recv(65536)
        length = re.search(rb"Content-Length: (\d+)", read)
        while length and len(read.partition(b"\r\n\r\n")[2]) < int(length.group(1)):
            read += connection.recv(65536)
        return read


@pytest.fixture
def listen():
    listeners = []

    def start(**kwargs):
        listeners.append(Listener(**kwargs))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.socket.close()


@pytest.mark.parametrize("address", INSIDE_V4 + INSIDE_V6)
def test_send_to_inside_address_is_refused(address):
    literal = f"[{address}]" if ":" in address else address

    with pytest.raises(ForbiddenAddress):
        http.fetch(f"http://{literal}/", resolver=lambda host, port: [address])
    with pytest.raises(ForbiddenAddress):
        http.fetch("http://shop.example/", resolver=lambda host, port: [address])


@pytest.mark.parametrize("address", INSIDE_V4 + INSIDE_V6)
def test_send_to_name_with_one_inside_address_among_public_ones_is_refused(address):
    with pytest.raises(ForbiddenAddress):
        http.fetch("http://shop.example/", resolver=lambda host, port: ["1.1.1.1", address])


@pytest.mark.parametrize("url", DISGUISED)
def test_send_to_disguised_inside_address_is_refused(url):
    with pytest.raises((ForbiddenAddress, Unreachable)):
        http.fetch(url)


@pytest.mark.parametrize("address", PUBLIC)
def test_is_public_lets_the_internet_through(address):
    assert http.is_public(ipaddress.ip_address(address)) is True


def test_send_never_connects_to_a_listener_inside(listen, monkeypatch):
    listener = listen()
    monkeypatch.setattr(http, "PORTS", {"http": listener.port, "https": 443})

    for host in ("127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f000001", "127.1"):
        with pytest.raises(ForbiddenAddress):
            http.post_json(f"http://{host}/", {"a": 1})

    assert listener.connections == 0


def test_send_never_connects_to_a_listener_inside_sabotaged(listen, monkeypatch):
    listener = listen()
    monkeypatch.setattr(http, "PORTS", {"http": listener.port, "https": 443})
    monkeypatch.setattr(http, "is_public", lambda address: True)

    http.post_json("http://127.0.0.1/", {"a": 1})

    assert listener.connections == 1


def test_send_asks_for_a_name_once_and_connects_where_it_checked(listen, monkeypatch, settings):
    """The name's second answer, had anybody asked again, would be the listener inside."""
    listener = listen()
    answers = iter([["192.0.2.77"], ["127.0.0.1"]])
    asked, dialled = [], []

    def flipping(host, port):
        asked.append(host)
        return next(answers)

    def dial(address, *args, **kwargs):
        dialled.append(address[0])
        raise OSError("nobody there")

    monkeypatch.setattr(http, "is_public", lambda address: str(address) == "192.0.2.77")
    monkeypatch.setattr(http, "PORTS", {"http": listener.port, "https": 443})
    monkeypatch.setattr("urllib3.util.connection.create_connection", dial)

    with pytest.raises(Unreachable):
        http.fetch("http://rebind.example/", resolver=flipping)

    assert (asked, dialled, listener.connections) == (["rebind.example"], ["192.0.2.77"], 0)


def test_send_follows_no_redirect(listen, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    inside = listen()
    location = f"http://127.0.0.1:{inside.port}/".encode()
    outside = listen(answer=b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")

    answer = http.fetch(f"http://127.0.0.1:{outside.port}/")

    assert (answer.status, inside.connections) == (302, 0)


def test_post_json_sends_body_and_headers_when_private_addresses_are_allowed(listen, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    listener = listen()

    answer = http.post_json(f"http://127.0.0.1:{listener.port}/hook?a=b", {"n": 1}, headers={"X-Sign": "s"})

    assert (answer.status, answer.body) == (200, b"ok")
    request = listener.requests[0]
    assert request.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{listener.port}\r\n".encode() in request
    assert b"X-Sign: s\r\n" in request
    assert request.endswith(b'{"n": 1}')


def test_fetch_reads_at_most_64_kilobytes(listen, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    listener = listen(answer=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)

    answer = http.fetch(f"http://127.0.0.1:{listener.port}/")

    assert len(answer.body) == 64_000


def test_fetch_gives_up_on_a_silent_server(listen, settings, monkeypatch):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.3)
    listener = listen(wait=2)

    started = time.monotonic()
    with pytest.raises(Unreachable):
        http.fetch(f"http://127.0.0.1:{listener.port}/")

    assert time.monotonic() - started < 1.5


def test_fetch_of_unknown_name_is_unreachable():
    with pytest.raises(Unreachable):
        http.fetch("http://nowhere.invalid/")
