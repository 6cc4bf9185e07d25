"""Topics."""

from api.routes.resource import list_of, resource
from api.routes.words import Words
from api.store.engine import Database
from api.store.topics import TOPICS
from api.web.operations import Api

WORDS = Words(
    "a topic",
    "topics",
    "Use this to find a topic by its names, and to walk the thesaurus with `broader`.",
    "Use this for the scope note and the other names of a topic. An alias finds it too.",
    "grain-deal",
    {},
)


def add(api: Api, database: Database) -> None:
    """Register the routes of topics."""
    resource(api, database, TOPICS, WORDS, list_of(TOPICS))
