"""`readout verify`: what holds is found to hold, and every way of tampering is named.

Each tampering is done by SQL in a transaction, looked at there, and undone.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, make_url, select, text, update

from api import ledger
from api.cli import main
from api.exchange.documents import read_yaml
from api.exchange.imports import put_record
from api.ledger import GENESIS, chained
from api.ledger.verify import Verdict, verify
from api.store import migrate, rows
from api.store.engine import Database
from api.store.kinds import KINDS
from api.unit import Unit
from tests.conftest import KINDS as DATABASES
from tests.conftest import RECORDS
from tests.tampering import LAST, ON_LOG, ON_TABLES, RETRACTED, STATEMENT, Tampering
from tests.test_migrations import revisions


def live(database: Database) -> None:
    """Have all happen to some records that can happen to one, each as a unit of its own."""

    def put(kind: str, record_id: str, **members: Any) -> None:
        with database.write() as connection:
            unit = Unit(connection, "desk", "corrected")
            unit.put(kind, unit.written(kind, record_id) | members)
            unit.commit()

    def retract(kind: str, record_id: str) -> dict[str, Any]:
        with database.write() as connection:
            unit = Unit(connection, "desk", "coded twice")
            written = unit.written(kind, record_id)
            unit.retract(kind, record_id)
            unit.commit()
        return written

    put("participants", "sergey-lavrov", name="Sergei Lavrov", aliases=["Lavrov", "S. V. Lavrov"])
    put("topics", "grain-deal", label="Grain package")
    put("calls", "blinken-lavrov-2022-07-29", held_on="2022-07", title="A call in July")
    put("statements", STATEMENT, summary="Blinken asked for grain.", topics=["grain-deal"])
    retract("statements", RETRACTED)
    again = retract("statements", "blinken-lavrov-2022-07-29-03")
    put_again(database, "statements", again)
    retract("calls", "selsund-review-call-203x")
    put("participants", "antony-blinken", country=None)
    put("statements", LAST, summary="Blinken warned of costs.")


def put_again(database: Database, kind: str, written: dict[str, Any]) -> None:
    with database.write() as connection:
        unit = Unit(connection, "desk", "was right after all")
        assert unit.put(kind, written) == "restored"
        unit.commit()


@pytest.fixture(scope="module", params=DATABASES)
def url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    url = new_database(request.param, filled=True)
    database = Database(url)
    live(database)
    database.close()
    return url


@pytest.fixture(scope="module")
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction in which to tamper; all is undone."""
    try:
        with database.write() as connection:
            yield connection
            raise Undone
    except Undone:
        pass


class Undone(Exception):
    """Ends a transaction without a commit."""


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Without the triggers of the log, which are put back: as somebody would who knows them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE revisions DISABLE TRIGGER USER"))
        yield
        connection.execute(text("ALTER TABLE revisions ENABLE TRIGGER USER"))
        return
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'revisions'"
    triggers = connection.execute(text(found)).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)


def seq_of(connection: Connection, kind: str, record_id: str) -> int:
    """The number of a record's last change."""
    found = ledger.last(connection, kind, record_id)
    assert found
    return found.seq


# What holds.


def test_all_holds_after_all_that_can_happen(database: Database) -> None:
    with database.stream() as connection:
        verdict = verify(connection)
        head = ledger.checkpoint(connection)
        tables = [records.table for records in KINDS.values()]
        records = sum(len(connection.execute(select(each.c.n)).all()) for each in tables)
        actions = set(connection.scalars(select(ledger.table.c.action)))
    assert verdict == Verdict(head["seq"], head["digest"], records, 0, [])
    assert actions == {"create", "update", "retract", "restore"}


def test_it_passes_through_the_checkpoints_kept_on_the_way(database: Database) -> None:
    with database.stream() as connection:
        kept = {one.seq: one.digest for one in ledger.changes(connection, 0, None)}
        assert verify(connection, {0: GENESIS.hex(), **kept}).failed == 0


def test_it_writes_nothing_and_leaves_the_connection_as_it_was(database: Database) -> None:
    with database.stream() as connection:
        before = ledger.checkpoint(connection)
        verify(connection)
        if database.dialect == "sqlite":
            for schema in ("temp", "audit"):
                left = text(f"SELECT count(*) FROM {schema}.sqlite_master")
                assert connection.scalar(left) == 0
            assert connection.scalar(text("PRAGMA query_only")) == 1
        assert ledger.checkpoint(connection) == before


