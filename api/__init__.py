"""Readout: structured records of diplomatic calls over HTTP."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from api.settings import Settings, load
from api.store.engine import Database
from api.store.faults import Elsewhere, Unavailable
from api.web.at_hand import held, is_any
from api.web.at_hand import request as at_hand

# We know versions by ETags alone, and serve no ranges and no other protocol. Werkzeug would heed
# these, and fails on odd ones.
IGNORED = (
    "HTTP_UPGRADE",
    "HTTP_RANGE",
    "HTTP_IF_RANGE",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
)


# Of others Werkzeug tells whether they are hosts.
is_plain_host = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:[0-9]+)?").fullmatch
Read = Callable[[WSGIEnvironment], WSGIApplication | None]


class Service(Flask):
    """The Flask application, with OPTIONS answered as the contract says, and reads repeated.

    `read_at_once` answers what is plainly a read, or gives None: Flask's own way to the endpoint
    takes about as long as a record does. Both ways give the same answer, byte for byte.
    """

    read_at_once: Read = staticmethod(lambda environ: None)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer a request, whatever it says of what we do not do."""
        for name in IGNORED:
            environ.pop(name, None)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            environ.pop("HTTP_IF_MATCH", None)
        with held(environ):
            answer = self.read_at_once(environ) or super().wsgi_app
            return answer(environ, start_response)

    def make_default_options_response(self) -> Response:
        """204 with the methods of the path."""
        response = super().make_default_options_response()
        allowed = ", ".join(sorted(response.allow))
        return self.response_class(status=204, headers={"Allow": allowed})

    def dispatch_request(self) -> ResponseReturnValue:
        """What the route answers; a read that a standby failed is made again at another server."""
        while True:
            with suppress(Elsewhere):
                return super().dispatch_request()


def create_app(settings: Settings | None = None) -> Flask:
    """The whole wiring: settings, database, routes, problems, docs, and what is around them."""
    from api.routes import add_routes
    from api.routes.gate import KEY, Gate
    from api.routes.writing import refused
    from api.web import docs, logs, problems, requests
    from api.web.openapi import INFO
    from api.web.operations import Api

    settings = settings or load()
    app = Service(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.config["PROPAGATE_EXCEPTIONS"] = True  # to logs.Surroundings, which tells of all failures
    app.json.sort_keys = False  # type: ignore[attr-defined]
    database = opened(settings)
    api = Api(app, Gate(database, private=settings.reads == "private").check)

    @app.before_request
    def begin() -> None:
        requests.check_url()
        if request.url_rule is not None:
            request.environ[logs.ROUTE] = api.paths.get(request.url_rule.endpoint, "/docs")

    @app.errorhandler(Unavailable)
    def unavailable(error: Unavailable) -> Response:
        return problems.problem(refused(error))

    def read_at_once(environ: WSGIEnvironment) -> WSGIApplication | None:
        found = api.read(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "GET" else None
        if found is None or not is_plain_host(environ.get("HTTP_HOST", "")):
            return None
        environ[logs.ROUTE], endpoint, values = found
        try:
            requests.check_url()
            return endpoint(**values)
        except problems.ProblemError as error:
            return problems.problem(error)
        except Elsewhere:
            return None
        except Unavailable as error:
            return unavailable(error)

    if settings.reads == "private":

        @app.after_request
        def keep_private(response: Response) -> Response:
            if KEY in at_hand.environ:
                response.headers["Cache-Control"] = "no-cache, private"
            return response

    else:
        app.read_at_once = read_at_once

    problems.init_app(app)
    add_routes(api, database)
    docs.init_app(app, {"info": INFO})
    app.extensions["readout"] = api
    app.wsgi_app = logs.Surroundings(app.wsgi_app, settings.log_level)  # type: ignore[method-assign]
    return app


def opened(settings: Settings) -> Database:
    """The database, with its standbys where it has some: only what needs no key reads there."""
    if not settings.read_database_url:
        return Database(settings.database_url, settings.lock_wait)
    from api.routes.gate import KEYLESS
    from api.store.standbys import Reading, Spread
    from api.web import metrics

    def reading() -> Reading | None:
        keyless = is_any() and at_hand.environ.get(KEYLESS)
        return at_hand.environ.setdefault("readout.reading", Reading()) if keyless else None

    return Spread(
        settings.database_url,
        settings.lock_wait,
        settings.read_database_url,
        limit=settings.standby_lag,
        reading=reading,
        figures=metrics,
    )
