"""A statement's topics, each with each of its speakers.

Revision: 0005
After: 0004
Made: 2026-11-24 13:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"

TABLE = "statement_said_about"
TEXT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
ORDER = ["target", "speaker", "earliest", "latest", "record"]
FILLED = f"""
    INSERT INTO {TABLE} (record, ordinal, target, speaker, position, earliest, latest)
    SELECT t.record,
        row_number() OVER (PARTITION BY t.record ORDER BY t.ordinal, s.ordinal) - 1,
        t.target, s.target, t.position, t.earliest, t.latest
    FROM statement_topics AS t JOIN statement_speakers AS s ON s.record = t.record
"""  # noqa: S608 (names of ours)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("speaker", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f(f"{TABLE}_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f(f"{TABLE}_key")),
        sqlite_with_rowid=False,
    )
    op.execute(FILLED)
    if op.get_bind().dialect.name == "postgresql":  # It makes no index while rows are unchecked.
        op.execute(f"SET CONSTRAINTS {TABLE}_record_refers IMMEDIATE")
    op.create_index(f"{TABLE}_by_{'_'.join(ORDER)}", TABLE, ORDER)
    vague = sa.text("earliest <> latest")
    op.create_index(
        f"{TABLE}_vague_by_target_speaker",
        TABLE,
        ORDER,
        sqlite_where=vague,
        postgresql_where=vague,
    )


def downgrade() -> None:
    op.drop_table(TABLE)
