"""The page at ``/docs``: Swagger UI on our own document, served through flasgger.

flasgger brings a Swagger UI of 2020, which fetches a web font, obeys ``?url=`` and cannot
read OpenAPI 3.1. So of flasgger we keep the extension and its view, and give it newer files
(the ``dist`` folder of ``flask_swagger_ui``), a page of our own around them
(``templates/flasgger/index.html``, ``static/``) and the document that apispec generated.

Nothing on the page comes from another host, and the policy below holds the browser to that.
"""

from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, make_response, request, send_from_directory

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the arrows of select boxes in swagger-ui.css
        "connect-src 'self'",  # the document itself, and "Execute"
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def init_app(app: Flask, document: dict[str, Any]) -> None:
    """Serve ``document`` at ``/docs``; call it last, as flasgger wraps ``add_url_rule``."""
    # Imported here because it takes half a second that the command line need not wait.
    from flasgger import Swagger
    from flasgger.base import APIDocsView

    class Docs(Swagger):  # type: ignore[misc]
        def get_apispecs(self, endpoint: str = "openapi") -> dict[str, Any]:
            return document

        def add_headers(self, app: Flask) -> None:
            """Nothing: flasgger's own would run after every request of the service."""

        def register_views(self, app: Flask) -> None:
            pages = Blueprint(
                "flasgger",
                __name__,
                template_folder="templates",
                static_folder=str(files("flask_swagger_ui") / "dist"),
                static_url_path="/docs/swagger-ui",
            )
            page = APIDocsView.as_view("apidocs", view_args={"config": self.config})
            pages.add_url_rule("/docs", view_func=_strict(page), strict_slashes=False)
            pages.add_url_rule("/docs/static/<path:filename>", "own", _own_file)
            app.register_blueprint(pages)

    info = document["info"]
    config = {"title": info["title"], "version": info["version"], "specs": [], "headers": []}
    Docs(app, config=config)


def _strict(view: Callable[..., Any]) -> Callable[..., Response]:
    """Give the answer of a view the page's policy and a tag that spares the next download."""

    @wraps(view)
    def answer(**values: Any) -> Response:
        request.environ["QUERY_STRING"] = ""  # flasgger would read it
        response = make_response(view(**values))
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    return answer


def _own_file(filename: str) -> Response:
    return send_from_directory(Path(__file__).parent / "static", filename)
