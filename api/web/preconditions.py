"""If-Match and If-None-Match on writes (RFC 9110, section 13): whose turn it is to change what."""

import re
from dataclasses import dataclass

from api.web.at_hand import request
from api.web.problems import ProblemError

_TAG = re.compile(r'"([0-9]+)(-[^"]*)?"')


@dataclass(frozen=True)
class Standing:
    """How something stands: its number, None where it was never there; and whether it is gone."""

    number: int | None
    gone: bool = False


def check(standing: Standing) -> None:
    """Compare what the client saw with what stands.

    Raises 428 where a change needs `If-Match`, 412 where it names another version.
    """
    match = request.headers.get("If-Match")
    none_match = request.headers.get("If-None-Match", "").strip()
    number = standing.number
    if number is None:
        if match is not None:
            raise ProblemError("stale", "There is no such record yet: leave out If-Match.")
    elif none_match == "*":
        raise ProblemError("stale", "The record exists, and If-None-Match: * is to create only.")
    elif match is None:
        raise ProblemError(
            "precondition-required",
            "Send the ETag of the version that you saw in If-Match.",
        )
    elif str(number) not in _numbers(match) and (match.strip() != "*" or standing.gone):
        raise ProblemError("stale", f"If-Match is {match[:100]}, but the record is at {number}.")
    if none_match not in ("", "*"):
        raise ProblemError("bad-request", "On writes `If-None-Match` takes `*` alone: create only.")


def _numbers(match: str) -> list[str]:
    """The numbers of the strong tags among those given."""
    tags = (_TAG.fullmatch(tag.strip()) for tag in match.split(","))
    return [tag[1] for tag in tags if tag]
