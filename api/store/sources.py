"""Sources: the documents in which it is written."""

from sqlalchemy import CheckConstraint, Column, Connection, Index, Integer, bindparam, select

from api.store.fetch import fetch
from api.store.filters import Among, Updated, Words
from api.store.records import Entry, Records
from api.store.tables import TEXT, among, record, text
from schemas.base import Look, Written
from schemas.fields import Coded, Text
from schemas.record import VIEWS
from schemas.vocabulary import RIGHTS, SOURCE_KINDS

table = record(
    "sources",
    text("title"),
    text("publisher", null=True),
    text("kind"),
    text("rights"),
    Column("characters", Integer, nullable=False),
    text("sha256"),
    Column("text", TEXT),
    among("kind", SOURCE_KINDS),
    Index(None, "kind", "id"),
    among("rights", RIGHTS),
    CheckConstraint("characters > 0", name="characters"),
    CheckConstraint("length(sha256) = 64", name="sha256"),
    CheckConstraint("text IS NULL OR rights = 'open'", name="text"),
)

TEXT_OF = select(table.c.text).where(table.c.id == bindparam("id"))


def derive(written: Written, look: Look) -> Entry:
    """The row of a source; its text is kept apart, as lists leave it out."""
    members = ("title", "publisher", "kind", "rights", "characters", "sha256", "text")
    return Entry(
        columns={name: written[name] for name in members},
        links={},
        words=[written["title"]],
    )


def text_of(connection: Connection, source: str) -> str | None:
    """The text of a source, where it is held."""
    for (held,) in fetch(connection, TEXT_OF, {"id": source}):
        return str(held) if held is not None else None
    return None


SOURCES = Records(
    table,
    VIEWS["sources"],
    derive,
    filters={
        "kind": Among(table.c.kind, "Kind of publisher.", Coded(SOURCE_KINDS)),
        "publisher": Among(table.c.publisher, "The publisher, spelled as recorded.", Text()),
        "updated_since": Updated(table.c.updated_at),
        "q": Words("Full text over the title."),
    },
    shown=("title", "publisher", "url", "rights", "text"),
)
