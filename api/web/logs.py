"""Around the whole application: request ids, one log line a request, figures, headers for safety.

>>> app.wsgi_app = Surroundings(app.wsgi_app)

It is WSGI, not hooks of Flask, because some answers never reach Flask, because only here the end of
a stream is seen, and because it costs a fifth of what hooks would.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from api.web.at_hand import is_any, request
from api.web.problems import KINDS, MIMETYPE

Headers = list[tuple[str, str]]

REQUEST_ID = "readout.request_id"
ROUTE = "readout.route"

SAFE: Headers = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
NOTHING_LOADS = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
# Anyone's page may read, as anyone may; none may write.
READS: Headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Link, Readout-Count, X-Request-Id"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
]
WRITES: Headers = [("Cross-Origin-Resource-Policy", "same-origin")]
PREFLIGHT: Headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "Authorization, If-None-Match, X-Request-Id"),
    ("Access-Control-Max-Age", "86400"),
]

LINE = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
acceptable = re.compile(r"[A-Za-z0-9._-]{1,100}").fullmatch
# What somebody may have put into a query string by mistake.
secret = re.compile(r"([^&=]*(?:key|token|secret|passw)[^&=]*=)[^&]*", re.IGNORECASE)
suspect = re.compile("key|token|secret|passw", re.IGNORECASE).search  # is quicker than the above

log = logging.getLogger("readout")


class Lines(logging.Formatter):
    """Formats what is logged as one line of JSON, with the id of the request where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None) or (
            request.environ.get(REQUEST_ID) if is_any() else None
        ):
            line["id"] = request_id
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()
        except TypeError:  # A lone surrogate in the message.
            line["message"] = ascii(line["message"])
            line["trace"] = ascii(line.get("trace"))
            return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()


