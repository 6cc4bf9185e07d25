"""What a request asks: its query string, checked against the fields of a schema."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, quote

from marshmallow import Schema, ValidationError, fields

from api.web.at_hand import request
from api.web.problems import ProblemError
from schemas.query import Query

LONGEST_URL = 4_000
UNESCAPED = "/:@!$&'()*+,;=~"  # what a path has without escapes (RFC 3986, section 3.3)
UNKNOWN = "There is no such parameter here"
TOLD = 3  # of the faults, in `detail`; `errors` has them all


def query_schema(parameters: Mapping[str, fields.Field[Any]]) -> Schema:
    """The schema of a path's query string, made once."""
    return Query.from_dict(dict(parameters), name="Query")()


def check_url() -> None:
    """Refuse a URL that is longer than the contract allows, or whose path no database can hold."""
    path = request.environ.get("PATH_INFO", "")
    query = request.environ.get("QUERY_STRING", "")
    asked = len(quote(path, UNESCAPED, "latin-1")) + bool(query) + len(query)
    if asked > LONGEST_URL:
        raise ProblemError(
            "uri-too-long", f"The URL has {asked:,} bytes; at most {LONGEST_URL:,} are taken."
        )
    if "\0" in path:
        raise ProblemError("not-found", "Nothing is at a path with NUL (U+0000) in it.")


def query(
    schema: Schema,
    fixed: Mapping[str, str] | None = None,
    faults: Callable[[dict[str, Any]], list[dict[str, str]]] = lambda loaded: [],
) -> dict[str, Any]:
    """The parameters of the query string, or a problem that tells all that is wrong with them.

    `fixed` are parameters that the path already gives, with what it gives; `faults` finds what is
    wrong with parameters that are right by themselves.
    """
    given: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(
            request.query_string.decode("ascii"), keep_blank_values=True, errors="strict"
        ):
            given.setdefault(name, []).append(value)
    except (UnicodeDecodeError, ValueError):
        raise ProblemError(
            "bad-request", "The query string must be percent-encoded UTF-8."
        ) from None
    messages: Mapping[str, Any] = {}
    try:
        loaded: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        messages = error.messages_dict
        loaded = {k: v for k, v in cast("Any", error.valid_data).items() if k in schema.fields}
    wrong = [
        {"parameter": name[:100], "detail": _detail(name, message, schema, fixed or {})}
        for name, found in messages.items()
        for message in _flat(found)
    ]
    unknown = [error for error in wrong if error["detail"] == UNKNOWN]
    if unknown:  # Once is enough: there can be many.
        unknown[0]["detail"] = f"{UNKNOWN}; there are: {', '.join(schema.fields)}."
    wrong += faults(loaded)
    if wrong:
        raise invalid(wrong)
    return loaded


def invalid(errors: list[dict[str, str]], kind: str = "invalid-parameter") -> ProblemError:
    """The problem that tells what is wrong with parameters."""
    told = " ".join(f"{error['parameter']}: {error['detail']}" for error in errors[:TOLD])
    more = f" And {len(errors) - TOLD} more." if len(errors) > TOLD else ""
    return ProblemError(kind, told + more, errors)


def _flat(messages: Any) -> list[str]:
    if isinstance(messages, Mapping):
        return [text for inner in messages.values() for text in _flat(inner)]
    return [str(message) for message in messages]


def _detail(name: str, message: str, schema: Schema, fixed: Mapping[str, str]) -> str:
    if name in schema.fields:
        return message
    if name in fixed:
        return f"Is fixed by this path ({fixed[name]}); leave it out."
    if not schema.fields:
        return "This path takes no parameters."
    return UNKNOWN
