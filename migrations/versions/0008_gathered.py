"""The topics and tellers of a call, gathered there; and its initiators by its days.

Revision: 0008
After: 0007
Made: 2026-11-24 17:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

TEXT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
DAYS = ("earliest", "latest")
VAGUE = sa.text("earliest <> latest")
NAMED = {
    "call_topics": ("topics", "statements", "statement_topics"),
    "call_tellers": ("participants", "accounts", "account_sides"),
}
FILLED = """
    INSERT INTO {table} (record, target, earliest, latest)
    SELECT DISTINCT c.id, n.target, c.earliest, c.latest
    FROM {link} AS n JOIN {owner} AS o ON o.id = n.record JOIN calls AS c ON c.id = o.call
"""
INITIATORS = "call_initiators"
DATED = f"""
    UPDATE {INITIATORS} SET (earliest, latest) =
    (SELECT c.earliest, c.latest FROM calls AS c WHERE c.id = {INITIATORS}.record)
"""  # noqa: S608 (names of ours)


def refers(table: str, column: str, target: str, ondelete: str | None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.id"],
        name=op.f(f"{table}_{column}_refers"),
        ondelete=ondelete,
        initially="DEFERRED",
        deferrable=True,
    )


def order(table: str) -> None:
    columns = ["target", *DAYS, "record"]
    op.create_index(f"{table}_by_{'_'.join(columns)}", table, columns)
    vague = f"{table}_vague_by_target"
    op.create_index(vague, table, columns, sqlite_where=VAGUE, postgresql_where=VAGUE)


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, (target, owner, link) in NAMED.items():
        op.create_table(
            table,
            sa.Column("record", TEXT, nullable=False),
            sa.Column("target", TEXT, nullable=False),
            *(sa.Column(day, TEXT, nullable=True) for day in DAYS),
            refers(table, "record", "calls", "CASCADE"),
            refers(table, "target", target, None),
            sa.PrimaryKeyConstraint("record", "target", name=op.f(f"{table}_key")),
            sqlite_with_rowid=False,
        )
        op.execute(FILLED.format(table=table, owner=owner, link=link))
        if on_postgresql:  # It makes no index while rows are unchecked.
            op.execute(f"SET CONSTRAINTS {table}_record_refers, {table}_target_refers IMMEDIATE")
        op.create_index(f"{table}_by_target_record", table, ["target", "record"])
        order(table)
    for day in DAYS:
        op.add_column(INITIATORS, sa.Column(day, TEXT, nullable=True))
    op.execute(DATED)
    order(INITIATORS)


def downgrade() -> None:
    op.drop_index(f"{INITIATORS}_vague_by_target", INITIATORS)
    op.drop_index(f"{INITIATORS}_by_target_earliest_latest_record", INITIATORS)
    for day in DAYS:
        op.drop_column(INITIATORS, day)
    for table in NAMED:
        op.drop_table(table)
