"""Cursors: where a walk through a list goes on, bound to the query that it belongs to."""

import base64
import binascii
import hashlib
import math
import re
from typing import Any

import orjson

from schemas.slugs import is_slug

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FINGERPRINT = 9  # bytes of a digest: enough to tell one's own queries apart


def fingerprint(query: Any) -> str:
    """A short name for a query, the same for the same filters and order."""
    digest = hashlib.sha256(repr(query).encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:_FINGERPRINT]).decode()


def encode(query: str, position: tuple[Any, ...]) -> str:
    """The cursor for a position in a query, given by its fingerprint."""
    text = orjson.dumps([query, *position])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode(cursor: str, query: str) -> tuple[Any, ...]:
    """The position that a cursor holds; ValueError where it is none, or another query's."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        held = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, UnicodeEncodeError):
        raise ValueError("Is not a cursor of this service; take it from page.next.") from None
    if not isinstance(held, list) or not held or encode(str(held[0]), tuple(held[1:])) != cursor:
        raise ValueError("Is not a cursor of this service; take it from page.next.")
    if held[0] != query:
        raise ValueError("Belongs to another query; begin again without a cursor.")
    if not _sound(position := tuple(held[1:])):
        raise ValueError("Is not a cursor of this service; take it from page.next.")
    return position


def _sound(position: tuple[Any, ...]) -> bool:
    match position:
        case (str(record),) | (None, None, str(record)):
            return is_slug(record)
        case (str(earliest), str(latest), str(record)):
            days = _DAY.fullmatch(earliest) and _DAY.fullmatch(latest)
            return bool(days) and is_slug(record)
        case (float(rank), int(hit)):
            return math.isfinite(rank) and 0 <= hit < 2**63
    return False
