"""No triggers that put what is new into the full-text index on SQLite: the program does.

FTS5 writes out what it has gathered whenever a statement might have to be undone by itself, and a
statement that fires a trigger might. So each new record took nine times as long to be indexed as
when many are indexed by one statement (`api/store/search.py`).

Revision: 0003
After: 0002
Made: 2026-11-24 09:30:00.000000
"""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

SEARCHED = ("participants", "topics", "sources", "calls", "statements")
TRIGGER = """
CREATE TRIGGER {t}_search_insert AFTER INSERT ON {t} BEGIN
  INSERT INTO {t}_search(rowid, words) VALUES (new.n, new.words); END
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SEARCHED:
            op.execute(f"DROP TRIGGER {table}_search_insert")
            # What a newer program wrote before this was run was indexed twice.
            op.execute(f"INSERT INTO {table}_search({table}_search) VALUES ('rebuild')")  # noqa: S608 (names of ours)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SEARCHED:
            op.execute(TRIGGER.format(t=table))
