"""Triggers that keep the log of changes append-only.

A change that was logged stays as it is, but for its `bytes`, which redaction takes away. This stops
mistakes and careless hands; whoever may alter tables can drop a trigger, and `readout verify` is
there to find what is done then.

Revision: 0002
After: 0001
Made: 2026-11-24 07:40:00.000000
"""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

KEPT = ("seq", "kind", "id", "revision", "action", "call", "hash", "digest")
SAME = " AND ".join(f'new."{name}" IS old."{name}"' for name in KEPT)

# REPLACE deletes without asking the trigger of DELETE: so what is inserted must be new, and next.
SQLITE = {
    "revisions_stay": f"""BEFORE UPDATE ON revisions
        WHEN NOT (new.bytes IS NULL AND old.bytes IS NOT NULL AND old.action <> 'redact' AND {SAME})
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    "revisions_are_kept": """BEFORE DELETE ON revisions
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    "revisions_are_appended": """BEFORE INSERT ON revisions
        WHEN new.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM revisions) OR EXISTS (
            SELECT 1 FROM revisions
            WHERE kind = new.kind AND id = new.id AND revision = new.revision)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
}

POSTGRESQL = """
CREATE FUNCTION revisions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF new.bytes IS NULL AND old.bytes IS NOT NULL AND old.action <> 'redact'
            AND to_jsonb(new) - 'bytes' = to_jsonb(old) - 'bytes'
        THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER revisions_stay BEFORE UPDATE OR DELETE ON revisions
    FOR EACH ROW EXECUTE FUNCTION revisions_stay();
CREATE TRIGGER revisions_are_kept BEFORE TRUNCATE ON revisions
    FOR EACH STATEMENT EXECUTE FUNCTION revisions_stay();
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        return
    for name, rest in SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} {rest}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER revisions_are_kept ON revisions")
        op.execute("DROP TRIGGER revisions_stay ON revisions")
        op.execute("DROP FUNCTION revisions_stay()")
        return
    for name in SQLITE:
        op.execute(f"DROP TRIGGER {name}")
