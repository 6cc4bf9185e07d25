"""Counters of the topics and speakers of the statements on a topic, to all and to one addressee.

Revision: 0006
After: 0005
Made: 2026-11-24 13:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

TEXT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
KEYS = ("topic", "addressee", "facet", "value")
FACETS = {"topic": "statement_topics", "speaker": "statement_speakers"}
ADDRESSEES = {
    "''": ("", ""),
    "a.target": ("JOIN statement_addressees AS a ON a.record = t.record", ", a.target"),
}
FILLED = """
    INSERT INTO statement_counts (topic, addressee, facet, value, counted, positions)
    SELECT t.target, {addressee}, '{facet}', v.target, count(*), count(*) FILTER (WHERE t.position)
    FROM statement_topics AS t JOIN {link} AS v ON v.record = t.record {to}
    WHERE t.record NOT IN (SELECT record FROM long)
    GROUP BY t.target, v.target{by}
"""
# Statements with a list of more than ten are in none of the counters of their topics.
LONG = """
    CREATE TEMPORARY TABLE long AS
    SELECT record FROM statement_topics WHERE ordinal >= 10
    UNION SELECT record FROM statement_speakers WHERE ordinal >= 10
    UNION SELECT record FROM statement_addressees WHERE ordinal >= 10
"""
LEFT_OUT = """
    INSERT INTO statement_counts (topic, addressee, facet, value, counted, positions)
    SELECT t.target, '', '', '', count(*), count(*) FILTER (WHERE t.position)
    FROM statement_topics AS t WHERE t.record IN (SELECT record FROM long)
    GROUP BY t.target
"""


def upgrade() -> None:
    op.create_table(
        "statement_counts",
        *(sa.Column(name, TEXT, nullable=False) for name in KEYS),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*KEYS, name=op.f("statement_counts_key")),
        sqlite_with_rowid=False,
    )
    op.execute(LONG)
    op.execute(LEFT_OUT)
    for facet, link in FACETS.items():
        for addressee, (to, by) in ADDRESSEES.items():
            op.execute(FILLED.format(addressee=addressee, facet=facet, link=link, to=to, by=by))
    op.execute("DROP TABLE long")


def downgrade() -> None:
    op.drop_table("statement_counts")
