"""`readout import` and `readout export`: what goes out goes in, each record all or nothing."""

import gzip
import hashlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from api import ledger
from api.cli import main
from api.exchange import bulk, workers
from api.exchange.documents import parse_yaml, record_of
from api.exchange.exports import in_yaml
from api.exchange.imports import put_new, put_record
from api.store.engine import Database
from api.store.migrate import upgrade
from api.unit import Unit
from tests.call_records import a_record
from tests.conftest import KINDS, RECORDS, assert_it_holds
from tests.live import READOUT
from tests.processes import children, eventually
from tests.reading import CALLS, LANTERN, WEATHER

Document = dict[str, Any]


def run(url: str, *arguments: str | Path, given: bytes | None = None) -> Result:
    env = {"READOUT_DATABASE_URL": url}
    return CliRunner().invoke(main, [str(one) for one in arguments], env=env, input=given)


def exported(url: str) -> bytes:
    done = run(url, "export")
    assert done.exit_code == 0, done.stderr
    return done.stdout_bytes


def head(url: str) -> dict[str, Any]:
    database = Database(url)
    with database.read() as connection:
        found = ledger.checkpoint(connection)
    database.close()
    return found


def lines(*documents: Any) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in documents)


@pytest.fixture
def empty(empty_url: str) -> str:
    """A database of either kind with tables and nothing in them."""
    upgrade(empty_url)
    return empty_url


@pytest.fixture
def sqlite(new_database: Callable[..., str]) -> str:
    """The same on SQLite alone, for what the database has no part in."""
    url = new_database("sqlite")
    upgrade(url)
    return url


