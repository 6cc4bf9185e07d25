"""Calls: one conversation each."""

from sqlalchemy import Index

from api.store import participants, sources, topics
from api.store.filters import Among, Every, Lacks, Linked, Since, Until, Updated, Words
from api.store.records import Entry, Records
from api.store.tables import among, days, gathered, link, ordered, record, refers, text
from schemas import dates
from schemas.base import Look, Written
from schemas.fields import Coded, Country
from schemas.record import VIEWS
from schemas.vocabulary import DATE_BASES, MEDIA, ROLES, STATUSES

_ORDER = ("earliest", "latest", "id")

table = record(
    "calls",
    text("title"),
    text("status"),
    text("medium"),
    text("held_on_basis", null=True),
    *days(),
    among("status", STATUSES),
    among("medium", MEDIA),
    among("held_on_basis", DATE_BASES),
    *ordered("calls", *_ORDER),
    *(
        index
        for column in ("status", "medium")
        for index in (*ordered("calls", column, *_ORDER), Index(None, column, "id"))
    ),
)
attendance = link(
    table,
    "participants",
    participants.table,
    refers("side", participants.table, null=True),
    text("role"),
    text("country", null=True),
    *days(),
    among("role", ROLES),
    Index(None, "side", "record"),
    Index(None, "country", "record"),
    by=[("target",), ("side",), ("country",)],
)
initiators = link(table, "initiators", participants.table, *days(), by=[("target",)])
stage_sources = link(table, "stage_sources", sources.table)
# What its statements and its accounts name.
topics_said = gathered(table, "topics", topics.table)
tellers = gathered(table, "tellers", participants.table)


def derive(written: Written, look: Look) -> Entry:
    """The row of a call."""
    earliest, latest = dates.days(written["held_on"]) if written["held_on"] else (None, None)
    day = {"earliest": earliest, "latest": latest}
    kept = ("title", "status", "medium", "held_on_basis")
    return Entry(
        columns={name: written[name] for name in kept} | day,
        links={
            attendance: [
                {
                    "target": one["participant"],
                    "side": one["side"],
                    "role": one["role"],
                    "country": look("participants", one["participant"])["country"],
                    **day,
                }
                for one in written["participants"]
            ],
            initiators: [{"target": side, **day} for side in written["initiated_by"]],
            stage_sources: [
                {"target": stage["source"]} for stage in written["lifecycle"] if stage["source"]
            ],
        },
        words=[written["title"], written["notes"] or ""],
    )


CALLS = Records(
    table,
    VIEWS["calls"],
    derive,
    filters={
        "participant": Linked(attendance.c.target, "Who was on the call."),
        "participant_all": Every(attendance.c.target, "Who was on it, every one of them."),
        "side": Linked(attendance.c.side, "The side that somebody on the call represents."),
        "country": Linked(
            attendance.c.country, "The state that somebody on the call speaks for.", Country()
        ),
        "topic": Linked(
            topics_said.c.target,
            "What a statement of the call is about, narrower topics included.",
            widens=True,
        ),
        "status": Among(table.c.status, "Where it stands.", Coded(STATUSES)),
        "medium": Among(table.c.medium, "Means of the call.", Coded(MEDIA)),
        "initiated_by": Linked(initiators.c.target, "The side that asked for it."),
        "told_by": Linked(tellers.c.target, "A side with an account of it."),
        "not_told_by": Lacks(tellers.c.target, "A side without an account of it."),
        "held_from": Since(table.c.latest, "Held on this day or later (EDTF)."),
        "held_to": Until(table.c.earliest, "Held on this day or earlier (EDTF)."),
        "updated_since": Updated(table.c.updated_at),
        "q": Words("Full text over title and notes."),
    },
    default_sort="-held_on",
    dated="held_on",
    links=(attendance, initiators, stage_sources),
    shown=("title", "held_on", "participants"),
)
