"""Strict JSON (RFC 8259): what Python's own reader lets through is refused."""

import json
from typing import Any

import orjson

TOLD = 200


class NotJson(ValueError):
    """The text is no JSON, or not such as every reader understands alike; it says why."""


def parse(text: bytes) -> Any:
    """What JSON says. Repeated names, NaN, lone surrogates and overlong numbers are refused."""
    try:
        # The one is strict on encoding, escapes and depth, the other sees each name.
        orjson.loads(text)
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)[:TOLD].rstrip(".")) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the name {name[:80]!r} stands twice in an object")
            seen.add(name)
    return made


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON")
