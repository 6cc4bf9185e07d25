"""Participants: persons, states and organisations."""

from unicodedata import normalize

from sqlalchemy import Index

from api.store.filters import Among, Updated, Words
from api.store.names import slugs
from api.store.records import Entry, Records
from api.store.tables import among, names, record, text
from schemas.base import Look, Written
from schemas.fields import Coded, Country
from schemas.record import VIEWS
from schemas.vocabulary import PARTICIPANT_KINDS

table = record(
    "participants",
    text("name"),
    text("kind"),
    text("country", null=True),
    among("kind", PARTICIPANT_KINDS),
    Index(None, "kind", "id"),
    Index(None, "country", "id"),
    Index(None, "name", postgresql_using="hash"),  # A B-tree there takes no long names.
)
found_by = names(table)


def derive(written: Written, look: Look) -> Entry:
    """The row of a participant."""
    return Entry(
        columns={
            "name": normalize("NFC", written["name"]),
            "kind": written["kind"],
            "country": written["country"],
        },
        links={},
        words=[written["name"], *written["aliases"], written["description"] or ""],
        names=slugs(written["id"], written["aliases"]),
    )


PARTICIPANTS = Records(
    table,
    VIEWS["participants"],
    derive,
    filters={
        "kind": Among(table.c.kind, "What it is.", Coded(PARTICIPANT_KINDS)),
        "country": Among(table.c.country, "The state spoken for.", Country()),
        "updated_since": Updated(table.c.updated_at),
        "q": Words("Full text over name, aliases and description."),
    },
    names=found_by,
    shown=("name", "kind", "country"),
)