@pytest.fixture
def a_line_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each line checked in a process beside, as it is in a large file."""
    monkeypatch.setattr(bulk, "PIECE", 1)


# What goes out goes in.


@pytest.fixture(scope="module", params=KINDS)
def lived_in(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    """A database in which records were changed, retracted and restored."""
    url: str = new_database(request.param, filled=True)
    database = Database(url)

    def work(act: Callable[[Unit], object]) -> None:
        with database.write() as connection:
            unit = Unit(connection, "tests", "as records live")
            act(unit)
            unit.commit()

    with database.read() as connection:
        weather = record_of(connection, WEATHER)
        lantern = record_of(connection, LANTERN)
    assert weather
    assert lantern
    last = lantern["statements"][-1]
    work(lambda unit: unit.retract("statements", last["id"]))
    work(lambda unit: unit.retract("calls", WEATHER))
    work(lambda unit: put_record(unit, weather))
    work(lambda unit: unit.put("participants", lantern["participants"][0] | {"aliases": ["Nemo"]}))
    work(lambda unit: put_record(unit, a_record("gone")))
    work(lambda unit: unit.retract("calls", "gone-call"))
    database.close()
    return url


def test_importing_what_was_exported_changes_nothing(lived_in: str, tmp_path: Path) -> None:
    before, file = head(lived_in), tmp_path / "all.ndjson"
    assert run(lived_in, "export", "-o", file).exit_code == 0
    for more in ([], ["--existing", "replace", "--shared", "update"]):
        done = run(lived_in, "import", file, *more)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"0 created, {len(CALLS)} unchanged, 0 replaced, 0 failed (")
    assert head(lived_in) == before
    assert exported(lived_in) == file.read_bytes()


@pytest.mark.parametrize("other", KINDS)
@pytest.mark.usefixtures("a_line_a_piece")
def test_a_database_is_filled_from_another(
    lived_in: str, other: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "all.ndjson"
    file.write_bytes(exported(lived_in))
    url = new_database(other)
    upgrade(url)
    done = run(url, "import", file)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(CALLS)} created, 0 unchanged, 0 replaced, 0 failed (")
    assert exported(url) == file.read_bytes()
    # What was worked out beside is what the log says that it should be.
    assert_it_holds(url)


def test_the_last_line_of_an_export_tells_whether_it_is_whole(lived_in: str) -> None:
    *records, end = exported(lived_in).splitlines(keepends=True)
    digest = hashlib.sha256(b"".join(records)).hexdigest()
    assert orjson.loads(end) == {"end": True, "count": len(CALLS), "sha256": digest}
    assert [orjson.loads(one)["call"]["id"] for one in records] == sorted(CALLS)


def test_some_calls_are_exported_by_their_ids(lived_in: str) -> None:
    done = run(lived_in, "export", "--call", WEATHER, "--call", LANTERN)
    *records, _ = done.stdout.splitlines()
    assert [orjson.loads(one)["call"]["id"] for one in records] == sorted([WEATHER, LANTERN])
    done = run(lived_in, "export", "--call", "no-such-call")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "readout: there is no call 'no-such-call'.\n"
    done = run(lived_in, "export", "--call", "gone-call")
    assert done.exit_code == 1
    assert "'gone-call' was retracted at 20" in done.stderr
    assert "as records live" in done.stderr


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_call_is_exported_for_people_to_read(lived_in: str, form: str) -> None:
    for call in CALLS:
        done = run(lived_in, "export", "--call", call, "--format", form)
        line = run(lived_in, "export", "--call", call).stdout.splitlines()[0]
        parsed = parse_yaml(done.stdout) if form == "yaml" else orjson.loads(done.stdout)
        assert parsed == orjson.loads(line)
        assert run(lived_in, "import", "-", given=done.stdout_bytes).exit_code == 0
    done = run(lived_in, "export", "--format", form)
    assert done.exit_code == 2
    assert "--call" in done.stderr


def test_an_export_takes_its_name_once_it_is_whole(
    lived_in: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = tmp_path / "all.ndjson", tmp_path / "all.ndjson.gz"
    for file in (plain, packed):
        assert run(lived_in, "export", "-o", file).exit_code == 0
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes() == exported(lived_in)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = packed.read_bytes()
    monkeypatch.setattr("api.exchange.exports.record_of", fail)
    assert run(lived_in, "export", "-o", packed).exit_code == 1
    assert packed.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [plain, packed]


# The forms of a file.


def as_json(text: str) -> bytes:
    return orjson.dumps(parse_yaml(text), option=orjson.OPT_INDENT_2)


FORMS: dict[str, Callable[[str], bytes]] = {
    "yaml": str.encode,
    "json": as_json,
    "ndjson": lambda text: lines(parse_yaml(text)),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_told_by_its_name_or_its_beginning(
    sqlite: str, tmp_path: Path, form: str, named: bool, packed: bool
) -> None:
    [path] = [path for path in RECORDS if path.stem == WEATHER]
    body = FORMS[form](path.read_text(encoding="utf-8"))
    file = tmp_path / (f"record.{form}{'.gz' * packed}" if named else "record")
    file.write_bytes(gzip.compress(body) if packed else body)
    done = run(sqlite, "import", file)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("1 created, 0 unchanged, 0 replaced, 0 failed (")
    done = run(sqlite, "import", "-", given=file.read_bytes())
    assert done.stdout.startswith("0 created, 1 unchanged, 0 replaced, 0 failed (")


def test_several_files_are_imported_in_their_order(sqlite: str) -> None:
    done = run(sqlite, "import", *RECORDS)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(RECORDS)} created,")


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        *[(one, one) for one in ("NO", "no", "on", "y", "2022-07-29", "12:30", "1_000", "<<", "=")],
        *[("0o17", 15), ("0x1F", 31), ("017", 17), ("+1", 1), ("1e3", 1000.0), (".5", 0.5)],
        *[("~", None), ("null", None), ("", None), ("true", True), ("False", False)],
    ],
)
def test_a_scalar_of_yaml_is_what_json_would_say(plain: str, value: object) -> None:
    found = parse_yaml(f"country: {plain}\n")["country"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *["NO", "2022-07-29", "1_000", "~", "", " ", "0x1F", "- a", "a: b", "#", "'", '"', "é 🌊"],
        *[
            "a\nb",
            "a\n\n b\n",
            "a\r\nb",
            "tab\there",
            "\x85",
            "\u2028",
            "\ufeff",
            "\x7f",
            " a ",
            "?",
        ],
    ],
)
def test_every_text_comes_back_from_yaml(text: str) -> None:
    record = {"text": text, "list": [text, f"{text}{text}"], "object": {"none": None, "n": 5}}
    assert parse_yaml(in_yaml(record).decode()) == record
    # Others read it so as well.
    assert YAML(typ="safe", pure=True).load(in_yaml(record)) == record


# Each record is all or nothing.


def strange(document: Document, **members: Any) -> Document:
    """The document with members of its first statement changed."""
    changed: Document = orjson.loads(orjson.dumps(document))
    changed["statements"][0] |= members
    return changed


@pytest.mark.parametrize("piece", [1, bulk.PIECE])
def test_what_fails_is_told_and_leaves_nothing(
    empty: str, piece: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bulk, "PIECE", piece)
    file = tmp_path / "some.ndjson"
    file.write_bytes(
        lines(a_record("one"))
        + b"\n"
        + lines(
            strange(a_record("wrong"), act="shout", said_on="yesterday"),
            strange(a_record("lost"), speakers=["nobody"]),
            "no record",
        )
        + b'{"call": \n'
        + lines(a_record("one") | {"accounts": [], "statements": []}, a_record("two"))
    )
    done = run(empty, "import", file)
    assert done.exit_code == 1
    assert done.stdout.startswith("2 created, 0 unchanged, 0 replaced, 5 failed (")
    told = [line.removeprefix(f"{file}:") for line in done.stderr.splitlines()]
    assert [line.partition(":")[0] for line in told] == ["3", "3", "4", "5", "6", "7"]
    assert told[0].startswith("3: wrong-call: /statements/0/act: Must be one of: ")
    assert told[1].startswith("3: wrong-call: /statements/0/said_on: 'yesterday' is not a date")
    assert told[2] == "4: lost-call: /statements/0/speakers/0: There is no participant 'nobody'."
    assert told[3] == "5: Must be an object."
    assert told[4].startswith("6: It is not JSON: ")
    assert told[5] == (
        "7: one-call: /call/id: 'one-call' stands and differs; existing=replace changes it."
    )
    found = [orjson.loads(line) for line in exported(empty).splitlines()[:-1]]
    assert [one["call"]["id"] for one in found] == ["one-call", "two-call"]
    assert found[0] == a_record("one")
    assert head(empty)["seq"] == sum(map(size, found))
    assert_it_holds(empty)


def size(document: Document) -> int:
    """How many records a call record holds."""
    return 1 + sum(len(part) for part in document.values() if isinstance(part, list))


def test_a_fault_in_a_document_is_told_with_its_place(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "record.yaml"
    file.write_text("call:\n  id: x\n  title: ''\ntopics:\n- {id: x, label: X, broder: y}\n")
    done = run(sqlite, "import", file)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"{file}:3:3: x: /call/title: Must not be blank.",
        f"{file}:5:21: x: /topics/0/broder: Unknown member.",
    ]
    file.write_text("call: [\n")
    done = run(sqlite, "import", file)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"{file}:2:1: ")
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("end", "right"),
    [
        ({"end": True, "count": 1}, False),
        ({"end": True, "count": 2, "sha256": "0" * 64}, False),
        (None, True),
    ],
)
def test_a_wrong_end_line_is_told(sqlite: str, end: Any, right: bool) -> None:
    body = lines(a_record("one"), a_record("two"))
    done = run(sqlite, "import", "-", given=body + (lines(end) if end else b""))
    assert done.exit_code == (0 if right else 1)
    assert done.stdout.startswith("2 created,")
    assert done.stderr == (
        ""
        if right
        else "standard input: its end line does not fit:"
        " records are missing, or other than they were.\n"
    )


def test_a_cut_file_is_told(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "all.ndjson.gz"
    packed = gzip.compress(os.urandom(100_000).hex().encode())
    file.write_bytes(packed[: len(packed) // 2])
    done = run(sqlite, "import", file)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"{file}: The gzip data is cut or damaged: ")


def test_a_call_that_stands_is_replaced_where_that_is_asked_for(empty: str) -> None:
    first, other = a_record("one"), strange(a_record("one"), summary="It was said otherwise.")
    other["statements"] = other["statements"][:1]
    assert run(empty, "import", "-", given=lines(first)).exit_code == 0
    given = lines(other, a_record("two"))
    assert run(empty, "import", "-", given=given).stdout.startswith("1 created, 0 unchanged, 0 rep")
    done = run(empty, "import", "-", "--existing", "replace", given=given)
    assert done.stdout.startswith("0 created, 1 unchanged, 1 replaced, 0 failed (")
    assert orjson.loads(exported(empty).splitlines()[0]) == other
    assert_it_holds(empty)


def test_shared_records_are_updated_where_that_is_asked_for(empty: str) -> None:
    first, other = a_record("one"), a_record("one")
    other["participants"][0]["name"] = "Another name"
    assert run(empty, "import", "-", given=lines(first)).exit_code == 0
    done = run(empty, "import", "-", given=lines(other))
    assert done.exit_code == 1
    assert "shared=update changes it" in done.stderr
    assert exported(empty).splitlines()[0] + b"\n" == lines(first)
    # The same record twice, new and then other: both in one transaction.
    changed = lines(other, a_record("two"), a_record("two") | {"topics": other["topics"]})
    done = run(empty, "import", "-", "--shared", "update", given=changed)
    assert orjson.loads(exported(empty).splitlines()[0]) == other
    assert_it_holds(empty)


def test_a_source_that_two_calls_were_told_in_may_stand_already(empty: str) -> None:
    first, second, third = (a_record(tag) for tag in ("one", "two", "three"))
    for record in (second, third):
        record["sources"].insert(0, dict(first["sources"][0]))
        record["accounts"][0]["sources"].append("one-source")
    third["sources"][0]["title"] = "Another title"
    done = run(empty, "import", "-", given=lines(first, second, third))
    assert done.stdout.startswith("2 created, 0 unchanged, 0 replaced, 1 failed (")
    assert "/sources/0: Differs from 'one-source' as it stands" in done.stderr
    assert [orjson.loads(one) for one in exported(empty).splitlines()[:-1]] == [first, second]
    assert_it_holds(empty)


def test_a_record_twice_in_a_file_is_as_if_it_came_twice(empty: str) -> None:
    first, other = a_record("one"), strange(a_record("one"), summary="It was said otherwise.")
    other["participants"][0]["name"] = "Another name"
    other["statements"] = other["statements"][:1]
    given = lines(first, other, first, first)
    done = run(empty, "import", "-", "--existing=replace", "--shared=update", given=given)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("1 created, 1 unchanged, 2 replaced, 0 failed (")
    assert exported(empty).splitlines()[0] + b"\n" == lines(first)
    assert_it_holds(empty)


def test_a_retracted_call_does_not_come_back_by_itself(empty: str) -> None:
    assert run(empty, "import", "-", given=lines(a_record("one"))).exit_code == 0
    database = Database(empty)
    with database.write() as connection:
        unit = Unit(connection, "tests", "told by nobody")
        unit.retract("calls", "one-call")
        unit.commit()
    database.close()
    done = run(empty, "import", "-", "--existing=replace", given=lines(a_record("one")))
    assert done.exit_code == 1
    assert done.stderr.startswith("standard input:1: one-call: /call")
    assert "retracted at 20" in done.stderr
    assert "told by nobody" in done.stderr


def test_the_log_tells_who_and_why(sqlite: str) -> None:
    given = lines(a_record("one"))
    assert (
        run(sqlite, "import", "-", "--actor", "desk", "--reason=ported", given=given).exit_code == 0
    )
    assert run(sqlite, "import", "-", given=lines(a_record("two"))).exit_code == 0
    database = Database(sqlite)
    with database.read() as connection:
        told = [(one.actor, one.reason) for one in ledger.changes(connection, 0, None)]
    database.close()
    assert told[0] == ("desk", "ported")
    assert str(told[-1][0]).startswith("cli")
    assert told[-1][1] is None
    assert run(sqlite, "import", "-", "--actor", "cli:root", given=given).exit_code == 2


# As it is done: ahead, but not far, and by processes that end.


def records(number: int) -> Iterator[bytes]:
    for one in range(number):
        yield orjson.dumps(a_record(f"n{one}"))


@pytest.mark.parametrize("reason", ["", " ", "\udcff", "a\0b", "x" * 10_001])
def test_a_reason_that_no_log_takes_is_refused(sqlite: str, reason: str) -> None:
    done = run(sqlite, "import", "-", "--reason", reason, given=lines(a_record("one")))
    assert done.exit_code == 2
    assert "--reason" in done.stderr
    assert exported(sqlite).count(b"\n") == 1  # the end line


def test_a_file_is_not_read_far_ahead(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 1)
    monkeypatch.setattr(bulk, "HELD", 0)
    read = 0

    def texts() -> Iterator[bulk.Text]:
        nonlocal read
        for number, body in enumerate(records(60), 1):
            read = number
            yield bulk.Text(number, body)

    database = Database(sqlite, bulk=True)
    far = [read - fate.line for fate in bulk.Importer(database, "tests").run(texts())]
    database.close()
    assert len(far) == 60
    most = min(os.cpu_count() or 1, workers.MOST_WORKERS)
    assert max(far) <= workers.WAITING * most + 1


def test_others_write_while_it_imports(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction is longer than some pieces, and what is told is on the disk."""
    monkeypatch.setattr(bulk, "PIECE", 1)
    monkeypatch.setattr(bulk, "HELD", 0)
    texts = (bulk.Text(number, body) for number, body in enumerate(records(5), 1))
    database, other = Database(sqlite, bulk=True), Database(sqlite)
    seen = 0
    for fate in bulk.Importer(database, "tests").run(texts):
        with other.write() as connection:
            assert record_of(connection, str(fate.call)) is not None
            seen += 1
    assert seen == 5
    database.close()
    other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_its_processes_end_with_it(sqlite: str, how: signal.Signals) -> None:
    command = [READOUT, "import", "-"]
    env = os.environ | {"READOUT_DATABASE_URL": sqlite}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdin
        assert run.stderr
        for body in records(1_200):  # more than two pieces
            run.stdin.write(body + b"\n")
        run.stdin.flush()
        eventually(lambda: len(children(run.pid)) > 0, "processes beside", 30)
        beside = children(run.pid)
        run.send_signal(how)
        told = run.stderr.read().decode()
        run.wait(30)
    eventually(lambda: not any(Path(f"/proc/{one}").exists() for one in beside), "their end", 30)
    assert "Traceback" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="uses a terminal of its own")
