import io
import json

from core.middleware import ChunkedBodies


def run(environ):
    """Return (status, answer, what the application read)."""
    seen, started = {}, []

    def application(environ, start_response):
        seen["body"] = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [])
        return [b"ok"]

    answer = b"".join(ChunkedBodies(application)(environ, lambda status, headers: started.append(status)))
    return started[0], answer, seen.get("body")


def test_chunked_body_reaches_the_application():
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b'{"a": 1}')}

    assert run(environ) == ("200 OK", b"ok", b'{"a": 1}')


def test_chunked_body_reaches_the_application_sabotaged():
    """Without the layer the application reads nothing of it."""
    environ = {"wsgi.input": io.BytesIO(b'{"a": 1}')}

    assert run(environ) == ("200 OK", b"ok", b"")


def test_chunked_body_of_one_megabyte_passes_and_one_more_byte_is_413():
    passed = run({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x" * 1_000_000)})
    status, answer, read = run({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x" * 1_000_001)})

    assert (passed[0], len(passed[2])) == ("200 OK", 1_000_000)
    assert (status.split()[0], json.loads(answer)["code"], read) == ("413", "body_too_large", None)


def test_body_of_announced_length_passes_unread():
    environ = {"CONTENT_LENGTH": "3", "wsgi.input": io.BytesIO(b"abc")}

    assert run(environ) == ("200 OK", b"ok", b"abc")
