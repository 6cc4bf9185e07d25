"""Readout: structured records of diplomatic calls over HTTP."""

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from api.settings import Settings, load


class Service(Flask):
    """The Flask application, with OPTIONS answered as the contract says."""

    def make_default_options_response(self) -> Response:
        """204 with the methods of the path."""
        response = super().make_default_options_response()
        allowed = ", ".join(sorted(response.allow))
        return self.response_class(status=204, headers={"Allow": allowed})


def create_app(settings: Settings | None = None) -> Flask:
    """The whole wiring: settings, database, routes, problems, docs, and what is around them."""
    from api.routes import add_routes
    from api.routes.gate import Gate
    from api.routes.writing import refused
    from api.store.engine import Database, Unavailable
    from api.web import docs, logs, problems, requests
    from api.web.openapi import INFO
    from api.web.operations import Api

    settings = settings or load()
    app = Service(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    database = Database(settings.database_url, settings.lock_wait)
    api = Api(app, Gate(database, private=settings.reads == "private").check)

    @app.before_request
    def begin() -> None:
        requests.check_url()
        if request.url_rule is not None:
            request.environ[logs.ROUTE] = api.paths.get(request.url_rule.endpoint, "/docs")

    @app.errorhandler(Unavailable)
    def unavailable(error: Unavailable) -> ResponseReturnValue:
        return problems.problem(refused(error))

    if settings.reads == "private":

        @app.after_request
        def keep_private(response: Response) -> Response:
            if "key" in g:
                response.headers["Cache-Control"] = "no-cache, private"
            return response

    problems.init_app(app)
    add_routes(api, database)
    docs.init_app(app, {"info": INFO})
    app.extensions["readout"] = api
    app.wsgi_app = logs.Surroundings(app.wsgi_app, settings.log_level)  # type: ignore[method-assign]
    return app
