"""API keys as text: how they are made, told from typing errors, and read from a request.

A key is `rdo_`, 30 random characters of base 62 (178 bits), and 6 that check the rest (CRC-32), so
that scanners for leaked secrets can find it, and a mistyped one costs no look at the database.
"""

import hashlib
import re
import secrets
import zlib

from api.web.at_hand import request

PREFIX = "rdo_"
RANDOM = 30
CHECK = 6
SHOWN = len(PREFIX) + 6  # characters by which a key is named once it is made
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECK}}}")
_BEARER = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE)


def new_key() -> str:
    """A new key."""
    made = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return made + _check(made)


def is_well_formed(key: str) -> bool:
    """Whether a text is a key that could exist."""
    return bool(_FORM.fullmatch(key)) and secrets.compare_digest(_check(key[:-CHECK]), key[-CHECK:])


def hashed(key: str) -> bytes:
    """What is stored of a key. It is random enough to need no salt and no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def given_key() -> str | None:
    """The key that the request at hand carries, well-formed or not; None where it has none."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    found = _BEARER.fullmatch(header)
    return found[1] if found else ""


def _check(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
