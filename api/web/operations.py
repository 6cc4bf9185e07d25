"""The routes of the service, each with what the OpenAPI document says of it."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from marshmallow import Schema
from werkzeug.wrappers import Response

from api.web.requests import query, query_schema
from schemas.slugs import is_slug

Endpoint = Callable[..., Response]

# The JSON Schema of a form that is no JSON: NDJSON, CSV, YAML.
LINES = {"type": "string", "format": "binary"}

NO_QUERY = query_schema({})

PUBLIC = "public"
READ = "read"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route: its scope, its parameters, what is sent in, and what comes back.

    `scope` is what a key must have (`read` only where reads are private), or `public`. `body` and
    `answers` give each media type its schema, or a tuple of those that it can have; `example` makes
    an example of the first answer, and `body_example` of the first body, from the seed. `problems`
    are the kinds of problem it can tell, besides those that any route can. Without a `query`, any
    parameter is refused.
    """

    id: str
    tag: str
    summary: str
    description: str
    scope: str = READ
    method: str = "get"
    path_examples: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    query: Schema | None = None
    query_examples: Mapping[str, str] = field(default_factory=dict)
    request_headers: Sequence[str] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    body_example: Callable[[Any], Any] | None = None
    status: Sequence[int] = (200,)
    answers: Mapping[str, Any] = field(default_factory=dict)
    example: Callable[[Any], Any] | None = None
    headers: Sequence[str] = ()
    conditional: bool = True
    problems: Sequence[str] = ()


class Api:
    """The routes of the service; `admit` lets a request through to a scope, or raises."""

    def __init__(self, app: Flask, admit: Callable[[str], None]) -> None:
        self.app = app
        self.admit = admit
        self.operations: list[tuple[str, Operation]] = []
        self.paths: dict[str, str] = {}
        self.reads: dict[str, Endpoint] = {}

    def route(self, path: str, operation: Operation) -> Callable[[Endpoint], Endpoint]:
        """Register what answers a path written as in OpenAPI: `/v1/calls/{id}`.

        A route that writes must name its scope: nothing can be written without a key by oversight.
        """
        if operation.method != "get" and operation.scope in (PUBLIC, READ):
            raise TypeError(f"{operation.id} writes: which scope does it need?")

        def register(endpoint: Endpoint) -> Endpoint:
            rule = re.sub(r"\{(\w+)\}", r"<\1>", path.replace("{id}", "{record}"))
            guarded = self._guarded(endpoint, operation)
            methods = [operation.method.upper()]
            self.app.add_url_rule(rule, operation.id, guarded, methods=methods)
            if operation.method == "get":
                self.reads[path] = guarded
            self.operations.append((path, operation))
            self.paths[operation.id] = path
            return endpoint

        return register

    def read(self, path: str) -> tuple[str, Endpoint, dict[str, str]] | None:
        """What answers a GET, where its path is plain: path as registered, endpoint, values."""
        if "{" in path:  # A path as registered, which no record has.
            return None
        if path in self.reads:
            return path, self.reads[path], {}
        parts = path.split("/", 4)
        if len(parts) < 4 or not is_slug(record := parts[3]):
            return None
        parts[3] = "{id}"
        path = "/".join(parts)
        return (path, self.reads[path], {"record": record}) if path in self.reads else None

    def _guarded(self, endpoint: Endpoint, operation: Operation) -> Endpoint:
        @functools.wraps(endpoint)
        def guarded(**values: Any) -> Response:
            if operation.scope != PUBLIC:
                self.admit(operation.scope)
            if operation.query is None:
                query(NO_QUERY)
            return endpoint(**values)

        return guarded
