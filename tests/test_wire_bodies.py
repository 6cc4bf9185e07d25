"""Bodies as they come over the wire, to `readout serve` (granian) and to gunicorn.

A body that is cut, or is no HTTP, writes nothing and is no 500; what an unread body holds is never
taken for the next request.
"""

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.live import READOUT, free_port, ready
from tests.processes import Process
from tests.writing import new_key

COMMANDS = {
    "granian": (READOUT, "serve", "--workers", "1", "--bind"),
    "gunicorn": (sys.executable, "-m", "gunicorn", "--no-control-socket", "--threads", "4",
                 "api.wsgi:app", "--bind"),
}  # fmt: skip
PATIENCE = 20  # seconds for an answer
PIECE = b" " * 65_536
CHUNKED = b"Transfer-Encoding: chunked"
BARE = None  # Refused by the server itself, before the service sees it.
NEXT = b"GET /v1/topics/grain-deal?fields=id HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /v1/topics/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Server:
    """A server on a database of its own, and a key for it."""

    def __init__(self, name: str, port: int, key: str) -> None:
        self.name = name
        self.port = port
        self.key = key

    def request(
        self,
        body: bytes = b"",
        *headers: bytes,
        method: bytes = b"POST",
        path: bytes = b"/v1/topics",
        key: bool = True,
        media: bytes = b"application/json",
    ) -> bytes:
        """The bytes of a request; its length is told where no header says how it is sent."""
        lines = [method + b" " + path + b" HTTP/1.1", b"Host: x", b"Content-Type: " + media]
        if key:
            lines.append(b"Authorization: Bearer " + self.key.encode())
        if not headers:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, *headers, b"", body])

    def talk(self, sent: bytes, *, finish: bool = False) -> list[tuple[int, Any]]:
        """What is answered to what is sent, until the server ends it or as many as were asked."""
        with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE)) as line:

            def send() -> None:
                try:
                    line.sendall(sent)
                    if finish:
                        line.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # The server had heard enough.

            sender = threading.Thread(target=send)
            sender.start()
            got = b""
            try:
                while more := line.recv(65_536):
                    got += more
                    if NEXT not in sent and answers(got):
                        break
            except ConnectionError:
                pass
            sender.join()
        return answers(got)

    def get(self, path: str) -> Any:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        [(status, body)] = self.talk(request.encode())
        assert status == 200
        return body