def test_progress_shows_on_a_terminal_alone(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    file.write_bytes(b"".join(one + b"\n" for one in records(20)) + b"{}\n")
    env = os.environ | {"READOUT_DATABASE_URL": sqlite, "TERM": "xterm"}
    command = [READOUT, "import", str(file)]
    ours, theirs = pty.openpty()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = b""
    while piece := read_some(ours):
        shown += piece
    os.close(ours)
    assert done.stdout.startswith(b"20 created,")
    assert b"100%" in shown
    assert f"{file}:21: /call: Required.".encode() in shown
    done = subprocess.run(command, env=env, capture_output=True, timeout=60)
    assert b"%" not in done.stderr


def read_some(terminal: int) -> bytes:
    try:
        return os.read(terminal, 10_000)
    except OSError:  # Linux's way of saying that nobody is at the other end.
        return b""


def test_the_database_gone_meanwhile_is_told(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 1)
    monkeypatch.setattr(bulk, "HELD", 0)
    path = Path(sqlite.removeprefix("sqlite:///"))
    real, count = put_new, 0

    def leaving(*arguments: Any, **named: Any) -> bool:
        nonlocal count
        count += 1
        if count == 3:
            path.rename(path.with_suffix(".away"))
        return real(*arguments, **named)

    monkeypatch.setattr(bulk, "put_new", leaving)
    done = run(sqlite, "import", "-", given=b"".join(one + b"\n" for one in records(6)))
    assert done.exit_code == 1
    assert done.stdout.startswith("2 created, 0 unchanged, 0 replaced, 0 failed (")
    assert done.stderr.startswith("readout: The database file is gone.")
