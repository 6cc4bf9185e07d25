"""The body of a request: its type, its size, and strict JSON (RFC 8259)."""

from collections.abc import Sequence
from typing import Any

from werkzeug.http import parse_options_header

from api.web.at_hand import request
from api.web.problems import ProblemError
from schemas import json_text

MEBIBYTE = 1024 * 1024
PIECE = 64 * 1024

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


def read(types: Sequence[str], most: int) -> bytes:
    """The whole body, whose type must be one of those taken; `most` is in bytes."""
    check_type(types)
    declared = request.content_length
    if declared is not None and declared > most:
        raise _too_large(most)
    pieces: list[bytes] = []
    size = 0
    # `get_data()` would cut a chunked body that is too large without a word.
    while piece := _piece(most + 1 - size):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise _too_large(most)
    if declared is not None and size < declared:
        raise _cut()
    return b"".join(pieces)


def _piece(most: int) -> bytes:
    try:
        return request.stream.read(min(PIECE, most))
    except Exception:  # noqa: BLE001 (servers have errors of their own for what is no chunk)
        raise _cut() from None


def _cut() -> ProblemError:
    return ProblemError("malformed-body", "The body ends too early, or is not sent as HTTP has it.")


def check_type(types: Sequence[str]) -> str:
    """The media type of the body, which must be one of those taken."""
    given, options = parse_options_header(request.headers.get("Content-Type"))
    charset = options.get("charset", "utf-8").lower()
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    wrong = None
    if coding != "identity":
        wrong = "Send the body as it is, without a coding."
    elif given.lower() not in types or charset not in ("utf-8", "utf8"):
        wrong = f"Send {' or '.join(types)} in UTF-8, with its Content-Type."
    if wrong:
        headers = {"Accept-Patch": ", ".join(types)} if request.method == "PATCH" else {}
        raise ProblemError("unsupported-media-type", wrong, headers=headers)
    return given.lower()


def _too_large(most: int) -> ProblemError:
    return ProblemError("too-large", f"At most {most:,} bytes are taken here.")


def parse(body: bytes) -> Any:
    """What JSON says. Repeated names, NaN, lone surrogates and overlong numbers are refused."""
    if not body:
        raise ProblemError("malformed-body", "There is no body; send JSON.")
    try:
        return json_text.parse(body)
    except json_text.NotJson as error:
        raise ProblemError("malformed-body", f"The body is not JSON: {error}.") from None
