"""Every kind of problem that an answer can tell, as RFC 9457 problem details.

A route raises `ProblemError("unknown-id", …)`; what Flask and Werkzeug raise is told the same way.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from flask import Flask, Response
from werkzeug.exceptions import BadHost, HTTPException, MethodNotAllowed
from werkzeug.sansio.response import Response as Plain

from api.web.at_hand import request

MIMETYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title, and what to do about it."""

    status: int
    title: str
    explanation: str


KINDS: dict[str, Kind] = {
    "bad-request": Kind(
        400,
        "The request cannot be understood",
        "The request is not well-formed HTTP for this service. `detail` says what could not be"
        " read.",
    ),
    "invalid-parameter": Kind(
        400,
        "A parameter of the query string is wrong",
        "A parameter is unknown, empty, malformed, given twice where it takes one value, or does"
        " not"
        " go with another. `errors` names each parameter and says what would be right. A cursor"
        " belongs to the query that it came from: with other filters, begin again without it.",
    ),
    "malformed-body": Kind(
        400,
        "The body cannot be parsed",
        "The body is not JSON as RFC 8259 has it, in UTF-8: no name twice in an object, no NaN,"
        " no lone"
        " surrogate, not nested too deeply. `detail` says what was found.",
    ),
    "unauthorised": Kind(
        401,
        "A key is needed",
        "Send `Authorization: Bearer <key>` with a key that is neither mistyped, expired nor"
        " revoked;"
        " whoever runs the service makes keys with `readout keys create`.",
    ),
    "forbidden": Kind(
        403,
        "The key may not do this",
        "The key lacks the scope that this needs; `detail` names it.",
    ),
    "not-found": Kind(
        404,
        "There is nothing here",
        "The path names no resource of this service, or no record has that id. Lists of the kind"
        " (`/v1/topics?q=grain`) help to find it.",
    ),
    "unknown-id": Kind(
        404,
        "A filter names a record that does not exist",
        "A filter by id was given an id that no record has, and no alias gives. `errors` names the"
        " parameter and the nearest ids that exist.",
    ),
    "method-not-allowed": Kind(
        405,
        "The path does not take this method",
        "The header `Allow` of the answer lists the methods that it takes.",
    ),
    "not-acceptable": Kind(
        406,
        "No form of the answer is acceptable",
        "The header `Accept` admits none of the forms that this path has. `detail` lists them; a"
        " list"
        " also takes `format=json`, `ndjson` or `csv`.",
    ),
    "conflict": Kind(
        409,
        "It clashes with another record",
        "Another record has the id or finds by the alias, shared records differ, or records that"
        " name"
        " this one keep it from going. `errors` says which.",
    ),
    "retracted": Kind(
        410,
        "The record was retracted",
        "`detail` says when and why. Its revisions can still be read, and a PUT with the ETag of"
        " this"
        " answer in `If-Match` brings it back.",
    ),
    "stale": Kind(
        412,
        "The record has changed meanwhile",
        "The ETag in `If-Match` is not that of the record as it stands, or is weak; or"
        " `If-None-Match: *` met a record that exists. Get it again, and decide anew.",
    ),
    "too-large": Kind(
        413,
        "The body is too large",
        "The request carries more than this path takes; `detail` says how much it takes.",
    ),
    "uri-too-long": Kind(
        414,
        "The URL is too long",
        "A URL has at most 4,000 bytes. Ask with fewer values, in several requests.",
    ),
    "unsupported-media-type": Kind(
        415,
        "The body's media type or coding is not taken",
        "`detail` says which are.",
    ),
    "invalid": Kind(
        422,
        "The record breaks a rule",
        "What was sent could be read, but is not a record, or names what does not exist. `errors`"
        " points at each fault and says what would be right.",
    ),
    "precondition-required": Kind(
        428,
        "If-Match is needed",
        "To change what exists, send the ETag of the version that you saw in `If-Match`, so that"
        " nobody overwrites what somebody else has just written.",
    ),
    "internal": Kind(
        500,
        "We failed",
        "This is a fault of ours, not of the request. Tell us the value of `X-Request-Id`.",
    ),
    "unavailable": Kind(
        503,
        "The service cannot answer now",
        "The database is busy or out of reach. Nothing was changed. Where `Retry-After` is given,"
        " try again after so many seconds.",
    ),
    "no-room": Kind(
        507,
        "There is no room left to write",
        "The disk of the database is full. Nothing was changed.",
    ),
}
_BY_STATUS = {kind.status: name for name, kind in reversed(KINDS.items())}


class ProblemError(Exception):
    """What is wrong with a request, to be told to whoever made it."""

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def as_dict(error: ProblemError, instance: str) -> dict[str, Any]:
    """The members of a problem; `instance` is the path that it happened at."""
    kind = KINDS[error.kind]
    told: dict[str, Any] = {
        "type": f"/problems#{error.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "instance": quote(instance),
    }
    if error.errors:
        told["errors"] = list(error.errors)
    return told


def problem(error: ProblemError) -> Response:
    """The answer that tells a problem."""
    return Response(
        orjson.dumps(as_dict(error, request.path)),
        KINDS[error.kind].status,
        {"Cache-Control": "no-cache", **error.headers},
        mimetype=MIMETYPE,
    )


def _from_http(error: HTTPException) -> Plain:
    """A refusal of Flask or Werkzeug as a problem."""
    status = error.code or 500
    if error.response is not None or 300 <= status < 400:
        return error.get_response()
    name = _BY_STATUS.get(status, "bad-request")
    detail = {
        "not-found": f"Nothing is at {request.path!r}; /docs lists what there is.",
    }.get(name, str(error.description))
    headers = {}
    if isinstance(error, BadHost):
        detail = "The header Host names no host."
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        headers["Allow"] = allowed
        detail = f"{request.path} takes {allowed}, not {request.method}."
    return problem(ProblemError(name, detail, headers=headers))


def init_app(app: Flask) -> None:
    """Tell every failure of the app as a problem."""
    app.register_error_handler(ProblemError, problem)
    app.register_error_handler(HTTPException, _from_http)
