"""`readout redact`: the content goes from everywhere, that it went is told, and the log holds."""

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import make_url, select, text, update

from api import create_app, ledger
from api.cli import main
from api.ledger.verify import verify
from api.settings import load
from api.store import audit, erase, idempotency
from api.store.engine import Database
from tests.call_records import a_record
from tests.conftest import KINDS as DATABASES
from tests.live import READOUT
from tests.test_verify import unguarded
from tests.writing import Writer, new_key, told

SECRET = "Zyxwvutsrq"
EARLIER = "Qrstuvwxyz"
ONE = "statements/zz-statement-1"
THIRD = "statements/zz-statement-3"
WHY = "By order of a court"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    return new_database(request.param, filled=True)


@pytest.fixture
def app(url: str) -> Flask:
    return create_app(load({"READOUT_DATABASE_URL": url}))


@pytest.fixture
def writer(app: Flask, url: str) -> Writer:
    """A client, by whom the call record `zz` was put, secret in all of its own parts.

    Of its statements one was changed twice, one was retracted, and one was made by POST.
    """
    writer = Writer(app, new_key(url, "write", "retract"))
    record = a_record("zz")
    record["call"] |= {"title": f"{SECRET} call", "notes": f"Notes on {SECRET}."}
    for one in record["statements"]:
        one["summary"] = f"{SECRET} wants the lock open."
    assert writer.put("calls/zz-call/record", record).status_code == 201
    first = record["statements"][0]
    for summary in (f"Was about {EARLIER}.", "The minister asks for the lock."):
        assert writer.patch(ONE, {"summary": summary}).status_code == 200
    assert writer.put(THIRD, first | {"id": "zz-statement-3"}).status_code == 201
    assert writer.delete(THIRD).status_code == 204
    posted = {name: value for name, value in first.items() if name != "id"}
    assert writer.post("statements", posted, {"Idempotency-Key": "once"}).status_code == 201
    return writer


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `readout redact … --yes`."""
    monkeypatch.setenv("READOUT_DATABASE_URL", url)

    def run(record: str, *more: str) -> Result:
        arguments = ["redact", record, "--reason", WHY, *(more or ["--yes"])]
        return CliRunner().invoke(main, arguments)

    return run


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def held(database: Database, url: str, word: str) -> set[str]:
    """The tables, and on SQLite the files, that hold a word.

    In files its end is looked for: an index may share the beginning of a word with its neighbour.
    """
    sought = word.lower().encode()
    found = set()
    with database.read() as connection, audit.as_it_is(connection):
        for table in erase.tables():
            for row in connection.execute(audit.raw(table)):
                values = (v if isinstance(v, bytes) else str(v).encode() for v in row)
                if any(sought in value.lower() for value in values):
                    found.add(table.name)
    if database.dialect == "sqlite":
        path = Path(str(make_url(url).database))
        for file in path.parent.glob(f"{path.name}*"):
            if sought[2:] in file.read_bytes().lower():
                found.add(file.name.removeprefix(path.name) or "file")
    return found


def holds(database: Database, checkpoint: dict[str, Any] | None = None) -> dict[str, Any]:
    """See that all holds, on from a checkpoint; gives the next one."""
    kept = {checkpoint["seq"]: checkpoint["digest"]} if checkpoint else {}
    with database.stream() as connection:
        verdict = verify(connection, kept)
        assert verdict.first == []
        return ledger.checkpoint(connection)


# What goes.


def test_a_call_goes_with_all_that_hangs_on_it(
    writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    checkpoint = holds(database)
    before = held(database, url, SECRET)
    assert before >= {"calls", "statements", "revisions", "idempotency"}
    assert database.dialect != "sqlite" or before & {"file", "-wal"}
    done = run("calls/zz-call")
    assert done.exit_code == 0, done.output
    assert held(database, url, SECRET) == set()
    assert held(database, url, EARLIER) == set()
    # Five records of it stood, and one more was retracted.
    assert len([line for line in done.stdout.splitlines() if line.endswith(" is redacted.")]) == 6
    assert THIRD in done.stdout
    head = holds(database, checkpoint)
    assert head["seq"] == checkpoint["seq"] + 6
    # What it named stands, and so does all else.
    assert writer.get("participants/zz-minister").status_code == 200
    assert writer.get("calls/blinken-lavrov-2022-07-29").status_code == 200


def test_what_a_record_said_before_goes_too(
    writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    checkpoint = holds(database)
    assert held(database, url, EARLIER) >= {"revisions"}
    assert run(ONE).exit_code == 0
    assert held(database, url, EARLIER) == set()
    assert "statements" in held(database, url, SECRET)  # The others' is not touched.
    holds(database, checkpoint)


def test_a_record_that_was_retracted_goes(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    checkpoint = holds(database)
    assert run(THIRD).exit_code == 0
    assert [one["record"] for one in writer.read(f"{THIRD}/revisions")["data"]] == [None] * 3
    holds(database, checkpoint)


@pytest.mark.parametrize("kind", ["participants", "topics", "sources"])
def test_a_record_of_any_kind_goes_with_its_names(
    kind: str, writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    made = {
        "participants": {"name": f"{SECRET} A", "kind": "person", "aliases": [f"{SECRET} B"]},
        "topics": {"label": f"{SECRET} A", "aliases": [f"{SECRET} B"]},
        "sources": {"title": SECRET, "rights": "open", "text": f"The text of {SECRET}."},
    }
    assert run("calls/zz-call").exit_code == 0
    assert writer.put(f"{kind}/secret", made[kind]).status_code == 201
    assert kind in held(database, url, SECRET)
    assert run(f"{kind}/secret").exit_code == 0
    assert held(database, url, SECRET) == set()
    assert told(writer.get(f"{kind}/secret")) == (410, "retracted")
    if kind != "sources":
        assert writer.get(f"{kind}/{SECRET.lower()}-b").status_code == 404
    holds(database)


def test_answers_that_showed_it_are_forgotten(
    writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    """Also those of other records, which named it when they were given."""
    writer.put("participants/secret", {"name": SECRET * 2, "kind": "person"})
    sent = {name: value for name, value in a_record("zz")["statements"][0].items() if name != "id"}
    posted = writer.post(
        "statements", sent | {"speakers": ["secret"]}, {"Idempotency-Key": "twice"}
    )
    assert posted.status_code == 201
    assert writer.delete(f"statements/{posted.json['id']}").status_code == 204  # type: ignore[index]
    assert "idempotency" in held(database, url, SECRET * 2)
    assert run("participants/secret").exit_code == 0
    assert held(database, url, SECRET * 2) == set()
    with database.read() as connection:
        assert len(connection.execute(select(idempotency.table)).all()) == 1  # The other is kept.


def test_nothing_is_left_where_a_reader_was_in_the_way(
    writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    """The reader keeps an older state alive; the same command goes on once it has ended."""
    if database.dialect != "sqlite":
        pytest.skip("on PostgreSQL what is written anew waits for readers itself")
    with database.read() as connection:
        connection.execute(text("SELECT count(*) FROM calls"))
        done = run("calls/zz-call")
    assert done.exit_code == 1
    assert "The same command tries again." in done.stderr
    assert "-wal" in held(database, url, SECRET)
    before = holds(database)
    done = run("calls/zz-call")
    assert done.exit_code == 0
    assert "was redacted before" in done.stdout
    assert held(database, url, SECRET) == set()
    assert holds(database) == before


# What is told afterwards.


def test_it_is_gone_with_when_and_why(writer: Writer, run: Callable[..., Result]) -> None:
    assert run(ONE).exit_code == 0
    gone = writer.get(ONE)
    assert told(gone) == (410, "retracted")
    assert gone.json is not None
    assert gone.json["detail"].startswith("Was redacted at 20")
    assert gone.json["detail"].endswith(f"Z: {WHY}")
    assert gone.headers["ETag"].startswith('"4-')
    listed = writer.read("statements?call=zz-call")["data"]
    assert {one["id"] for one in listed} > {"zz-statement-2"}
    assert "zz-statement-1" not in {one["id"] for one in listed}
    assert writer.read(f"statements?q={EARLIER}")["data"] == []
    assert "zz-statement-1" not in writer.get("calls/zz-call/record").text


def test_its_history_tells_that_there_was_one(writer: Writer, run: Callable[..., Result]) -> None:
    before = writer.read(f"{ONE}/revisions")["data"]
    assert run(ONE).exit_code == 0
    *old, last = writer.read(f"{ONE}/revisions")["data"]
    empty = {"record": None, "at": None, "actor": None, "reason": None}
    assert old == [one | empty for one in before]
    assert [last[name] for name in ("revision", "action", "reason", "record")] == [
        4,
        "redact",
        WHY,
        None,
    ]
    assert last["actor"].startswith("cli")
    assert writer.read(f"{ONE}/revisions/2") == old[1]
    changes = writer.read(f"changes?after={before[0]['seq'] - 1}&limit=200")["data"]
    assert [one for one in changes if one["id"] == "zz-statement-1"] == [*old, last]


def test_it_can_be_written_anew(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    was = writer.read(ONE)
    assert run(ONE).exit_code == 0
    sent = a_record("zz")["statements"][0]
    assert writer.send("PUT", ONE, sent).status_code == 410
    assert writer.put(ONE, sent).status_code == 200
    now = writer.read(ONE)
    assert now["revision"] == 5
    assert now["created_at"] == now["updated_at"] > was["created_at"]
    holds(database)
    assert writer.delete(ONE).status_code == 204
    assert writer.put(ONE, sent).status_code == 200
    assert writer.read(ONE)["created_at"] > now["created_at"]
    holds(database)
    assert run(ONE).exit_code == 0
    holds(database)
    redacted = [one for one in writer.read(f"{ONE}/revisions")["data"] if one["reason"] == WHY]
    assert [one["revision"] for one in redacted] == [4, 8]


def test_what_it_said_before_goes_alone_where_it_is_to_stand(
    writer: Writer, run: Callable[..., Result], database: Database, url: str
) -> None:
    """As for a name that must go, of somebody whom other records name."""
    checkpoint = holds(database)
    who = "participants/zz-minister"
    assert writer.patch(who, {"name": f"{SECRET}{EARLIER}"}).status_code == 200
    assert writer.patch(who, {"name": "The minister"}).status_code == 200
    assert held(database, url, f"{SECRET}{EARLIER}")
    was = writer.read(who)
    done = run(who, "--earlier", "--yes")
    assert done.exit_code == 0, done.output
    assert held(database, url, f"{SECRET}{EARLIER}") == set()
    now = writer.read(who)
    assert now == was | {name: now[name] for name in ("revision", "created_at", "updated_at")}
    assert (was["revision"], now["revision"]) == (3, 5)
    *before, redacted, restored = writer.read(f"{who}/revisions")["data"]
    assert {one["record"] for one in before} == {None}
    assert [redacted["action"], redacted["record"], redacted["reason"]] == ["redact", None, WHY]
    assert [restored["action"], restored["record"]["name"]] == ["restore", "The minister"]
    head = holds(database, checkpoint)
    again = run(who, "--earlier", "--yes")
    assert again.exit_code == 0
    assert "said nothing else before" in again.stdout
    assert holds(database, checkpoint) == head


def test_only_of_what_stands_something_can_be_left(
    writer: Writer, run: Callable[..., Result]
) -> None:
    done = run(THIRD, "--earlier", "--yes")
    assert done.exit_code == 1
    assert f"{THIRD} does not stand" in done.stderr


# What is refused.


def test_what_others_name_cannot_go(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    before = holds(database)
    done = run("participants/zz-minister")
    assert done.exit_code == 1
    assert "is named by others, which must go first: calls/zz-call, " in done.stderr
    statement = a_record("zz")["statements"][0]
    for number in range(30):
        writer.put(f"statements/zz-more-{number:02}", statement | {"id": f"zz-more-{number:02}"})
    done = run("topics/zz-lock")
    assert done.stderr.count("statements/") == 20
    assert done.stderr.endswith(" and 13 more.\n")
    done = run("accounts/zz-account")
    assert "statements/zz-more-00" in done.stderr
    assert holds(database)["seq"] == before["seq"] + 30


@pytest.mark.parametrize(
    ("record", "exit_code", "said"),
    [
        ("statements/nothing-here", 1, "there never was a record statements/nothing-here."),
        ("statements", 2, "is not like statements/an-id"),
        ("quotes/one", 2, "the kinds: participants, topics,"),
    ],
)
def test_what_never_was_cannot_go(
    record: str, exit_code: int, said: str, run: Callable[..., Result]
) -> None:
    done = run(record)
    assert done.exit_code == exit_code
    assert said in done.stderr


def test_a_second_time_logs_nothing(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    assert run(ONE).exit_code == 0
    before = holds(database)
    done = run(ONE)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == f"{ONE} was redacted before."
    assert holds(database) == before


def test_it_asks_before(writer: Writer, run: Callable[..., Result], url: str) -> None:
    """Where there is nobody to ask, it does nothing without --yes."""
    done = run("calls/zz-call", "--reason", WHY)
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    for answer, exit_code, status in ((b"n\n", 1, 200), (b"y\n", 0, 410)):
        terminal, end = pty.openpty()
        os.write(terminal, answer)
        done_so = subprocess.run(
            [READOUT, "redact", "calls/zz-call", "--reason", WHY],
            env=os.environ | {"READOUT_DATABASE_URL": url},
            stdin=end,
            capture_output=True,
            text=True,
            timeout=60,
        )
        os.close(terminal)
        os.close(end)
        assert "removes 1 call, 1 account, 4 statements for good" in done_so.stdout
        assert done_so.returncode == exit_code, done_so.stderr
        assert writer.get("calls/zz-call").status_code == status


def test_it_says_what_it_does_not_reach(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    done = run(ONE)
    assert "backups" in done.stderr
    assert ("write-ahead log" in done.stderr) == (database.dialect == "postgresql")


# What `verify` finds afterwards.


class Undone(Exception):
    """Ends a transaction without a commit."""


def test_content_put_back_is_found(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    with database.read() as connection:
        kept = connection.execute(
            select(ledger.table).where(ledger.table.c.id == "zz-statement-1")
        ).first()
    assert kept
    assert run(ONE).exit_code == 0

    def put_back() -> None:
        with database.write() as connection:
            same = update(ledger.table).where(ledger.table.c.seq == kept.seq)
            with unguarded(connection):
                connection.execute(same.values(bytes=kept.bytes))
            [found] = verify(connection).first
            assert found.where == ONE
            assert f"the bytes of change {kept.seq} are still there" in found.why
            raise Undone

    with pytest.raises(Undone):
        put_back()


def test_what_redacted_is_never_redacted(
    writer: Writer, run: Callable[..., Result], database: Database
) -> None:
    assert run(ONE).exit_code == 0
    gone = text("UPDATE revisions SET bytes = NULL WHERE action = 'redact'")
    with pytest.raises(Exception, match="append-only"), database.write() as connection:
        connection.execute(gone)

    def unlogged() -> None:
        with database.write() as connection:
            with unguarded(connection):
                connection.execute(gone)
            assert "what redacts is never redacted" in verify(connection).first[0].why
            raise Undone

    with pytest.raises(Undone):
        unlogged()
