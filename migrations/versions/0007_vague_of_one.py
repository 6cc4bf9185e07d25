"""No index of the vague dates in one account or call: of these there are few, vague or not.

Revision: 0007
After: 0006
Made: 2026-11-24 14:10:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"

OWNERS = ("account", "call")


def upgrade() -> None:
    for owner in OWNERS:
        op.drop_index(f"statements_vague_by_{owner}", "statements")


def downgrade() -> None:
    vague = sa.text("earliest <> latest")
    for owner in OWNERS:
        op.create_index(
            f"statements_vague_by_{owner}",
            "statements",
            [owner, "earliest", "latest", "id"],
            sqlite_where=vague,
            postgresql_where=vague,
        )
