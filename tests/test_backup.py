"""`readout backup`: a whole copy while others write, which never takes another file's place."""

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from api.cli import main
from api.store.engine import Database
from api.store.sqlite import DRIVER, JOURNAL
from api.unit import Unit


def run(url: str, *arguments: str | Path) -> Result:
    env = {"READOUT_DATABASE_URL": url}
    return CliRunner().invoke(main, [str(one) for one in arguments], env=env)


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("sqlite", filled=True)


@contextmanager
def writing(url: str, writers: int) -> Iterator[list[int]]:
    """Have writers write all the while; how much each has written."""
    written = [0] * writers
    stop = threading.Event()

    def write(number: int) -> None:
        database = Database(url, 30)
        while not stop.is_set():
            with database.write() as connection:
                unit = Unit(connection, f"writer-{number}")
                record_id = f"topic-{number}-{written[number]}"
                topic = {"id": record_id, "label": record_id, "description": "word " * 200}
                unit.put("topics", topic | {"aliases": [], "broader": None})
                unit.commit()
            written[number] += 1
        database.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def topics(file: Path) -> dict[int, int]:
    """How many topics of each writer are in a copy; none is missing in between."""
    connection = DRIVER.connect(str(file))
    ids = [row[0] for row in connection.execute("SELECT id FROM topics WHERE id LIKE 'topic-%-%'")]
    connection.close()
    found: dict[int, set[int]] = {}
    for one in ids:
        _, writer, number = one.split("-")
        found.setdefault(int(writer), set()).add(int(number))
    assert all(numbers == set(range(len(numbers))) for numbers in found.values())
    return {writer: len(numbers) for writer, numbers in found.items()}


def test_a_copy_under_writes_is_whole(url: str, tmp_path: Path) -> None:
    copies = [tmp_path / f"copy-{number}.sqlite" for number in range(2)]
    with writing(url, 4) as written:
        for copy in copies:
            before = list(written)
            while not all(now > then for now, then in zip(written, before, strict=True)):
                threading.Event().wait(0.01)
            before = list(written)
            done = run(url, "backup", copy)
            assert done.exit_code == 0, done.output
            after = list(written)
            held = topics(copy)
            # A write may be committed a moment before it is counted.
            for number in range(4):
                assert before[number] <= held[number] <= after[number] + 1
    for copy in copies:
        connection = DRIVER.connect(str(copy))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [(JOURNAL.lower(),)]
        connection.close()
        verified = run(f"sqlite:///{copy}", "verify")
        assert verified.exit_code == 0, verified.output
    assert sorted(tmp_path.iterdir()) == copies


def test_the_copy_says_which_change_it_is_of(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    done = run(url, "backup", copy)
    head = run(f"sqlite:///{copy}", "checkpoint").stdout
    assert head == run(url, "checkpoint").stdout
    [number] = [word.strip(".") for word in done.stdout.split() if word.strip(".").isdecimal()]
    assert f'"seq": {number},' in head


def test_the_copy_is_as_open_to_others_as_the_database(url: str, tmp_path: Path) -> None:
    original = Path(str(make_url(url).database))
    original.chmod(0o640)
    copy = tmp_path / "copy.sqlite"
    run(url, "backup", copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640


@pytest.mark.parametrize("beside", ["", "-wal", "-shm", "-journal"])
def test_nothing_is_overwritten(url: str, tmp_path: Path, beside: str) -> None:
    there = tmp_path / f"copy.sqlite{beside}"
    there.write_text("mine")
    done = run(url, "backup", tmp_path / "copy.sqlite")
    assert done.exit_code == 1
    assert "overwrites nothing" in done.stderr
    assert there.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [there]


def test_a_link_to_nowhere_is_not_followed(url: str, tmp_path: Path) -> None:
    (tmp_path / "copy.sqlite").symlink_to(tmp_path / "elsewhere")
    assert run(url, "backup", tmp_path / "copy.sqlite").exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_name_that_is_taken_meanwhile_is_left(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.commands import backup

    copy = tmp_path / "copy.sqlite"
    sync = backup._sync
    monkeypatch.setattr(backup, "_sync", lambda path: (copy.write_text("mine"), sync(path)))
    done = run(url, "backup", copy)
    assert done.exit_code == 1
    assert "overwrites nothing" in done.stderr
    assert copy.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [copy]


def test_where_links_are_not_known_it_is_renamed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    copy = tmp_path / "copy.sqlite"
    assert run(url, "backup", copy).exit_code == 0
    assert list(tmp_path.iterdir()) == [copy]


def test_a_copy_that_fails_leaves_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.commands import backup

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_sync", fail)
    done = run(url, "backup", tmp_path / "copy.sqlite")
    assert done.exit_code == 1
    assert done.stderr.endswith("cannot be made: No space left on device.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_there_is_told(url: str, tmp_path: Path) -> None:
    done = run(url, "backup", tmp_path / "nowhere" / "copy.sqlite")
    assert done.exit_code == 1
    assert done.stderr.startswith("readout: ")


def test_what_cannot_be_copied_is_told(tmp_path: Path) -> None:
    database = tmp_path / "other.sqlite"
    assert run(f"sqlite:///{database}", "backup", tmp_path / "copy").exit_code == 1
    sqlite3.connect(database).close()
    assert run(f"sqlite:///{database}", "backup", tmp_path / "copy").exit_code == 1
    assert not (tmp_path / "copy").exists()


def test_postgresql_has_a_tool_of_its_own(tmp_path: Path) -> None:
    done = run("postgresql://nobody@127.0.0.1:1/readout", "backup", tmp_path / "copy")
    assert done.exit_code == 2
    assert "pg_dump" in done.stderr
    assert list(tmp_path.iterdir()) == []
