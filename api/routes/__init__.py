"""The routes: one file a resource, listed here in the order in which the docs show them."""

from api.routes import (
    accounts,
    calls,
    history,
    imports,
    participants,
    probes,
    records,
    service,
    sources,
    statements,
    topics,
)
from api.store.engine import Database
from api.web.operations import Api

ROUTES = (
    statements,
    calls,
    topics,
    participants,
    accounts,
    sources,
    records,
    imports,
    history,
    service,
    probes,
)


def add_routes(api: Api, database: Database) -> None:
    """Register every route."""
    for routes in ROUTES:
        routes.add(api, database)
