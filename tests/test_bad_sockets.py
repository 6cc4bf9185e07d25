"""What only a raw socket can send, to a real `readout serve`: one row a case.

Some of it never reaches the service: the server refuses what is not HTTP by itself, with a bare
status. Whatever it is, nothing of it is a 500, and the next request is answered as if it had not
been.
"""

import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

PATIENCE = 5  # seconds for any one answer
TOPICS = b"/v1/topics?limit=1"
SERVER = "server"  # Refused by the server itself, with a bare status.
OK = "200"


def get(
    target: bytes = TOPICS,
    headers: bytes = b"",
    body: bytes = b"",
    *,
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
    host: bytes = b"Host: localhost\r\n",
) -> bytes:
    """A request as bytes; the server closes the connection after it."""
    line = b"%b %b %b\r\n" % (method, target, version)
    return line + host + headers + b"Connection: close\r\n\r\n" + body


def kept(request: bytes) -> bytes:
    """The same, with the connection left open for the next."""
    return request.replace(b"Connection: close\r\n", b"")


def sent(length: int, body: bytes = b"") -> tuple[bytes, bytes]:
    return b"Content-Length: %d\r\n" % length, body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
DEEP = b"[" * 50_000

# The case; what is sent; for each answer its status and, of a problem, its type.
CASES: list[tuple[str, bytes, str]] = [
    ("plain", get(), OK),
    # Request lines
    ("NUL", get(b"/v1/topics/\0"), f"400 {SERVER}"),
    ("NUL escaped", get(b"/v1/topics/%00"), "404 not-found"),
    ("a byte that is no UTF-8", get(b"/v1/topics/\xff"), f"400 {SERVER}"),
    ("the same escaped", get(b"/v1/topics/%ff"), "404 not-found"),
    ("a lone surrogate", get(b"/v1/topics/%ED%A0%80"), "404 not-found"),
    ("UTF-8 as it is", get("/v1/topics/é".encode()), "404 not-found"),
    ("UTF-8 in the query", get("/v1/topics?q=é".encode()), "400 bad-request"),
    ("no UTF-8 in the query", get(b"/v1/topics?q=%ff"), "400 bad-request"),
    ("no UTF-8 for the page", get(b"/docs?%ff"), OK),
    ("line end in the path", get(b"/v1/topics/a%0d%0aX-Evil:%201"), "404 not-found"),
    ("line end in the query", get(b"/v1/topics?q=a%0d%0aX-Evil:%201"), OK),
    ("line end in a name", get(b"/v1/topics?a%0d%0aX-Evil:%201=1"), "400 invalid-parameter"),
    ("line end in a cursor", get(b"/v1/topics?limit=1&q=%0d%0aX-Evil:1&sort=id"), OK),
    ("blank in the path", get(b"/v1/topics/a b"), f"400 {SERVER}"),
    ("no path", get(b""), f"400 {SERVER}"),
    ("no slash", get(b"v1/topics"), f"400 {SERVER}"),
    ("slashes", get(b"/v1//topics"), "404 not-found"),
    ("slash at the end", get(b"/v1/topics/"), "404 not-found"),
    ("dots", get(b"/v1/../v1/topics"), "404 not-found"),
    ("dots out", get(b"/docs/static/../../../../etc/passwd"), "404 not-found"),
    ("dots out escaped", get(b"/docs/static/..%2f..%2fdocs.py"), "404 not-found"),
    ("fragment", get(b"/v1/topics?limit=1#x"), OK),
    ("absolute", get(b"http://evil.example/v1/topics?limit=1"), OK),
    ("asterisk", get(b"*"), "404 not-found"),
    ("4,001 bytes", get(b"/v1/topics?q=" + b"a" * 3988), "414 uri-too-long"),
    ("4,000 bytes", get(b"/v1/topics?q=" + b"a" * 3987), "400 invalid-parameter"),
    ("60,000 bytes", get(b"/v1/topics?q=" + b"a" * 60_000), "414 uri-too-long"),
    ("path of 4,011 bytes", get(b"/v1/topics/" + b"%00" * 1333 + b"%"), "414 uri-too-long"),
    ("100,000 bytes", get(b"/v1/topics?q=" + b"a" * 100_000), f"414 {SERVER}"),
    ("5,000 digits", get(b"/v1/topics?limit=" + b"9" * 3900), "400 invalid-parameter"),
    # Methods and versions
    ("FOO", get(method=b"FOO"), "405 method-not-allowed"),
    ("TRACE", get(method=b"TRACE"), "405 method-not-allowed"),
    ("PROPFIND", get(method=b"PROPFIND"), "405 method-not-allowed"),
    ("a long method", get(method=b"A" * 5000), "405 method-not-allowed"),
    ("an impossible method", get(method=b"G(T"), f"400 {SERVER}"),
    ("no method", b" /v1/topics HTTP/1.1\r\nHost: localhost\r\n\r\n", f"400 {SERVER}"),
    ("CONNECT", get(b"localhost:80", method=b"CONNECT"), "404 not-found"),
    ("HEAD", get(method=b"HEAD"), OK),
    ("HEAD of nothing", get(b"/nope", method=b"HEAD"), "404 not-found"),
    ("HTTP/1.0", b"GET /v1/topics?limit=1 HTTP/1.0\r\n\r\n", OK),
    ("HTTP/0.9", b"GET /v1/topics\r\n", f"400 {SERVER}"),
    ("HTTP/9.9", get(version=b"HTTP/9.9"), f"400 {SERVER}"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", f"400 {SERVER}"),
    # Headers
    ("a forged request id", get(headers=b"X-Request-Id: a\rX-Evil: 1\r\n"), f"400 {SERVER}"),
    ("the same after a bare line feed", get(headers=b"X-Request-Id: a\nX-Evil: 1\r\n"), OK),
    ("a request id of no ASCII", get(headers=b"X-Request-Id: \xff\r\n"), OK),
    ("two request ids", get(headers=b"X-Request-Id: a\r\nX-Request-Id: b\r\n"), OK),
    ("a folded header", get(headers=b"X-Request-Id: a\r\n b\r\n"), f"400 {SERVER}"),
    ("no colon", get(headers=b"nonsense\r\n"), f"400 {SERVER}"),
    ("no host", get(host=b""), OK),
    ("two hosts", get(host=b"Host: a\r\nHost: b\r\n"), OK),
    ("odd host", get(host=b"Host: a b\xff\r\n"), OK),
    (
        "1,000 headers",
        get(headers=b"".join(b"X-%d: 1\r\n" % n for n in range(1000))),
        f"431 {SERVER}",
    ),
    ("a header of a megabyte", get(headers=b"X: " + b"a" * 2**20 + b"\r\n"), f"431 {SERVER}"),
    (
        "blanks in Accept",
        get(headers=b"Accept: a/b" + b" " * 40_000 + b"c\r\n"),
        "406 not-acceptable",
    ),
    ("a web socket", get(headers=b"Upgrade: websocket\r\nConnection: upgrade\r\n"), OK),
    ("impossible date", get(b"/docs", b"If-Modified-Since: 1 Jan 99999999999 00:00:00\r\n"), OK),
    ("override", get(headers=b"X-HTTP-Method-Override: DELETE\r\n"), OK),
    # Bodies
    ("a body", get(TOPICS, *sent(5, b"hello")), OK),
    ("deep JSON", get(TOPICS, *sent(len(DEEP), DEEP)), OK),
    ("less than was told", get(TOPICS, *sent(500, b"hello")), OK),
    ("more than was told", get(TOPICS, *sent(2, b"hello")), OK),
    (
        "a length of 5,000 digits",
        get(headers=b"Content-Length: " + b"9" * 5000 + b"\r\n"),
        f"400 {SERVER}",
    ),
    ("a negative length", get(headers=b"Content-Length: -1\r\n"), f"400 {SERVER}"),
    ("two lengths", get(headers=sent(5)[0] + sent(6)[0], body=b"hello!"), f"400 {SERVER}"),
    ("chunks", get(TOPICS, CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"), OK),
    ("a bad chunk", get(TOPICS, CHUNKED, b"zz\r\nhello\r\n0\r\n\r\n"), OK),
    ("half a chunk", get(TOPICS, CHUNKED, b"5\r\nhel"), OK),
    ("length and chunks", get(TOPICS, sent(5)[0] + CHUNKED, b"0\r\n\r\n"), OK),
    ("unknown coding", get(TOPICS, b"Transfer-Encoding: xchunked\r\n"), f"400 {SERVER}"),
    ("continue", get(TOPICS, b"Expect: 100-continue\r\n" + sent(5)[0], b"hello"), OK),
    ("a miracle", get(TOPICS, b"Expect: a miracle\r\n"), OK),
    # Several on one connection
    (
        "a pipeline",
        kept(get()) + kept(get(b"/nope")) + kept(get(b"/v1/topics?x=1")) + get(),
        f"{OK}, 404 not-found, 400 invalid-parameter, {OK}",
    ),
    ("after a body", kept(get(TOPICS, *sent(5, b"hello"))) + get(b"/nope"), f"{OK}, 404 not-found"),
    (
        "after an overlong URL",
        kept(get(b"/v1/topics?q=" + b"a" * 5000)) + get(),
        f"414 uri-too-long, {OK}",
    ),
]


@pytest.fixture(scope="module")
def address(live: str) -> tuple[str, int]:
    found = urlsplit(live)
    return str(found.hostname), int(found.port or 80)


def exchange(address: tuple[str, int], request: bytes) -> bytes:
    """Send, and take all that comes until the server closes."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(request)
        came = b""
        while piece := connection.recv(65536):
            came += piece
    return came


def answers(came: bytes) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """The answers in what came: status, headers and body."""
    while came:
        head, _, came = came.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0))
        yield status.split()[1], headers, came[:length]
        came = came[length:]


@pytest.mark.parametrize(
    ("request_", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_whatever_is_sent_is_answered(
    address: tuple[str, int], request_: bytes, expected: str
) -> None:
    told = []
    for status, headers, body in answers(exchange(address, request_)):
        assert "x-evil" not in headers
        if status < "400":
            told.append(status)
        elif "x-request-id" not in headers:
            assert body == b""
            told.append(f"{status} {SERVER}")
        else:
            assert headers["content-type"] == "application/problem+json"
            kind = re.search(rb"^{\"type\":\"/problems#([a-z-]+)\"", body)
            told.append(f"{status} {kind[1].decode()}" if kind else status)
            assert not body or json.loads(body)["status"] == int(status)
    wanted = [one if request_[:5] != b"HEAD " else one.split()[0] for one in expected.split(", ")]
    assert told == wanted
    assert b"200 OK" in exchange(address, get(b"/healthz"))[:20]


def in_flight(live: str) -> float:
    with urlopen(f"{live}/metrics", timeout=PATIENCE) as answer:
        found = re.search(rb"^readout_requests_in_flight (\S+)$", answer.read(), re.MULTILINE)
    assert found
    return float(found[1])


def test_clients_that_dawdle_or_vanish_leave_nothing_behind(
    live: str, address: tuple[str, int]
) -> None:
    begun = [get(b"/v1/records")[:40], get()[:10], get(TOPICS, *sent(100_000))[:-2], b""]
    asked = [
        get(b"/v1/records"),
        kept(get(b"/v1/statements?format=csv")),
        get(b"/docs/swagger-ui/swagger-ui-bundle.js"),
    ]
    dawdling = [socket.create_connection(address, timeout=PATIENCE) for _ in range(120)]
    for number, connection in enumerate(dawdling):
        connection.sendall((begun + asked)[number % 7])
    assert b"200 OK" in exchange(address, get(b"/readyz"))[:20]
    for number, connection in enumerate(dawdling):
        if number % 2:  # A reset, not a farewell.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    for _ in range(40):  # Gone before anything is answered.
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(get(b"/v1/records"))
    end = time.monotonic() + PATIENCE
    while in_flight(live) > 1:  # The one that asks for the figure.
        assert time.monotonic() < end
        time.sleep(0.05)
    for _ in range(40):
        assert b'{"end":true,' in exchange(address, get(b"/v1/records"))[-200:]