def test_an_empty_database_holds(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    database = Database(empty_url)
    with database.stream() as connection:
        assert verify(connection) == Verdict(0, GENESIS.hex(), 0, 0, [])
    database.close()


# What does not.


def on(database: Database, tampering: Tampering) -> None:
    if tampering.on not in ("both", database.dialect):
        pytest.skip(f"this is of {tampering.on} alone")


def named(verdict: Verdict, where: str, why: str, failed: int) -> None:
    assert verdict.first, "nothing was found"
    first = verdict.first[0]
    assert first.where.startswith(where)
    assert why in first.why
    assert failed in (-1, verdict.failed), verdict.first


@pytest.mark.parametrize("what", ON_TABLES)
def test_tampering_with_the_tables_is_named(
    what: str, database: Database, connection: Connection
) -> None:
    tampering = ON_TABLES[what]
    on(database, tampering)
    assert connection.execute(text(tampering.sql)).rowcount
    named(verify(connection), tampering.where, tampering.why, tampering.failed)


@pytest.mark.parametrize("what", ON_LOG)
def test_tampering_with_the_log_is_named(
    what: str, database: Database, connection: Connection
) -> None:
    tampering = ON_LOG[what]
    on(database, tampering)
    seq = seq_of(connection, "statements", STATEMENT)
    told = {"seq": seq, "after": seq + 1, "head": ledger.checkpoint(connection)["seq"] + 1}
    with unguarded(connection):
        for statement in tampering.sql.split(";"):
            bound = {"seq": seq} if ":seq" in statement else {}
            assert connection.execute(text(statement), bound).rowcount
    where, why = (part.format(**told) for part in (tampering.where, tampering.why))
    named(verify(connection), where, why, tampering.failed)


def test_there_are_enough_ways_of_tampering() -> None:
    for dialect in DATABASES:
        ways = [
            one for one in (*ON_TABLES.values(), *ON_LOG.values()) if one.on in ("both", dialect)
        ]
        assert len(ways) >= 12


# What shows only with a checkpoint that was kept elsewhere.


def rewritten(connection: Connection) -> None:
    """Change what was said, and everything that would tell: log, chain, row, links, words."""
    written: dict[str, Any] = {}
    digest = GENESIS
    with unguarded(connection):
        for row in connection.execute(select(ledger.table).order_by(ledger.table.c.seq)).all():
            told = orjson.loads(row.bytes)
            if (row.kind, row.id) == ("statements", STATEMENT):
                told["record"]["summary"] = "Blinken asked for nothing."
                written = told
            kept = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
            hashed = hashlib.sha256(kept).digest()
            digest = chained(digest, hashed)
            same = update(ledger.table).where(ledger.table.c.seq == row.seq)
            connection.execute(same.values(bytes=kept, hash=hashed, digest=digest))
    views = {
        (kind, one.id): orjson.loads(one.view)
        for kind, records in KINDS.items()
        for one in connection.execute(select(records.table.c.id, records.table.c.view))
    }
    stamps = {
        name: views["statements", STATEMENT][name]
        for name in ("revision", "created_at", "updated_at")
    }
    made = rows.prepare(
        "statements",
        written["record"],
        stamps,
        lambda kind, record_id: views[kind, record_id],
        connection.dialect.name,
    )
    rows.write(connection, [made])


def test_a_rewritten_chain_is_found_with_a_checkpoint_alone(connection: Connection) -> None:
    kept = {one.seq: one.digest for one in ledger.changes(connection, 0, None)}
    rewritten(connection)
    assert verify(connection).failed == 0
    assert verify(connection, {1: kept[1]}).failed == 0  # Nothing up to it was changed.
    verdict = verify(connection, {len(kept): kept[len(kept)]})
    assert verdict.failed == 1
    assert verdict.first[0].where.startswith(f"change {len(kept)} ")
    assert "its digest is not the checkpoint's" in verdict.first[0].why


def test_an_older_copy_is_found_with_a_checkpoint_alone(
    database: Database, new_database: Callable[..., str]
) -> None:
    with database.read() as connection:
        head = ledger.checkpoint(connection)
    older = Database(new_database(database.dialect, filled=True))
    with older.stream() as connection:
        assert verify(connection).failed == 0
        verdict = verify(connection, {head["seq"]: head["digest"]})
    assert verdict.first[0].where == f"change {head['seq']}"
    assert verdict.first[0].why == (
        f"is missing: there is a checkpoint of it, and the log ends at {verdict.seq}"
    )
    older.close()


def test_a_checkpoint_before_the_first_change_is_always_passed(database: Database) -> None:
    with database.stream() as connection:
        assert verify(connection, {0: GENESIS.hex()}).failed == 0
        assert verify(connection, {0: "f" * 64}).first[0].where == "change 0"


# Migrations.


def test_migrations_leave_every_digest_valid(empty_url: str) -> None:
    """With records in them, down to the one before, to tables without triggers, and up again."""
    migrate.upgrade(empty_url)
    database = Database(empty_url)
    with database.write() as connection:
        unit = Unit(connection, "tests")
        for record in RECORDS:
            put_record(unit, read_yaml(record.read_text()))
        unit.commit()
        before = connection.execute(select(ledger.table).order_by(ledger.table.c.seq)).all()
    database.close()
    kept = {before[-1].seq: before[-1].digest.hex()}
    for revision in (revisions()[-2], "0001"):
        for move, to in (migrate.downgrade, revision), (migrate.upgrade, "head"):
            move(empty_url, to)
            with database.stream() as connection:
                every = select(ledger.table).order_by(ledger.table.c.seq)
                assert connection.execute(every).all() == before
            database.close()
        with database.stream() as connection:
            assert verify(connection, kept).first == []
        database.close()
    migrate.check(empty_url)


def test_records_of_an_earlier_schema_hold_with_what_came_since(connection: Connection) -> None:
    """As if a member were new: what was logged before has it not, rows were given it."""
    from api.ledger import SCHEMA
    from schemas.base import completed
    from schemas.record import WRITTEN

    assert SCHEMA == 1
    found = connection.execute(select(ledger.table).where(ledger.table.c.kind == "calls")).first()
    assert found
    record = orjson.loads(found.bytes)["record"]
    older = {name: value for name, value in record.items() if name not in ("medium", "related")}
    older["participants"] = [{"participant": "somebody"}]
    whole = completed(WRITTEN["calls"], older | {"gone": 1})
    assert whole.keys() == record.keys()
    assert whole["medium"] == "unknown"
    assert whole["related"] == []
    assert whole["participants"] == [
        {"participant": "somebody", "office": None, "side": None, "role": "principal"}
    ]


# The log refuses what it is not for.

REFUSED = {
    "another action": "UPDATE revisions SET action = 'update' WHERE seq = 1",
    "other bytes": "UPDATE revisions SET bytes = hash WHERE seq = 1",
    "no bytes and another number": "UPDATE revisions SET bytes = NULL, seq = 999 WHERE seq = 1",
    "no bytes and another call": "UPDATE revisions SET bytes = NULL, call = 'x' WHERE seq = 1",
    "deleted": "DELETE FROM revisions WHERE seq = 1",
    "replaced": "INSERT INTO revisions SELECT seq, kind, id, revision, 'x', call, bytes, hash,"
    " digest FROM revisions WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET action = 'x'",
}
REFUSED_BY_ONE = {
    "sqlite": (
        "INSERT OR REPLACE INTO revisions SELECT seq, kind, id, revision, 'x', call, bytes, hash,"
        " digest FROM revisions WHERE seq = 1",
        "INSERT OR REPLACE INTO revisions SELECT (SELECT max(seq) + 1 FROM revisions), kind, id,"
        " revision, 'x', call, bytes, hash, digest FROM revisions WHERE seq = 1",
        "INSERT INTO revisions SELECT 999999, kind, id, 999, 'x', call, bytes, hash, digest"
        " FROM revisions WHERE seq = 1",
    ),
    "postgresql": ("TRUNCATE revisions",),
}


@pytest.mark.parametrize("what", [*REFUSED, *range(3)])
def test_the_log_is_append_only(what: str | int, database: Database) -> None:
    more = REFUSED_BY_ONE[database.dialect]
    if isinstance(what, int) and what >= len(more):
        pytest.skip("this is of the other database")
    sql = more[what] if isinstance(what, int) else REFUSED[what]
    with pytest.raises(Exception, match="append-only"), database.write() as connection:
        connection.execute(text(sql))


# The command.


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("READOUT_DATABASE_URL", url)
    return lambda *arguments, **options: CliRunner().invoke(main, arguments, **options)


def test_a_checkpoint_is_what_verify_takes(run: Callable[..., Result], tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    kept.write_text(run("checkpoint").stdout + run("verify").stdout)
    done = run("verify", "--checkpoint", str(kept))
    assert done.exit_code == 0, done.output
    assert not done.stderr
    told = json.loads(done.stdout)
    assert list(told) == ["seq", "digest", "records"]
    assert json.loads(run("checkpoint").stdout) == {k: told[k] for k in ("seq", "digest")}
    assert run("verify", "--checkpoint", "-", input=kept.read_text()).exit_code == 0


def test_a_checkpoint_not_passed_fails(run: Callable[..., Result]) -> None:
    seq = json.loads(run("checkpoint").stdout)["seq"]
    done = run("verify", "--checkpoint", "-", input=json.dumps({"seq": seq, "digest": "0" * 64}))
    assert done.exit_code == 1
    assert done.stdout == ""
    first, last = done.stderr.splitlines()
    assert first.startswith(f"change {seq} (statements/{LAST}, revision 2): its digest is not the")
    assert last.startswith("readout: 1 thing of ")
    assert last.endswith(" records does not hold.")


NO_CHECKPOINTS = {
    "nothing": ("", 2, "holds no checkpoint"),
    "no JSON": ("seq 3\n", 2, "line 1 of"),
    "no object": ("\n[3]\n", 2, "line 2 of"),
    "no digest": ('{"seq": 3, "digest": "abc"}', 2, "line 1 of"),
    "no text": ("\udcff", 2, "line 1 of"),
    "two that differ": (
        f'{{"seq": 3, "digest": "{"0" * 64}"}}\n{{"seq": 3, "digest": "{"1" * 64}"}}\n',
        1,
        "two digests of change 3",
    ),
}


@pytest.mark.parametrize("what", NO_CHECKPOINTS)
def test_what_is_no_checkpoint_is_told(
    what: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    given, exit_code, told = NO_CHECKPOINTS[what]
    kept = tmp_path / "kept"
    kept.write_bytes(given.encode(errors="surrogateescape"))
    done = run("verify", "--checkpoint", str(kept))
    assert done.exit_code == exit_code
    assert told in done.stderr
    assert done.stdout == ""


def test_tampering_is_told_and_fails(
    new_database: Callable[..., str], run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database("sqlite", filled=True)
    monkeypatch.setenv("READOUT_DATABASE_URL", url)
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE statements SET view = CAST(x'ff' AS TEXT)"))
        connection.execute(text("UPDATE topics SET words = 'grain'"))
        count = connection.scalar(text("SELECT count(*) FROM statements"))
        count += connection.scalar(text("SELECT count(*) FROM topics"))
    database.close()
    done = run("verify")
    assert done.exit_code == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("topics/")
    assert len(lines) == 21
    assert lines[-1].startswith(f"readout: {count} things of ")


def test_a_database_not_at_head_is_not_looked_at(
    new_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch, run: Callable[..., Result]
) -> None:
    url = new_database("sqlite", filled=True)
    migrate.downgrade(url, "0001")
    monkeypatch.setenv("READOUT_DATABASE_URL", url)
    for command in ("verify", "checkpoint"):
        done = run(command)
        assert done.exit_code == 1
        assert "run `readout migrate`" in done.stderr


def test_a_table_that_is_gone_is_told(connection: Connection) -> None:
    connection.execute(text("DROP TABLE account_sides"))
    verdict = verify(connection)
    assert verdict.first[0].where == "the database"
    assert "account_sides" in verdict.first[0].why


# What docs/trust.md shows.


def test_the_page_on_trust_shows_what_is_said(connection: Connection) -> None:
    page = (Path(__file__).parents[1] / "docs" / "trust.md").read_text()
    shown = re.findall(r"^```\n(statements/.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    what, how_many = shown[0].splitlines()
    where, _ = what.split(": ", 1)
    act = text("UPDATE statements SET act = 'appeal' WHERE id = :id")
    connection.execute(act, {"id": where.removeprefix("statements/")})
    [found] = verify(connection).first
    assert re.sub(r"\d+", "n", f"{found.where}: {found.why}") == re.sub(r"\d+", "n", what)
    assert re.fullmatch(
        r"readout: 1 thing of \d+ changes and \d+ records does not hold\.", how_many
    )


def test_the_page_on_trust_checks_the_chain_without_us(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    page = (Path(__file__).parents[1] / "docs" / "trust.md").read_text()
    [program] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    url = new_database("sqlite", filled=True)
    database = Database(url)
    with database.read() as connection:
        head = ledger.checkpoint(connection)
    database.close()
    (tmp_path / "readout.sqlite").symlink_to(str(make_url(url).database))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{head['seq']} {head['digest']}\n"
