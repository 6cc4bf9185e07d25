"""What the service says of itself: index, vocabularies, the document, problems, probes, figures."""

import functools
import html
from collections.abc import Callable
from typing import Any

import orjson
from apispec.yaml_utils import dict_to_yaml
from flask import Response, redirect
from marshmallow import Schema, fields
from werkzeug.wrappers import Response as Plain

from api.routes.examples import Seed
from api.store import migrate
from api.store.engine import Database
from api.web import logs
from api.web.answers import HTML, JSON, YAML, accepted, answer
from api.web.openapi import INFO, Document
from api.web.operations import PUBLIC, Api, Endpoint, Operation
from api.web.problems import KINDS, ProblemError
from api.web.requests import query, query_schema
from schemas.vocabulary import VOCABULARIES

NO_QUERY = query_schema({})
LICENCE = {
    "name": "CC0 1.0",
    "url": "https://creativecommons.org/publicdomain/zero/1.0/",
    "covers": "Facts and our own summaries; quoted words are their speakers'.",
}
LINKS = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "problems": "/problems",
    "calls": "/v1/calls",
    "participants": "/v1/participants",
    "topics": "/v1/topics",
    "sources": "/v1/sources",
    "accounts": "/v1/accounts",
    "statements": "/v1/statements",
    "vocabularies": "/v1/vocabularies",
    "records": "/v1/records",
    "positions_on_the_grain_deal": "/v1/topics/grain-deal/positions",
}


class Index(Schema):
    """What this is, and where things are."""

    name = fields.String()
    version = fields.String()
    licence = fields.Dict(metadata={"description": "The licence of the data."})
    links = fields.Dict()


class Term(Schema):
    """One code of a vocabulary."""

    code = fields.String()
    definition = fields.String()
    position = fields.Boolean(
        allow_none=True, metadata={"description": "Of acts: whether it takes a side."}
    )
    plover = fields.String(
        allow_none=True, metadata={"description": "Of acts: the PLOVER event type, where one does."}
    )


def add(api: Api, database: Database) -> None:
    """Register the routes about the service itself."""
    told = {name: [entry._asdict() for entry in entries] for name, entries in VOCABULARIES.items()}
    vocabularies = orjson.dumps(told)
    vocabularies_schema = Schema.from_dict(
        {name: fields.List(fields.Nested(Term)) for name in VOCABULARIES}, name="Vocabularies"
    )
    index = {
        "name": INFO["title"],
        "version": INFO["version"],
        "licence": LICENCE,
        "links": LINKS,
    }

    @api.route(
        "/v1/vocabularies",
        Operation(
            id="getVocabularies",
            tag="vocabularies",
            summary="Get the vocabularies",
            description="Use this for every code with its definition; of acts also whether it"
            " takes a"
            " side and the PLOVER event type that it corresponds to.",
            answers={JSON: vocabularies_schema()},
            query=NO_QUERY,
            example=lambda seed: {"acts": told["acts"][:2], "settings": told["settings"]},
            problems=("invalid-parameter",),
        ),
    )
    def get_vocabularies() -> Response:
        accepted([JSON])
        query(NO_QUERY)
        return answer(vocabularies)

    @api.route(
        "/",
        Operation(
            id="getIndex",
            tag="service",
            scope=PUBLIC,
            summary="Get the index",
            description="Use this to find your way: name, version, the data's licence and links."
            " A browser is sent to `/docs`.",
            answers={JSON: Index()},
            example=lambda seed: index,
        ),
    )
    def get_index() -> Response | Plain:
        if accepted([JSON, HTML]) == HTML:
            response = redirect("/docs")
            response.headers["Vary"] = "Accept"
            return response
        return answer(orjson.dumps(index))

    @api.route(
        "/problems",
        Operation(
            id="listProblems",
            tag="service",
            scope=PUBLIC,
            summary="Every problem explained",
            description="Use this to look up what the `type` of a problem means and what to do.",
            answers={HTML: {"type": "string"}, JSON: {"type": "object"}},
        ),
    )
    def list_problems() -> Response:
        if accepted([HTML, JSON]) == JSON:
            kinds = [{"type": f"/problems#{name}", **k._asdict()} for name, k in KINDS.items()]
            return answer(orjson.dumps({"data": kinds}))
        return answer(_problems_page().encode(), HTML)

    _probes(api, database)
    _document(api)


