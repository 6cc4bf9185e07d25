"""The tables of records, with full text, and the log of changes.

Revision: 0001
After:
Made: 2026-11-24 07:15:27.681942
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None


TEXT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
WORDS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEARCHED = ("participants", "topics", "sources", "calls", "statements")

# FTS5 reads the words from the table itself; triggers keep its index in step (sqlite.org/fts5.html).
FTS5 = """
CREATE VIRTUAL TABLE {t}_search USING fts5(words, content='{t}', content_rowid='n', tokenize='ascii');
CREATE TRIGGER {t}_search_insert AFTER INSERT ON {t} BEGIN
  INSERT INTO {t}_search(rowid, words) VALUES (new.n, new.words); END;
CREATE TRIGGER {t}_search_delete AFTER DELETE ON {t} BEGIN
  INSERT INTO {t}_search({t}_search, rowid, words) VALUES ('delete', old.n, old.words); END;
CREATE TRIGGER {t}_search_update AFTER UPDATE OF words ON {t} BEGIN
  INSERT INTO {t}_search({t}_search, rowid, words) VALUES ('delete', old.n, old.words);
  INSERT INTO {t}_search(rowid, words) VALUES (new.n, new.words); END;
"""


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("medium", TEXT, nullable=False),
        sa.Column("held_on_basis", TEXT, nullable=True),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.CheckConstraint(
            "held_on_basis IN ('stated', 'inferred', 'external')",
            name=op.f("calls_held_on_basis_check"),
        ),
        sa.CheckConstraint(
            "medium IN ('phone', 'video', 'unknown')", name=op.f("calls_medium_check")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'announced', 'scheduled', 'rescheduled', 'held', 'cancelled', 'refused', 'disputed')",
            name=op.f("calls_status_check"),
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("calls_key")),
        sa.UniqueConstraint("id", name=op.f("calls_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index("calls_by_earliest_latest_id", "calls", ["earliest", "latest", "id"])
    op.create_index("calls_by_updated_at", "calls", ["updated_at"])

    op.create_table(
        "idempotency",
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("actor", "path", "key", name=op.f("idempotency_key")),
    )
    op.create_index("idempotency_by_at", "idempotency", ["at"])
    op.create_index("idempotency_by_id", "idempotency", ["id"])

    op.create_table(
        "keys",
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=True),
        sa.Column("revoked_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("prefix", name=op.f("keys_key")),
        sa.UniqueConstraint("name", name=op.f("keys_name_unique")),
    )
    op.create_table(
        "participants",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.CheckConstraint(
            "kind IN ('person', 'state', 'organisation')", name=op.f("participants_kind_check")
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("participants_key")),
        sa.UniqueConstraint("id", name=op.f("participants_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index("participants_by_name", "participants", ["name"], postgresql_using="hash")
    op.create_index("participants_by_updated_at", "participants", ["updated_at"])

    op.create_table(
        "revisions",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("call", TEXT, nullable=True),
        sa.Column("bytes", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("revisions_key")),
        sa.UniqueConstraint(
            "kind", "id", "revision", name=op.f("revisions_kind_id_revision_unique")
        ),
    )
    op.create_index("revisions_by_call_seq", "revisions", ["call", "seq"])

    op.create_table(
        "sources",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("publisher", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("rights", TEXT, nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.CheckConstraint(
            "kind IN ('official', 'news', 'archive', 'other')", name=op.f("sources_kind_check")
        ),
        sa.CheckConstraint(
            "rights IN ('open', 'quote', 'none')", name=op.f("sources_rights_check")
        ),
        sa.CheckConstraint("text IS NULL OR rights = 'open'", name=op.f("sources_text_check")),
        sa.CheckConstraint("characters > 0", name=op.f("sources_characters_check")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("sources_sha256_check")),
        sa.PrimaryKeyConstraint("n", name=op.f("sources_key")),
        sa.UniqueConstraint("id", name=op.f("sources_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index("sources_by_updated_at", "sources", ["updated_at"])

    op.create_table(
        "topics",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("broader", TEXT, nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["broader"],
            ["topics.id"],
            name=op.f("topics_broader_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("topics_key")),
        sa.UniqueConstraint("id", name=op.f("topics_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index("topics_by_broader", "topics", ["broader"])
    op.create_index("topics_by_label", "topics", ["label"], postgresql_using="hash")
    op.create_index("topics_by_updated_at", "topics", ["updated_at"])

    op.create_table(
        "accounts",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("given_by", TEXT, nullable=True),
        sa.Column("genre", TEXT, nullable=False),
        sa.Column("coverage", TEXT, nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.CheckConstraint("coverage IN ('whole', 'part')", name=op.f("accounts_coverage_check")),
        sa.CheckConstraint(
            "genre IN ('readout', 'joint-statement', 'press-remarks', 'briefing', 'memorandum', 'transcript', 'news-report')",
            name=op.f("accounts_genre_check"),
        ),
        sa.ForeignKeyConstraint(
            ["call"],
            ["calls.id"],
            name=op.f("accounts_call_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["given_by"],
            ["participants.id"],
            name=op.f("accounts_given_by_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("accounts_key")),
        sa.UniqueConstraint("id", name=op.f("accounts_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index("accounts_by_updated_at", "accounts", ["updated_at"])

    op.create_table(
        "call_initiators",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["calls.id"],
            name=op.f("call_initiators_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("call_initiators_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("call_initiators_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("call_initiators_by_target_record", "call_initiators", ["target", "record"])

    op.create_table(
        "call_participants",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=True),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.CheckConstraint(
            "role IN ('principal', 'interpreter', 'note-taker', 'aide')",
            name=op.f("call_participants_role_check"),
        ),
        sa.ForeignKeyConstraint(
            ["record"],
            ["calls.id"],
            name=op.f("call_participants_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["side"],
            ["participants.id"],
            name=op.f("call_participants_side_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("call_participants_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("call_participants_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "call_participants_by_country_record", "call_participants", ["country", "record"]
    )
    op.create_index("call_participants_by_side_record", "call_participants", ["side", "record"])
    op.create_index(
        "call_participants_by_target_earliest_latest_record",
        "call_participants",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index("call_participants_by_target_record", "call_participants", ["target", "record"])

    op.create_table(
        "call_stage_sources",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["calls.id"],
            name=op.f("call_stage_sources_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["sources.id"],
            name=op.f("call_stage_sources_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("call_stage_sources_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "call_stage_sources_by_target_record", "call_stage_sources", ["target", "record"]
    )

    op.create_table(
        "participant_names",
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["participants.id"],
            name=op.f("participant_names_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("participant_names_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("participant_names_by_record", "participant_names", ["record"])

    op.create_table(
        "topic_names",
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["topics.id"],
            name=op.f("topic_names_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("topic_names_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("topic_names_by_record", "topic_names", ["record"])

    op.create_table(
        "account_sides",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["accounts.id"],
            name=op.f("account_sides_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("account_sides_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("account_sides_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("account_sides_by_target_record", "account_sides", ["target", "record"])

    op.create_table(
        "account_sources",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["record"],
            ["accounts.id"],
            name=op.f("account_sources_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["sources.id"],
            name=op.f("account_sources_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("account_sources_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("account_sources_by_target_record", "account_sources", ["target", "record"])

    op.create_table(
        "statements",
        sa.Column("n", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("genre", TEXT, nullable=False),
        sa.Column("setting", TEXT, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("act", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("self_reported", sa.Boolean(), nullable=True),
        sa.Column("joint", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.CheckConstraint(
            "act IN ('demand', 'appeal', 'offer', 'commitment', 'agreement', 'support', 'concession', 'rejection', 'denial', 'warning', 'accusation', 'assertion', 'concern', 'announcement', 'briefing', 'discussion', 'assessment', 'characterisation', 'question', 'courtesy')",
            name=op.f("statements_act_check"),
        ),
        sa.CheckConstraint(
            "form IN ('direct', 'indirect', 'mixed')", name=op.f("statements_form_check")
        ),
        sa.CheckConstraint(
            "genre IN ('readout', 'joint-statement', 'press-remarks', 'briefing', 'memorandum', 'transcript', 'news-report')",
            name=op.f("statements_genre_check"),
        ),
        sa.CheckConstraint(
            "setting IN ('on-call', 'about-call', 'off-call')",
            name=op.f("statements_setting_check"),
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
            name=op.f("statements_account_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["call"],
            ["calls.id"],
            name=op.f("statements_call_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("statements_key")),
        sa.UniqueConstraint("id", name=op.f("statements_id_unique")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "statements_by_account_earliest_latest_id",
        "statements",
        ["account", "earliest", "latest", "id"],
    )
    op.create_index(
        "statements_by_act_earliest_latest_id", "statements", ["act", "earliest", "latest", "id"]
    )
    op.create_index(
        "statements_by_call_earliest_latest_id", "statements", ["call", "earliest", "latest", "id"]
    )
    op.create_index("statements_by_earliest_latest_id", "statements", ["earliest", "latest", "id"])
    op.create_index(
        "statements_by_form_earliest_latest_id", "statements", ["form", "earliest", "latest", "id"]
    )
    op.create_index(
        "statements_by_genre_earliest_latest_id",
        "statements",
        ["genre", "earliest", "latest", "id"],
    )
    op.create_index(
        "statements_by_position_earliest_latest_id",
        "statements",
        ["position", "earliest", "latest", "id"],
    )
    op.create_index(
        "statements_by_setting_earliest_latest_id",
        "statements",
        ["setting", "earliest", "latest", "id"],
    )
    op.create_index("statements_by_updated_at", "statements", ["updated_at"])

    op.create_table(
        "statement_addressees",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_addressees_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("statement_addressees_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_addressees_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_addressees_by_target_earliest_latest_record",
        "statement_addressees",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_addressees_by_target_record", "statement_addressees", ["target", "record"]
    )

    op.create_table(
        "statement_sides",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_sides_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("statement_sides_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_sides_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_sides_by_target_earliest_latest_record",
        "statement_sides",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index("statement_sides_by_target_record", "statement_sides", ["target", "record"])

    op.create_table(
        "statement_sources",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_sources_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["sources.id"],
            name=op.f("statement_sources_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_sources_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_sources_by_target_earliest_latest_record",
        "statement_sources",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index("statement_sources_by_target_record", "statement_sources", ["target", "record"])

    op.create_table(
        "statement_speakers",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_speakers_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("statement_speakers_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_speakers_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_speakers_by_country_earliest_latest_record",
        "statement_speakers",
        ["country", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_speakers_by_target_earliest_latest_record",
        "statement_speakers",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_speakers_by_target_position_earliest_latest_record",
        "statement_speakers",
        ["target", "position", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_speakers_by_target_record", "statement_speakers", ["target", "record"]
    )

    op.create_table(
        "statement_targets",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_targets_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["participants.id"],
            name=op.f("statement_targets_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_targets_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_targets_by_country_earliest_latest_record",
        "statement_targets",
        ["country", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_targets_by_target_earliest_latest_record",
        "statement_targets",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index("statement_targets_by_target_record", "statement_targets", ["target", "record"])

    op.create_table(
        "statement_topics",
        sa.Column("record", TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("position", sa.Boolean(), nullable=False),
        sa.Column("earliest", TEXT, nullable=True),
        sa.Column("latest", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["record"],
            ["statements.id"],
            name=op.f("statement_topics_record_refers"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["topics.id"],
            name=op.f("statement_topics_target_refers"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("record", "ordinal", name=op.f("statement_topics_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "statement_topics_by_target_earliest_latest_record",
        "statement_topics",
        ["target", "earliest", "latest", "record"],
    )
    op.create_index(
        "statement_topics_by_target_position_earliest_latest_record",
        "statement_topics",
        ["target", "position", "earliest", "latest", "record"],
    )
    op.create_index("statement_topics_by_target_record", "statement_topics", ["target", "record"])

    for table in SEARCHED:
        if op.get_bind().dialect.name == "postgresql":
            op.create_index(f"{table}_search_words", table, ["words"], postgresql_using="gin")
        else:
            virtual, *triggers = FTS5.format(t=table).split("CREATE TRIGGER ")
            op.execute(virtual)
            for trigger in triggers:
                op.execute("CREATE TRIGGER " + trigger)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SEARCHED:
            op.execute(f"DROP TABLE {table}_search")
    op.drop_index("statement_topics_by_target_record", "statement_topics")
    op.drop_index("statement_topics_by_target_position_earliest_latest_record", "statement_topics")
    op.drop_index("statement_topics_by_target_earliest_latest_record", "statement_topics")

    op.drop_table("statement_topics")
    op.drop_index("statement_targets_by_target_record", "statement_targets")
    op.drop_index("statement_targets_by_target_earliest_latest_record", "statement_targets")
    op.drop_index("statement_targets_by_country_earliest_latest_record", "statement_targets")

    op.drop_table("statement_targets")
    op.drop_index("statement_speakers_by_target_record", "statement_speakers")
    op.drop_index(
        "statement_speakers_by_target_position_earliest_latest_record", "statement_speakers"
    )
    op.drop_index("statement_speakers_by_target_earliest_latest_record", "statement_speakers")
    op.drop_index("statement_speakers_by_country_earliest_latest_record", "statement_speakers")

    op.drop_table("statement_speakers")
    op.drop_index("statement_sources_by_target_record", "statement_sources")
    op.drop_index("statement_sources_by_target_earliest_latest_record", "statement_sources")

    op.drop_table("statement_sources")
    op.drop_index("statement_sides_by_target_record", "statement_sides")
    op.drop_index("statement_sides_by_target_earliest_latest_record", "statement_sides")

    op.drop_table("statement_sides")
    op.drop_index("statement_addressees_by_target_record", "statement_addressees")
    op.drop_index("statement_addressees_by_target_earliest_latest_record", "statement_addressees")

    op.drop_table("statement_addressees")
    op.drop_index("statements_by_updated_at", "statements")
    op.drop_index("statements_by_setting_earliest_latest_id", "statements")
    op.drop_index("statements_by_position_earliest_latest_id", "statements")
    op.drop_index("statements_by_genre_earliest_latest_id", "statements")
    op.drop_index("statements_by_form_earliest_latest_id", "statements")
    op.drop_index("statements_by_earliest_latest_id", "statements")
    op.drop_index("statements_by_call_earliest_latest_id", "statements")
    op.drop_index("statements_by_act_earliest_latest_id", "statements")
    op.drop_index("statements_by_account_earliest_latest_id", "statements")

    op.drop_table("statements")
    op.drop_index("account_sources_by_target_record", "account_sources")

    op.drop_table("account_sources")
    op.drop_index("account_sides_by_target_record", "account_sides")

    op.drop_table("account_sides")
    op.drop_index("topic_names_by_record", "topic_names")

    op.drop_table("topic_names")
    op.drop_index("participant_names_by_record", "participant_names")

    op.drop_table("participant_names")
    op.drop_index("call_stage_sources_by_target_record", "call_stage_sources")

    op.drop_table("call_stage_sources")
    op.drop_index("call_participants_by_target_record", "call_participants")
    op.drop_index("call_participants_by_target_earliest_latest_record", "call_participants")
    op.drop_index("call_participants_by_side_record", "call_participants")
    op.drop_index("call_participants_by_country_record", "call_participants")

    op.drop_table("call_participants")
    op.drop_index("call_initiators_by_target_record", "call_initiators")

    op.drop_table("call_initiators")
    op.drop_index("accounts_by_updated_at", "accounts")

    op.drop_table("accounts")
    op.drop_index("topics_by_updated_at", "topics")
    op.drop_index("topics_by_label", "topics")
    op.drop_index("topics_by_broader", "topics")

    op.drop_table("topics")
    op.drop_index("sources_by_updated_at", "sources")

    op.drop_table("sources")
    op.drop_index("revisions_by_call_seq", "revisions")

    op.drop_table("revisions")
    op.drop_index("participants_by_updated_at", "participants")
    op.drop_index("participants_by_name", "participants")

    op.drop_table("participants")
    op.drop_table("keys")
    op.drop_index("idempotency_by_id", "idempotency")
    op.drop_index("idempotency_by_at", "idempotency")

    op.drop_table("idempotency")
    op.drop_index("calls_by_updated_at", "calls")
    op.drop_index("calls_by_earliest_latest_id", "calls")

    op.drop_table("calls")
