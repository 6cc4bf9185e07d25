"""What can be done for a new call record before its transaction, and so in another process.

A call record lists all that it names, and putting it makes sure that what it lists is what stands.
So what its records must keep to, and what they become in the database, follows from the document
alone, as long as none of them ever stood before. Participants and topics are left out: mostly they
stand already, and whether a new one's names clash only the database knows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from api.exchange.imports import SHARED, out_of_bounds
from api.rules import default_said_on, faults_of
from api.store.rows import Draft, draft
from schemas.base import View, Written

DRAFTED = ("sources", "calls", "accounts", "statements")


class Listed:
    """What a call record lists, as if it stood.

    A shared record is read as it is written, but for what the server sets.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.views: dict[tuple[str, str], View] = {
            (kind, written["id"]): written for kind in SHARED for written in document[kind]
        }

    def find(self, kind: str, record_id: str) -> View | None:
        """A record as it is read, or None."""
        return self.views.get((kind, record_id))

    def look(self, kind: str, record_id: str) -> View:
        """A record as it is read, which must be listed."""
        return self.views[kind, record_id]

    def text_of(self, source: str) -> str | None:
        """The text of a source, where it is given."""
        text: str | None = self.look("sources", source)["text"]
        return text


def drafts(document: Mapping[str, Any], dialect: str) -> list[Draft]:
    """The drafts of a call record, but for its participants and topics.

    There are none where something is wrong, which putting it will tell.
    """
    if out_of_bounds(document):
        return []
    listed = Listed(document)
    made: list[Draft] = []
    for kind, written in _records(document):
        if kind == "statements":
            default_said_on(listed, written)
        if faults_of(listed, kind, written):
            return []
        one = draft(kind, written, listed.look, dialect)
        made.append(one)
        if kind in ("calls", "accounts"):
            listed.views[kind, one.id] = orjson.loads(one.view)
    return made


def _records(document: Mapping[str, Any]) -> Iterator[tuple[str, Written]]:
    for kind in DRAFTED:
        for written in [document["call"]] if kind == "calls" else document[kind]:
            yield kind, written
