"""A call record: one document with one call and everything that hangs on it."""

from typing import Any

from marshmallow import Schema, fields

from schemas.account import Account, AccountView
from schemas.base import Part, Record
from schemas.call import Call, CallView
from schemas.fields import Items
from schemas.participant import Participant, ParticipantView
from schemas.source import Source, SourceView
from schemas.statement import Statement, StatementView
from schemas.topic import Topic, TopicView

# In an order in which each kind names only kinds before it.
WRITTEN: dict[str, Record] = {
    "participants": Participant(),
    "topics": Topic(),
    "sources": Source(),
    "calls": Call(),
    "accounts": Account(),
    "statements": Statement(),
}
VIEWS: dict[str, Schema] = {
    "participants": ParticipantView(),
    "topics": TopicView(),
    "sources": SourceView(),
    "calls": CallView(),
    "accounts": AccountView(),
    "statements": StatementView(),
}


def _all(record: type[Record]) -> Items:
    def own_id(item: dict[str, Any]) -> Any:
        return item["id"]

    return Items(fields.Nested(record), most=None, key=own_id)


class CallRecord(Part):
    """The unit of exchange, in the shape that writes take: seeds, import and export use it."""

    call = fields.Nested(Call, required=True)
    participants = _all(Participant)
    topics = _all(Topic)
    sources = _all(Source)
    accounts = _all(Account)
    statements = _all(Statement)
