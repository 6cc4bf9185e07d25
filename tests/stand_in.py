"""An application that does on purpose what ours must not, inside all that is around ours."""

import os
import time
from collections.abc import Iterator

from flask import Flask, Response, request

from api.web import logs

inner = Flask(__name__)


@inner.before_request
def begin() -> None:
    if request.url_rule:
        request.environ[logs.ROUTE] = request.url_rule.rule


@inner.get("/pid")
def pid() -> str:
    return str(os.getpid())


@inner.get("/slow")
def slow() -> str:
    """Take a second."""
    time.sleep(1)
    return "done"


@inner.get("/stream")
def stream() -> Response:
    """Take as many tenths of a second as there are lines."""

    most = int(request.args["lines"])

    def lines() -> Iterator[bytes]:
        for number in range(most):
            yield b"%d\n" % number
            time.sleep(0.1)

    return Response(lines(), mimetype="application/x-ndjson")


@inner.get("/endless")
def endless() -> Response:
    """Never end by itself."""

    def chunks() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    return Response(chunks(), mimetype="text/plain")


@inner.get("/crash")
def crash() -> str:
    """End the whole worker."""
    os._exit(1)


@inner.get("/broken")
def broken() -> Response:
    """Fail after the first bytes are out."""

    def chunks() -> Iterator[bytes]:
        yield b"first\n"
        raise ValueError("hunter2")

    return Response(chunks(), mimetype="text/plain")


logs.configure("info")
app = inner
inner.wsgi_app = logs.Surroundings(inner.wsgi_app)  # type: ignore[method-assign]