def _probes(api: Api, database: Database) -> None:
    class Health(Schema):
        """The state of the service."""

        status = fields.String(metadata={"examples": ["ok"]})

    def probe(
        path: str, operation: str, summary: str, description: str, *found: str
    ) -> Callable[[Endpoint], Endpoint]:
        return api.route(
            path,
            Operation(
                id=operation,
                tag="service",
                scope=PUBLIC,
                summary=summary,
                description=description,
                answers={JSON: Health()},
                example=lambda seed: {"status": "ok"},
                problems=found,
                conditional=False,
            ),
        )

    ok = {"Cache-Control": "no-store"}

    @probe("/healthz", "getHealth", "Liveness", "Use this to see that the process answers.")
    def get_health() -> Response:
        return Response(b'{"status":"ok"}', mimetype=JSON, headers=ok)

    @probe(
        "/readyz",
        "getReadiness",
        "Readiness",
        "Use this before sending traffic: the database is reachable and the right one, and its"
        " migrations are at head.",
        "unavailable",
    )
    def get_readiness() -> Response:
        reason = migrate.ready(database)
        if reason is not None:
            raise ProblemError("unavailable", reason, headers=ok)
        return Response(b'{"status":"ok"}', mimetype=JSON, headers=ok)

    @api.route(
        "/metrics",
        Operation(
            id="getMetrics",
            tag="service",
            scope=PUBLIC,
            summary="Prometheus metrics",
            description="Use this to watch the service: requests, durations, what is in flight.",
            answers={"text/plain": {"type": "string"}},
            conditional=False,
        ),
    )
    def get_metrics() -> Response:
        body, mimetype = logs.exposition()
        return Response(body, content_type=mimetype, headers=ok)


def _document(api: Api) -> None:
    """Register the routes of the OpenAPI document, which is generated when first asked for."""
    answers = {"json": (JSON, as_json), "yaml": (YAML, as_yaml)}
    for name, (mimetype, render) in answers.items():
        api.route(
            f"/openapi.{name}",
            Operation(
                id=f"getOpenapi{name.capitalize()}",
                tag="service",
                scope=PUBLIC,
                summary=f"The OpenAPI document in {name.upper()}",
                description="Use this to generate a client or to import the API into a tool.",
                answers={mimetype: {"type": "object"}},
            ),
        )(functools.partial(_get_document, api, mimetype, render))


def _get_document(api: Api, mimetype: str, render: Any) -> Response:
    return answer(render(api), mimetype)


@functools.cache
def as_json(api: Api) -> bytes:
    """The OpenAPI document of the routes, as JSON."""
    return orjson.dumps(document(api), option=orjson.OPT_INDENT_2)


@functools.cache
def as_yaml(api: Api) -> bytes:
    """The same as YAML."""
    # Read back, so that no two places share an object, which YAML would write as an alias.
    plain = orjson.loads(as_json(api))
    return dict_to_yaml(plain, {"allow_unicode": True, "width": 100}).encode()


def document(api: Api) -> dict[str, Any]:
    """The OpenAPI document of the routes."""
    made = Document()
    seed = Seed()
    for path, operation in api.operations:
        made.add(path, operation, seed)
    return made.as_dict()


def _problems_page() -> str:
    items = "\n".join(
        f'<section id="{name}"><h2>{kind.status} <code>{name}</code></h2>'
        f"<p><strong>{html.escape(kind.title)}.</strong>"
        f" {html.escape(kind.explanation)}</p></section>"
        for name, kind in KINDS.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Readout: problems explained</title></head>\n<body><main>"
        "<h1>Problems explained</h1>\n<p>Every error of the service is "
        "<code>application/problem+json</code> (RFC 9457); its <code>type</code> leads here.</p>\n"
        f'{items}\n<p><a href="/docs">All endpoints</a></p></main></body></html>\n'
    )