def answers(got: bytes) -> list[tuple[int, Any]]:
    """The whole answers among bytes: the status of each, and what it says if that is JSON."""
    found: list[tuple[int, Any]] = []
    while head := re.match(rb"HTTP/1\.1 (\d+) .*?\r\n\r\n", got, re.DOTALL):
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", head[0])
        size = int(length[1]) if length else 0
        body = got[head.end() : head.end() + size]
        if len(body) < size:
            break
        got = got[head.end() + size :]
        told = json.loads(body) if body.startswith(b"{") else None
        if head[1] != b"100":
            found.append((int(head[1]), told))
    return found


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n", extension: bytes = b"") -> bytes:
    sent = (b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return b"".join(sent) + end


def topic(label: str) -> bytes:
    return json.dumps({"label": label}).encode()


@pytest.fixture(scope="module", params=COMMANDS)
def server(
    request: pytest.FixtureRequest,
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    url = new_database("sqlite", filled=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("READOUT_")}
    env |= {"READOUT_DATABASE_URL": url, "READOUT_LOG_LEVEL": "error"}
    port = free_port()
    log = tmp_path_factory.mktemp("wire") / "log"
    process = Process([*COMMANDS[request.param], f"127.0.0.1:{port}"], log, env=env)
    try:
        assert ready(f"http://127.0.0.1:{port}"), log.read_text()
        yield Server(request.param, port, new_key(url, "write", "retract"))
        assert not process.ended(), log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()


TAKEN: dict[str, Callable[[bytes], tuple[bytes, bytes]]] = {
    "by length": lambda body: (body, b"Content-Length: %d" % len(body)),
    "by length, and more": lambda body: (body + b"\r\n", b"Content-Length: %d" % len(body)),
    "one chunk": lambda body: (chunks(body), CHUNKED),
    "a byte a chunk": lambda body: (chunks(*(bytes([one]) for one in body)), CHUNKED),
    "chunks and blanks": lambda body: (chunks(*[PIECE] * 15, body), CHUNKED),
    "in capitals": lambda body: (chunks(body), b"TRANSFER-ENCODING: Chunked"),
    "asked before": lambda body: (body, b"Content-Length: %d\r\nExpect: 100-continue" % len(body)),
}


@pytest.mark.parametrize("way", TAKEN)
def test_a_body_is_taken_however_it_comes(server: Server, way: str) -> None:
    label = f"Wire {way} 🌊"
    body, headers = TAKEN[way](topic(label))
    [(status, told)] = server.talk(server.request(body, headers))
    assert (status, told.get("label")) == (201, label)
    assert server.get(f"/v1/topics/{told['id']}")["label"] == label


CUT = topic("Wire cut")
BROKEN: dict[str, tuple[bytes, bytes, set[int | None]]] = {
    # body, headers, status: of the service, or None where the server refuses it by itself
    "shorter than it says": (CUT, b"Content-Length: 100", {400}),
    "nothing of what it says": (b"", b"Content-Length: 100", {400}),
    "a chunk that is cut": (chunks(CUT, end=b"ff\r\n" + CUT), CHUNKED, {400}),
    "a chunk of no size": (b"zz\r\n{}\r\n0\r\n\r\n", CHUNKED, {400}),
    "a chunk of negative size": (b"-2\r\n{}\r\n0\r\n\r\n", CHUNKED, {400}),
    "a chunk too large to be": (b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n", CHUNKED, {400, 413}),
    # Granian takes what came before for the whole, which is no record here.
    "a chunk without its end": (b"2\r\n{}0\r\n\r\n", CHUNKED, {400, 422}),
    "no chunks": (CUT, CHUNKED, {400}),
    "no length": (CUT, b"X-Nothing: y", {400}),
    "a negative length": (CUT, b"Content-Length: -5", {BARE}),
    "a length that is none": (CUT, b"Content-Length: five", {BARE}),
    "a length with a plus": (CUT, b"Content-Length: +%d" % len(CUT), {BARE}),
    "two lengths": (CUT, b"Content-Length: 5\r\nContent-Length: 6", {BARE}),
    "a length beyond all": (CUT, b"Content-Length: " + b"9" * 30, {BARE, 413}),
    "a coding unheard of": (CUT, b"Transfer-Encoding: x", {BARE, 400}),
    "too large by its length": (b"", b"Content-Length: 1048577", {413}),
    "too large in chunks": (chunks(*[PIECE] * 17, CUT), CHUNKED, {413}),
    "of endless length": (b"", b"Content-Length: 99999999999", {413}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_body_that_is_broken_writes_nothing(server: Server, case: str) -> None:
    before = server.get("/v1/changes/checkpoint")
    body, headers, statuses = BROKEN[case]
    answered = server.talk(server.request(body, headers), finish=True)
    for status, told in answered[:1]:
        assert 400 <= status < 500 or (status == 501 and not told)  # A coding it does not know.
        assert (status if told else BARE) in statuses
    if statuses != {BARE}:  # Some end the connection without a word.
        assert answered
    assert server.get("/v1/changes/checkpoint") == before


UNREAD: dict[str, tuple[bytes, bytes, dict[str, Any], int]] = {
    "without a key": (SMUGGLED, b"", {"key": False}, 401),
    "of the wrong type": (SMUGGLED, b"", {"media": b"text/plain"}, 415),
    "coded": (SMUGGLED, b"Content-Encoding: gzip", {}, 415),
    "nowhere": (SMUGGLED, b"", {"path": b"/v1/nowhere"}, 404),
    "with a method that is not taken": (SMUGGLED, b"", {"path": b"/v1/changes"}, 405),
    "to what is not there": (SMUGGLED, b"", {"method": b"PATCH", "path": b"/v1/topics/no"}, 404),
    "of a DELETE": (SMUGGLED, b"", {"method": b"DELETE", "path": b"/v1/topics/no?reason=x"}, 404),
    "of a GET": (SMUGGLED, b"", {"method": b"GET", "path": b"/v1/topics/no"}, 404),
}


@pytest.mark.parametrize("chunked", [False, True], ids=["by length", "in chunks"])
@pytest.mark.parametrize("case", UNREAD)
def test_what_was_not_read_is_no_request(server: Server, case: str, chunked: bool) -> None:
    body, header, more, expected = UNREAD[case]
    sent = chunks(body) if chunked else body
    headers = [
        CHUNKED if chunked else b"Content-Length: %d" % len(body),
        *([header] if header else []),
    ]
    [(status, _), *following] = server.talk(server.request(sent, *headers, **more) + NEXT)
    assert status == expected
    # The next request is answered, or the connection ends; nothing is answered that was not asked.
    assert following in ([(200, {"id": "grain-deal"})], [])


def test_both_a_length_and_chunks(server: Server) -> None:
    """Whichever counts, the rest is not taken for another request."""
    body = chunks(topic("Wire both"), end=b"0\r\n\r\n")
    for length in (5, len(body) + len(NEXT)):
        headers = (CHUNKED, b"Content-Length: %d" % length)
        answered = server.talk(server.request(body, *headers) + SMUGGLED)
        assert len(answered) == 1
        assert answered[0][0] in (201, 400, 409)


@pytest.mark.parametrize(
    ("more", "length", "expected"),
    [({"key": False}, 10, 401), ({}, 10**11, 413), ({"path": b"/v1/nowhere"}, 10, 404)],
)
def test_who_asks_before_sending_is_told_no(
    server: Server, more: dict[str, Any], length: int, expected: int
) -> None:
    headers = (b"Content-Length: %d" % length, b"Expect: 100-continue")
    [(status, _)] = server.talk(server.request(b"", *headers, **more))
    assert status == expected