def configure(level: str) -> None:
    """Log to standard error, from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


class Surroundings:
    """The application, with all that is around every answer."""

    def __init__(self, app: WSGIApplication, level: str = "info") -> None:
        from api.web import metrics  # Only in a process that serves: see there.

        self.app = app
        self.metrics = metrics
        self.level = getattr(logging, level.upper())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        answer = Answer(self, environ)
        self.metrics.IN_FLIGHT.inc()
        try:
            answer.body = self.app(environ, answer.start)
            # What is whole goes to the server at once, which needs no thread to send it.
            chunks = answer.gather() if answer.whole else answer.open()
        except Exception:
            log.exception("a request failed", extra={"request_id": answer.request_id})
            chunks = answer.fail()
        start_response(answer.status, answer.headers)
        return chunks

    def finish(self, answer: "Answer") -> None:
        """Count and log an answer that is at its end."""
        environ = answer.environ
        seconds = perf_counter() - answer.began
        status = int(answer.status[:3])
        method = environ["REQUEST_METHOD"]
        route = environ.get(ROUTE, "unmatched")
        self.metrics.IN_FLIGHT.dec()
        self.metrics.count(method, route, status, seconds)
        level = logging.ERROR if status >= 500 or answer.failed else logging.INFO
        if level < self.level:
            return
        query = readable(environ.get("QUERY_STRING", ""), 1500)
        line = {
            "ts": datetime.now(UTC),
            "level": "error" if level == logging.ERROR else "info",
            "id": answer.request_id,
            "method": readable(method, 20),
            "path": readable(environ.get("PATH_INFO", ""), 500),
            "query": secret.sub(r"\1…", query) if suspect(query) else query,
            "route": route,
            "status": status,
            "bytes": answer.size,
            "ms": round(seconds * 1000, 3),
            "remote": environ.get("REMOTE_ADDR", ""),
            "agent": readable(environ.get("HTTP_USER_AGENT", ""), 200),
        }
        if not answer.complete:
            line["aborted"] = True
        # One write: lines of several workers do not mix. A log that nobody reads stops no request.
        with suppress(OSError):
            os.write(2, orjson.dumps(line, option=LINE))


class Answer:
    """One answer on its way out, and, where it is a stream, what the server takes it from."""

    __slots__ = (
        "ahead", "around", "began", "body", "chunks", "complete", "environ", "failed", "finished",
        "headers", "request_id", "size", "status", "whole",
    )  # fmt: skip

    def __init__(self, around: Surroundings, environ: WSGIEnvironment) -> None:
        self.began = perf_counter()
        self.around = around
        self.environ = environ
        given = environ.get("HTTP_X_REQUEST_ID", "")
        self.request_id = given if acceptable(given) else os.urandom(12).hex()
        environ[REQUEST_ID] = self.request_id
        self.status = ""
        self.headers: Headers = []
        self.body: Iterable[bytes] = ()
        self.chunks: Iterator[bytes] = iter(())
        self.ahead: bytes | None = None
        self.size = 0
        self.whole = self.complete = self.failed = self.finished = False

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:
        """Take the status and headers from the application, and add ours."""
        method = self.environ["REQUEST_METHOD"]
        names = {name.lower() for name, _ in headers}
        # Nothing is left to be made of an answer whose length is known, or which has no body.
        self.whole = "content-length" in names or method == "HEAD" or status[:3] in ("204", "304")
        self.status = status
        self.headers = [*headers, ("X-Request-Id", self.request_id), *SAFE]
        if "content-security-policy" not in names:
            self.headers.append(NOTHING_LOADS)
        if method in ("GET", "HEAD"):
            self.headers += READS
            return
        self.headers += WRITES
        asked = self.environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if method == "OPTIONS" and asked in ("GET", "HEAD"):
            self.headers += PREFLIGHT

    def gather(self) -> list[bytes]:
        """Take an answer that is whole."""
        whole = b"".join(self.body)
        self._close_body()
        self.size = len(whole)
        self.complete = True
        self.close()
        return [whole]

    def open(self) -> "Answer":
        """Open a stream: what fails before its first bytes can still be told."""
        self.chunks = iter(self.body)
        self.ahead = next(self.chunks, None)
        return self

    def fail(self) -> list[bytes]:
        """Tell of a failure of ours, and nothing of what it was."""
        with suppress(Exception):
            self._close_body()
        kind = KINDS["internal"]
        told = {
            "type": "/problems#internal",
            "title": kind.title,
            "status": 500,
            "detail": kind.explanation,
            "instance": readable(self.environ.get("PATH_INFO", ""), 500),
        }
        whole = orjson.dumps(told)
        self.start(
            "500 Internal Server Error",
            [("Content-Type", MIMETYPE), ("Content-Length", str(len(whole)))],
        )
        self.body = [] if self.environ["REQUEST_METHOD"] == "HEAD" else [whole]
        return self.gather()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self.chunks) if self.ahead is None else self.ahead
        except StopIteration:
            self.complete = True
            raise
        except Exception:
            self.failed = True
            log.exception("a stream failed", extra={"request_id": self.request_id})
            raise
        self.ahead = None
        self.size += len(chunk)
        return chunk

    def close(self) -> None:
        """End the answer, however far it came: the server calls this for streams."""
        try:
            self._close_body()
        finally:
            if not self.finished:
                self.finished = True
                self.around.finish(self)

    def _close_body(self) -> None:
        body, self.body = self.body, ()
        if close := getattr(body, "close", None):
            close()


def readable(given: str, most: int) -> str:
    """Decode what WSGI passes as Latin-1, cut so that a line stays below the limit of a pipe."""
    if given.isascii():
        return given[:most]
    return given[:most].encode("latin-1", "replace").decode("utf-8", "replace")


def exposition() -> tuple[bytes, str]:
    """Give the figures for Prometheus, and their media type."""
    from api.web import metrics  # Only in a process that serves: see there.

    return metrics.exposition(), metrics.CONTENT_TYPE_LATEST
