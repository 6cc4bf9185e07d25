"""The OpenAPI document, generated from the routes and the marshmallow schemas.

Answers are open and their codes plain strings with examples, as v1 may grow; what is sent in is
closed and enumerated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields

from api.web import problems
from schemas.base import Read, Record
from schemas.fields import Coded, Country, Integer, Ref, Text
from schemas.problem import Problem
from schemas.query import MAX_VALUES, Choice, Parameter, Truth, Whole
from schemas.record import VIEWS

Endpoint = Callable[..., ResponseReturnValue]
EVERYWHERE = (
    "bad-request",
    "method-not-allowed",
    "not-acceptable",
    "uri-too-long",
    "internal",
    "unavailable",
)
INFO = {
    "title": "Readout",
    "version": version("readout-service"),
    "summary": "Structured records of diplomatic calls.",
    "description": "Who spoke to whom, what each said, on which topic, in whose telling, and"
    " exactly"
    " where that is written. Two sides leave the same call with two different read-outs; Readout"
    " keeps them apart, tied to their sources.\n\nReads are public. Lists page by cursor"
    " (`page.next`), narrow by filters (several values by comma mean *or*, different filters"
    " *and*),"
    " and come as JSON, NDJSON or CSV. Every error is a problem (RFC 9457) that says what would be"
    " right. Clients ignore members and codes that they do not know: v1 grows by adding.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "contact": {"name": "The Readout maintainers", "url": "/problems"},
}
TAGS = {
    "statements": "One thing said, in one account of one call.",
    "calls": "One conversation between sides, its accounts, and their comparison.",
    "topics": "What statements are about: a small thesaurus.",
    "participants": "Persons, states and organisations.",
    "accounts": "One teller's telling of one call.",
    "sources": "The documents in which it is written.",
    "records": "Call records: one call and everything that hangs on it, to take away.",
    "vocabularies": "The codes of a record, with their definitions.",
    "service": "The service itself: index, document, problems, probes, metrics.",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": "The ETag of an answer that you have; 304 where it still holds.",
    "schema": {"type": "string"},
}
HEADERS = {
    "ETag": {
        "description": "Strong validator of the answer; give it back in `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "The id of the request in our log, or the one that you sent.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Where the next page is (RFC 8288), relative to this host.",
        "schema": {"type": "string"},
    },
    "Readout-Count": {
        "description": "How many records a stream (NDJSON, CSV) has, from the same snapshot.",
        "schema": {"type": "integer"},
    },
    "Content-Location": {
        "description": "The path by id, where the record was found by an alias.",
        "schema": {"type": "string"},
    },
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What the document says of one route.

    `answers` gives each form of the answer its schema; `example` makes an example of the first from
    the seed. `problems` are the kinds of problem it can tell, besides those that any route can.
    """

    id: str
    tag: str
    summary: str
    description: str
    answers: Mapping[str, Any]
    example: Callable[[Any], Any] | None = None
    query: Schema | None = None
    path_examples: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    query_examples: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    headers: Sequence[str] = ()
    status: int = 200
    conditional: bool = True


