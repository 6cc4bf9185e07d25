"""If-Match and If-None-Match on writes (RFC 9110, section 13): whose turn it is to change a"
" record."""

import re

from flask import request

from api.web.problems import ProblemError

_TAG = re.compile(r'(W/)?"([!#-~]*)"')


def check(number: int | None, *, gone: bool = False) -> None:
    """Compare what the client saw with the number that stands; None where there is no record.

    Raises 428 where a change needs `If-Match`, 412 where it names another version.
    """
    match = request.headers.get("If-Match")
    none_match = request.headers.get("If-None-Match")
    if none_match is not None and none_match.strip() != "*":
        raise ProblemError("bad-request", "On writes `If-None-Match` takes `*` alone: create only.")
    if number is None:
        if match is not None:
            raise ProblemError("stale", "There is no such record yet: leave out If-Match.")
        return
    if none_match is not None:
        raise ProblemError("stale", "The record exists, and If-None-Match: * is to create only.")
    if match is None:
        raise ProblemError(
            "precondition-required",
            "Send the ETag of the version that you saw in If-Match.",
        )
    if match.strip() == "*" and not gone:
        return
    tags = _TAG.findall(match)
    if number not in [_number(tag) for weak, tag in tags if not weak]:
        raise ProblemError("stale", f"If-Match is {match[:100]}, but the record is at {number}.")


def _number(tag: str) -> int | None:
    digits = tag.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
