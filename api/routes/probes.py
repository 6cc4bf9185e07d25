"""What watches the service asks: whether it lives, whether it is ready, and its figures."""

from collections.abc import Callable

import orjson
from flask import Response
from marshmallow import Schema, fields

from api.store import migrate
from api.store.engine import Database
from api.web import logs
from api.web.answers import JSON
from api.web.operations import PUBLIC, Api, Endpoint, Operation
from api.web.problems import ProblemError


def add(api: Api, database: Database) -> None:
    """Register the probes and the metrics."""

    class Health(Schema):
        """The state of the service."""

        status = fields.String(metadata={"examples": ["ok"]})

    class Standby(Schema):
        """A server that only reads, as the process that answers sees it."""

        host = fields.String(required=True)
        state = fields.String(
            required=True,
            metadata={
                "description": "`used`; or left out: `lagging`, `unreachable`, `diverged` (its"
                " records are others), `primary` (it is no standby), `unknown` (not yet asked)."
            },
        )
        lag = fields.Float(
            required=True,
            allow_none=True,
            metadata={"description": "Seconds behind the primary; null where that is not known."},
        )

    class Readiness(Health):
        """The state of the service and of the standbys that it reads at."""

        standbys = fields.List(
            fields.Nested(Standby),
            metadata={"description": "Only where READOUT_READ_DATABASE_URL names standbys."},
        )

    def probe(
        path: str,
        operation: str,
        summary: str,
        description: str,
        *found: str,
        schema: type[Schema] = Health,
    ) -> Callable[[Endpoint], Endpoint]:
        return api.route(
            path,
            Operation(
                id=operation,
                tag="service",
                scope=PUBLIC,
                summary=summary,
                description=description,
                answers={JSON: schema()},
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
        schema=Readiness,
    )
    def get_readiness() -> Response:
        reason = migrate.ready(database)
        if reason is not None:
            raise ProblemError("unavailable", reason, headers=ok)
        told = {"status": "ok"} | database.told()
        return Response(orjson.dumps(told), mimetype=JSON, headers=ok)

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
