"""The routes: one file a resource, listed here in the order in which the docs show them."""

from api.routes import accounts, calls, participants, service, sources, statements, topics
from api.store.engine import Database
from api.web.openapi import Api

ROUTES = (statements, calls, topics, participants, accounts, sources, service)


def add_routes(api: Api, database: Database) -> None:
    """Register every route."""
    for routes in ROUTES:
        routes.add(api, database)