class Api:
    """The routes of the service, each with its operation."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.operations: list[tuple[str, Operation]] = []

    def get(self, path: str, operation: Operation) -> Callable[[Endpoint], Endpoint]:
        """Register what answers GET and HEAD of a path written as in OpenAPI: `/v1/calls/{id}`."""

        def register(endpoint: Endpoint) -> Endpoint:
            rule = re.sub(r"\{(\w+)\}", r"<\1>", path.replace("{id}", "{record}"))
            self.app.add_url_rule(rule, operation.id, endpoint, methods=["GET"])
            self.operations.append((path, operation))
            return endpoint

        return register


class Document:
    """Builds the document from the operations of an Api."""

    def __init__(self, info: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._plugin = MarshmallowPlugin(schema_name_resolver=_component_name)
        self._spec = APISpec(
            title=info["title"],
            version=info["version"],
            openapi_version="3.1.0",
            info={name: info[name] for name in info if name not in ("title", "version")},
            tags=[{"name": name, "description": text} for name, text in tags.items()],
            servers=[{"url": "/", "description": "This server."}],
            security=[{}],
            plugins=[self._plugin],
        )
        self._converter = cast("Any", self._plugin.converter)
        self._converter.add_attribute_function(_as_read)
        for schema in VIEWS.values():
            self.component(schema)
        self.component(Problem())

    def component(self, schema: Schema) -> dict[str, Any]:
        """A reference to the schema among the components."""
        reference: dict[str, Any] = self._converter.resolve_nested_schema(schema)
        return reference

    def add(self, path: str, operation: Operation, seed: Any) -> None:
        """Add an operation; `seed` is what its examples are made from."""
        told: dict[str, Any] = {
            "operationId": operation.id,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": operation.description,
            "parameters": [
                *self._path_parameters(path, operation),
                *self._query_parameters(operation),
                *([IF_NONE_MATCH] if operation.conditional else []),
            ],
            "responses": self._responses(operation, seed),
        }
        self._spec.path(path=path, operations={"get": told})

    def as_dict(self) -> dict[str, Any]:
        """The document."""
        made = self._spec.to_dict()
        for schema in made["components"]["schemas"].values():
            _open(schema)
        made["components"]["headers"] = HEADERS
        first = ("openapi", "info", "servers", "security", "tags", "paths")
        return {name: made[name] for name in first} | {"components": made["components"]}

    @staticmethod
    def _path_parameters(path: str, operation: Operation) -> list[dict[str, Any]]:
        return [
            {
                "in": "path",
                "name": name,
                "required": True,
                "description": operation.path_examples[name][0],
                "schema": {"type": "string"},
                "example": operation.path_examples[name][1],
            }
            for name in re.findall(r"\{(\w+)\}", path)
        ]

    def _query_parameters(self, operation: Operation) -> list[dict[str, Any]]:
        found = []
        for name, parameter in (operation.query.fields if operation.query else {}).items():
            if not isinstance(parameter, Parameter):
                raise TypeError(f"{name} is no parameter")
            value = asked(parameter.inner)
            described = {
                "in": "query",
                "name": name,
                "description": parameter.metadata["description"],
                "required": False,
            }
            if parameter.single:
                described["schema"] = value
            else:
                described["schema"] = {"type": "array", "items": value, "maxItems": MAX_VALUES}
                described |= {"style": "form", "explode": False}
            if name in operation.query_examples:
                described["example"] = operation.query_examples[name]
            found.append(described)
        return found

    def _responses(self, operation: Operation, seed: Any) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for mimetype, schema in operation.answers.items():
            content[mimetype] = {
                "schema": self.component(schema) if isinstance(schema, Schema) else schema
            }
        if operation.example and seed is not None:
            content[next(iter(content))]["example"] = operation.example(seed)
        names = ["X-Request-Id", *(["ETag"] if operation.conditional else []), *operation.headers]
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        responses: dict[str, Any] = {
            str(operation.status): {
                "description": operation.summary,
                "headers": headers,
                **({"content": content} if content else {}),
            }
        }
        if operation.conditional:
            responses["304"] = {
                "description": "Unchanged since the answer that had the ETag of `If-None-Match`.",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
            }
        told: dict[int, list[str]] = {}
        for name in dict.fromkeys((*operation.problems, *EVERYWHERE)):
            told.setdefault(problems.KINDS[name].status, []).append(name)
        for status, names in sorted(told.items()):
            responses[str(status)] = {
                "description": " Or: ".join(problems.KINDS[name].title + "." for name in names),
                "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
                "content": {problems.MIMETYPE: {"schema": self.component(Problem())}},
            }
        return responses


def asked(value: fields.Field[Any]) -> dict[str, Any]:
    """The JSON Schema of a value in a query string: closed, as what is sent in is."""
    match value:
        case Coded(codes=codes) | Choice(codes=codes):
            return {"type": "string", "enum": list(codes)}
        case Country():
            return {"type": "string", "pattern": Country.pattern}
        case Truth():
            return {"type": "boolean"}
        case Whole(least=least, most=most):
            bounds = {"minimum": least} | ({"maximum": most} if most else {})
            return {"type": "integer", **bounds, **_default(value)}
        case Text(pattern=pattern, longest=longest):
            limits: dict[str, Any] = {"minLength": 1, "maxLength": longest}
            return {"type": "string", **limits} | ({"pattern": pattern} if pattern else {})
    raise TypeError(f"no schema for {value!r}")


def _default(value: fields.Field[Any]) -> dict[str, Any]:
    return {"default": value.metadata["default"]} if "default" in value.metadata else {}


def _as_read(
    converter: Any, value: fields.Field[Any], ret: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """What answers say of a field: open, codes as strings with an example."""
    match value:
        case Ref(kind=kind, shows=shows) if shows:
            ret.pop("type", None)
            brief = converter.resolve_nested_schema(in_brief(kind, shows))
            description = value.metadata.get("description", "")
            if value.allow_none:
                return {"anyOf": [brief, {"type": "null"}], "description": description}
            return {**brief, "description": description}
        case Coded(codes=codes):
            return {"examples": [codes[0]]}
        case Integer(least=least):
            return {"minimum": least}
    return {}


_BRIEFS: dict[tuple[str, tuple[str, ...]], Schema] = {}


def in_brief(kind: str, shows: tuple[str, ...]) -> Schema:
    """The schema of what a record shows of another one that it names."""
    if (kind, shows) not in _BRIEFS:
        view = VIEWS[kind]
        singular = kind.removesuffix("s").capitalize()
        name = f"{singular}Name" if shows == ("id", "name") else f"{singular}InBrief"
        members = {member: type(view)._declared_fields[member] for member in shows}
        _BRIEFS[kind, shows] = Schema.from_dict(members, name=name)(unknown="exclude")
    return _BRIEFS[kind, shows]


def _component_name(schema: Any) -> str:
    made = schema if isinstance(schema, type) else type(schema)
    bases = made.__mro__
    written = Record in bases and Read not in bases
    return f"{made.__name__}Input" if written else made.__name__.removesuffix("View")


def _open(schema: Any) -> None:
    """Leave an answer's schema open: no member is required, and none is excluded.

    `fields=` narrows answers to some members, and v1 may add others.
    """
    if isinstance(schema, dict):
        schema.pop("additionalProperties", None)
        schema.pop("readOnly", None)
        if not schema.get("x-whole"):
            schema.pop("required", None)
        schema.pop("x-whole", None)
        for inner in schema.values():
            _open(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _open(inner)
