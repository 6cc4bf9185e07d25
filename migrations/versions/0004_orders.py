"""An index for each filter in each order, and one of the vague dates in each order by date.

Revision: 0004
After: 0003
Made: 2026-11-24 11:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"

OF_DAYS = ("earliest", "latest")
# Table, columns.
ADDED = [
    ("accounts", ("call", "id")),
    ("accounts", ("given_by", "id")),
    ("accounts", ("genre", "id")),
    ("call_participants", ("side", *OF_DAYS, "record")),
    ("call_participants", ("country", *OF_DAYS, "record")),
    ("calls", ("status", *OF_DAYS, "id")),
    ("calls", ("status", "id")),
    ("calls", ("medium", *OF_DAYS, "id")),
    ("calls", ("medium", "id")),
    ("participants", ("kind", "id")),
    ("participants", ("country", "id")),
    ("sources", ("kind", "id")),
    ("statement_speakers", ("country", "record")),
    ("statement_targets", ("country", "record")),
    ("statements", ("genre", "id")),
    ("statements", ("setting", "id")),
    ("statements", ("form", "id")),
    ("statements", ("act", "id")),
    ("topics", ("broader", "id")),
]
DROPPED = [("statements", ("position", *OF_DAYS, "id")), ("topics", ("broader",))]
# Table, what comes before the days, what after them.
VAGUE = [
    ("call_participants", ("target",), "record"),
    ("call_participants", ("side",), "record"),
    ("call_participants", ("country",), "record"),
    ("calls", (), "id"),
    ("calls", ("status",), "id"),
    ("calls", ("medium",), "id"),
    ("statement_addressees", ("target",), "record"),
    ("statement_sides", ("target",), "record"),
    ("statement_sources", ("target",), "record"),
    ("statement_speakers", ("target",), "record"),
    ("statement_speakers", ("target", "position"), "record"),
    ("statement_speakers", ("country",), "record"),
    ("statement_targets", ("target",), "record"),
    ("statement_targets", ("country",), "record"),
    ("statement_topics", ("target",), "record"),
    ("statement_topics", ("target", "position"), "record"),
    ("statements", (), "id"),
    ("statements", ("account",), "id"),
    ("statements", ("call",), "id"),
    ("statements", ("genre",), "id"),
    ("statements", ("setting",), "id"),
    ("statements", ("form",), "id"),
    ("statements", ("act",), "id"),
]


def name(table: str, columns: tuple[str, ...]) -> str:
    return f"{table}_by_{'_'.join(columns)}"


def name_of_vague(table: str, first: tuple[str, ...]) -> str:
    return f"{table}_vague_by_{'_'.join(first) or 'day'}"


def upgrade() -> None:
    for table, columns in DROPPED:
        op.drop_index(name(table, columns), table)
    for table, columns in ADDED:
        op.create_index(name(table, columns), table, columns)
    vague = sa.text("earliest <> latest")
    for table, first, last in VAGUE:
        op.create_index(
            name_of_vague(table, first),
            table,
            [*first, *OF_DAYS, last],
            sqlite_where=vague,
            postgresql_where=vague,
        )


def downgrade() -> None:
    for table, first, _ in VAGUE:
        op.drop_index(name_of_vague(table, first), table)
    for table, columns in ADDED:
        op.drop_index(name(table, columns), table)
    for table, columns in DROPPED:
        op.create_index(name(table, columns), table, columns)
