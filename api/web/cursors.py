"""Cursors: where a walk through a list goes on, bound to the query that it belongs to."""

import base64
import binascii
import hashlib
import math
import re
from typing import Any

import orjson

from schemas.slugs import is_slug

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FINGERPRINT = 9  # bytes of a digest: enough to tell one's own queries apart


def fingerprint(query: Any) -> str:
    """A short name for a query, the same for the same filters and order."""
    digest = hashlib.sha256(repr(query).encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:_FINGERPRINT]).decode()


def encode(query: str, position: tuple[Any, ...]) -> str:
    """The cursor for a position in a query, given by its fingerprint."""
    text = orjson.dumps([query, *position])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode(cursor: str, query: str, sort: str) -> tuple[Any, ...]:
    """The position in an order that a cursor holds; ValueError where it is not this query's.

    A cursor is no secret and can be made up, so nothing in it is trusted.
    """
    none_of_ours = ValueError("Is not a cursor of this service; take it from page.next.")
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        held = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, UnicodeEncodeError):
        raise none_of_ours from None
    flat = isinstance(held, list) and held and not any(isinstance(p, list | dict) for p in held)
    if not flat or encode(str(held[0]), tuple(held[1:])) != cursor:
        raise none_of_ours
    if held[0] != query:
        raise ValueError("Belongs to another query; begin again without a cursor.")
    if not _sound(position := tuple(held[1:]), sort):
        raise none_of_ours
    return position


def _sound(position: tuple[Any, ...], sort: str) -> bool:
    """Whether this can be a position in the order: by id, by relevance, else by date."""
    match sort, position:
        case "id", (str(record),):
            return is_slug(record)
        case "relevance", (float(rank), str(record)):
            return math.isfinite(rank) and is_slug(record)
        case (("id" | "relevance"), _):
            return False
        case _, (None, None, str(record)):
            return is_slug(record)
        case _, (str(earliest), str(latest), str(record)):
            days = _DAY.fullmatch(earliest) and _DAY.fullmatch(latest)
            return bool(days) and is_slug(record)
    return False
