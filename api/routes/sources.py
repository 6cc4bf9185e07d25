"""Sources."""

from api.routes.resource import list_of, resource
from api.routes.words import Words
from api.store.engine import Database
from api.store.sources import SOURCES
from api.web.operations import Api

WORDS = Words(
    "a source",
    "sources",
    "Use this for the documents in which it is written what was said.",
    "Use this for one document: its rights, length and digest, and its text where that may be"
    " shown.",
    "blinken-lavrov-frank-discussions",
    {},
)


def add(api: Api, database: Database) -> None:
    """Register the routes of sources."""
    resource(api, database, SOURCES, WORDS, list_of(SOURCES))
