"""Participants."""

from api.routes.resource import list_of, resource
from api.routes.words import Words
from api.store.engine import Database
from api.store.participants import PARTICIPANTS
from api.web.operations import Api

WORDS = Words(
    "a participant",
    "participants",
    "Use this to find persons, states and organisations; a country's with `country`.",
    "Use this for who somebody is. An alias finds it too.",
    "sergey-lavrov",
    {},
)


def add(api: Api, database: Database) -> None:
    """Register the routes of participants."""
    resource(api, database, PARTICIPANTS, WORDS, list_of(PARTICIPANTS))
