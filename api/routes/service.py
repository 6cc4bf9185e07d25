"""What the service says of itself: index, vocabularies, the document, problems, probes, figures."""

import functools
import html
import threading
from typing import Any

import orjson
from apispec.yaml_utils import dict_to_yaml
from flask import Response, redirect
from marshmallow import Schema, fields
from werkzeug.wrappers import Response as Plain

from api.routes.examples import Seed
from api.store.engine import Database
from api.web.answers import HTML, JSON, YAML, accepted, answer
from api.web.openapi import INFO, Document
from api.web.operations import PUBLIC, Api, Operation
from api.web.problems import KINDS
from schemas.vocabulary import VOCABULARIES

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

    name = fields.String(required=True)
    version = fields.String(required=True)
    licence = fields.Dict(required=True, metadata={"description": "The licence of the data."})
    links = fields.Dict(required=True)


class Term(Schema):
    """One code of a vocabulary."""

    code = fields.String(required=True)
    definition = fields.String(required=True)
    position = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Of acts: whether it takes a side."},
    )
    plover = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Of acts: the PLOVER event type, where one does."},
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
            example=lambda seed: {"acts": told["acts"][:2], "settings": told["settings"]},
        ),
    )
    def get_vocabularies() -> Response:
        accepted([JSON])
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

    _document(api)


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
                answers={mimetype: {"type": "object"} if mimetype == JSON else {}},
            ),
        )(functools.partial(_get_document, api, mimetype, render))


def _get_document(api: Api, mimetype: str, render: Any) -> Response:
    return answer(render(api), mimetype)


RENDERING = threading.Lock()  # It takes a second: of many who ask at once, one does it.


def as_json(api: Api) -> bytes:
    """The OpenAPI document of the routes, as JSON."""
    with RENDERING:
        return _as_json(api)


@functools.cache
def _as_json(api: Api) -> bytes:
    return orjson.dumps(document(api), option=orjson.OPT_INDENT_2)


def as_yaml(api: Api) -> bytes:
    """The same as YAML."""
    with RENDERING:
        return _as_yaml(api)


# What holds nothing but plain values stands on one line, where there is room.
YAML_STYLE = {"allow_unicode": True, "width": 100, "sort_keys": False, "default_flow_style": None}


@functools.cache
def _as_yaml(api: Api) -> bytes:
    # Read back, so that no two places share an object, which YAML would write as an alias.
    plain = orjson.loads(_as_json(api))
    return dict_to_yaml(plain, YAML_STYLE).encode()


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
