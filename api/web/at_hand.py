"""The request at hand, whether Flask dispatches it or not (see Service in api/__init__.py).

>>> from api.web.at_hand import request
>>> request.headers.get("Accept")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast
from wsgiref.types import WSGIEnvironment

from werkzeug.local import LocalProxy
from werkzeug.wrappers import Request

_held: ContextVar[Request] = ContextVar("readout.request")

request = cast("Request", LocalProxy(_held, unbound_message="There is no request at hand."))


@contextmanager
def held(environ: WSGIEnvironment) -> Iterator[None]:
    """Have a request at hand."""
    token = _held.set(Request(environ))
    try:
        yield
    finally:
        _held.reset(token)


def is_any() -> bool:
    """Whether there is a request at hand."""
    return _held.get(None) is not None
