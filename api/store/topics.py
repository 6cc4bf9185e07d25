"""Topics: a small thesaurus."""

from unicodedata import normalize

from sqlalchemy import Column, ForeignKey, Index

from api.store.filters import Among, Updated, Words
from api.store.names import slugs
from api.store.records import Entry, Records
from api.store.tables import TEXT, names, record, text
from schemas.base import Look, Written
from schemas.record import VIEWS

table = record(
    "topics",
    text("label"),
    Column(
        "broader",
        TEXT,
        ForeignKey("topics.id", deferrable=True, initially="DEFERRED"),
    ),
    Index(None, "broader", "id"),
    Index(None, "label", postgresql_using="hash"),  # A B-tree there takes no long labels.
)
found_by = names(table)


def derive(written: Written, look: Look) -> Entry:
    """The row of a topic."""
    return Entry(
        columns={"label": normalize("NFC", written["label"]), "broader": written["broader"]},
        links={},
        words=[written["label"], *written["aliases"], written["description"] or ""],
        names=slugs(written["id"], written["aliases"]),
    )


TOPICS = Records(
    table,
    VIEWS["topics"],
    derive,
    filters={
        "broader": Among(table.c.broader, "The topic directly broader; `none`: the top ones."),
        "updated_since": Updated(table.c.updated_at),
        "q": Words("Full text over label, aliases and scope note."),
    },
    names=found_by,
    shown=("label",),
)
