"""Strict JSON (RFC 8259), where Python's own reader is lax; and its canonical form (RFC 8785)."""

import json
from math import isinf
from typing import Any

import orjson
import rfc8785

TOLD = 200


class NotJson(ValueError):
    """The text is no JSON, or not such as every reader understands alike; it says why."""


def parse(text: bytes) -> Any:
    """What JSON says. Repeated names, NaN, lone surrogates and overlong numbers are refused."""
    try:
        return _parsed(text)
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)[:TOLD].rstrip(".")) from None


def _parsed(text: bytes) -> Any:
    """Python's reader sees repeated names; orjson checks escapes, and says better what is wrong."""
    try:
        parsed = json.loads(
            text.decode(), object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite
        )
    except (ValueError, RecursionError):
        orjson.loads(text)
        raise
    if b"\\u" in text:
        orjson.loads(text)
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the name {name[:80]!r} stands twice in an object")
            seen.add(name)
    return made


def _finite(number: str) -> float:
    if isinf(made := float(number)):
        raise ValueError(f"{number[:80]} is out of range")
    return made


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON")


def canonical(value: Any) -> bytes:
    """A value in canonical JSON, in the bytes that the package rfc8785 gives.

    orjson writes the same at a tenth of the cost where all names are ASCII and no number has a
    fraction. Records are so, by their schemas; a test holds both to it.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except TypeError:
        return rfc8785.dumps(value)
