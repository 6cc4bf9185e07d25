"""Accounts: one teller's telling of one call each."""

from sqlalchemy import Index

from api.store import calls, participants, sources
from api.store.filters import Among, Linked, Updated
from api.store.gathering import Gathering
from api.store.records import Entry, Records
from api.store.tables import among, link, record, refers, text
from schemas.base import Look, Written
from schemas.fields import Coded
from schemas.record import VIEWS
from schemas.vocabulary import COVERAGES, GENRES

table = record(
    "accounts",
    refers("call", calls.table),
    refers("given_by", participants.table, null=True),
    text("genre"),
    text("coverage"),
    among("genre", GENRES),
    among("coverage", COVERAGES),
    *(Index(None, column, "id") for column in ("call", "given_by", "genre")),
    searched=False,
)
sides = link(table, "sides", participants.table)
read_in = link(table, "sources", sources.table)


def derive(written: Written, look: Look) -> Entry:
    """The row of an account."""
    return Entry(
        columns={name: written[name] for name in ("call", "given_by", "genre", "coverage")},
        links={
            sides: [{"target": side} for side in written["sides"]],
            read_in: [{"target": source} for source in written["sources"]],
        },
        words=[],
    )


ACCOUNTS = Records(
    table,
    VIEWS["accounts"],
    derive,
    filters={
        "call": Among(table.c.call, "The call told."),
        "side": Linked(sides.c.target, "Whose telling it is; `none`: a third party's."),
        "genre": Among(table.c.genre, "Form of the original telling.", Coded(GENRES)),
        "given_by": Among(table.c.given_by, "Who gave it."),
        "updated_since": Updated(table.c.updated_at),
    },
    links=(sides, read_in),
    gathering=Gathering(calls.tellers, calls.table, table, sides),
    shown=("call", "sides", "genre", "given_by", "sources"),
)
