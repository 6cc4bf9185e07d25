"""Accounts."""

from api.routes.resource import list_of, resource
from api.routes.words import Words
from api.store.accounts import ACCOUNTS
from api.store.engine import Database
from api.web.operations import Api

WORDS = Words(
    "an account",
    "accounts",
    "Use this for tellings: who has told of which call, and in which form.",
    "Use this for one side's telling of one call.",
    "blinken-lavrov-2022-07-29-russian-readout",
    {},
)


def add(api: Api, database: Database) -> None:
    """Register the routes of accounts."""
    resource(api, database, ACCOUNTS, WORDS, list_of(ACCOUNTS))
