"""A call record: one document with one call and everything that hangs on it."""

from typing import Any

from marshmallow import Schema, fields

from schemas.account import Account, AccountView
from schemas.base import Part, Record, Written
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


MOST_KEPT = 10_000


class Recurring(fields.Nested):
    """A record that many call records list in the same words, as they do a state.

    One that was checked before is known again, and is not checked a second time.
    """

    def __init__(self, record: type[Record]) -> None:
        super().__init__(record)
        self._known: dict[str, tuple[Any, Written]] = {}

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        own_id = value.get("id") if isinstance(value, dict) else None
        known = self._known.get(own_id) if isinstance(own_id, str) else None
        if known is not None and known[0] == value:
            return known[1]
        loaded: Written = super().deserialize(value, attr, data, **kwargs)
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[loaded["id"]] = (value, loaded)
        return loaded


def _all(record: type[Record], nested: type[fields.Nested] = fields.Nested) -> Items:
    def own_id(item: dict[str, Any]) -> Any:
        return item["id"]

    return Items(nested(record), most=None, key=own_id)


class CallRecord(Part):
    """The unit of exchange, in the shape that writes take: seeds, import and export use it."""

    call = fields.Nested(Call, required=True, error_messages={"required": "Required."})
    participants = _all(Participant)
    topics = _all(Topic)
    sources = _all(Source)
    accounts = _all(Account)
    statements = _all(Statement)


class CallRecords(CallRecord):
    """The same, for one call record after another: what recurs in them is checked once."""

    participants = _all(Participant, Recurring)
    topics = _all(Topic, Recurring)
