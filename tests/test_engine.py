"""Transactions: what they promise, and what they say where the database refuses."""

import contextlib
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.store import engine, migrate, sqlite
from api.store.counts import together
from api.store.engine import Database, Full, Unavailable

WAIT = 0.3
VALUE = text("SELECT value FROM one")


def value(connection: Connection) -> int:
    found: int = connection.execute(VALUE).scalar_one()
    return found


def add_one(connection: Connection) -> None:
    """As careless as it can be: read, then write what was read and one more."""
    connection.execute(text("UPDATE one SET value = :value"), {"value": value(connection) + 1})


def table(url: str) -> str:
    """Make a table with one row of value 0, and give the URL."""
    database = Database(url, migrating=True)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE one (value INTEGER NOT NULL UNIQUE)"))
        connection.execute(text("INSERT INTO one VALUES (0)"))
    database.close()
    return url


@pytest.fixture
def url(empty_url: str) -> str:
    return table(empty_url)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, WAIT)
    yield database
    database.close()


@pytest.fixture
def file(new_database: Callable[..., str]) -> Path:
    return Path(str(make_url(table(new_database("sqlite"))).database))


@pytest.fixture
def on_file(file: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{file}", WAIT)
    yield database
    database.close()


@pytest.fixture
def on_server(new_database: Callable[..., str]) -> Iterator[Database]:
    database = Database(table(new_database("postgresql")), WAIT)
    yield database
    database.close()


# What transactions promise.


@pytest.mark.skipif(not sqlite.SAFE_WAL, reason="without WAL a writer waits for readers")
def test_a_read_is_one_snapshot(database: Database) -> None:
    with database.read() as reading:
        assert value(reading) == 0
        with database.write() as writing:
            add_one(writing)
        assert value(reading) == 0
    with database.read() as reading:
        assert value(reading) == 1


def test_a_read_writes_nothing(database: Database) -> None:
    with pytest.raises(Unavailable, match="read-only"), database.read() as connection:
        add_one(connection)
    with database.read() as connection:
        assert value(connection) == 0


def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            add_one(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert value(connection) == 0


def test_a_mistake_stays_what_it_is(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text("INSERT INTO one VALUES (0)"))
    with pytest.raises(DBAPIError), database.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    with database.write() as connection:
        add_one(connection)


def test_no_update_of_threads_is_lost(url: str) -> None:
    database = Database(url, 30)

    def work(_: int) -> None:
        for _ in range(25):
            with database.write() as connection:
                add_one(connection)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    with database.read() as connection:
        assert value(connection) == 200
    database.close()


def add_many(url: str, times: int) -> None:
    database = Database(url, 30)
    for _ in range(times):
        with database.write() as connection:
            add_one(connection)
    database.close()


def test_no_update_of_processes_is_lost(url: str) -> None:
    run_at_once(4, add_many, url, 25)
    database = Database(url)
    with database.read() as connection:
        assert value(connection) == 100
    database.close()


def run_at_once(number: int, target: Callable[..., None], *arguments: Any) -> None:
    """Run a function in processes of their own, and see that each ended well."""
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=target, args=arguments) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * number


def test_a_connection_is_kept(database: Database) -> None:
    with database.read() as connection:
        first = connection.connection.driver_connection
    with database.read() as connection:
        assert connection.connection.driver_connection is first


def test_a_child_leaves_the_connections_of_its_parent_alone(database: Database) -> None:
    with database.write() as connection:
        add_one(connection)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            with database.write() as connection:
                add_one(connection)
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    with database.write() as connection:
        add_one(connection)
    with database.read() as connection:
        assert value(connection) == 3


# Streams.


def test_rows_come_as_they_are_asked_for(database: Database) -> None:
    numbers = text(
        "WITH RECURSIVE numbers (n) AS"
        " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000000)"
        " SELECT n FROM numbers"
    )

    def rows() -> Generator[int, None, None]:
        with (
            database.stream() as connection,
            connection.execute(numbers, execution_options={"yield_per": 500}) as found,
        ):
            yield from found.scalars()

    stream = rows()
    with database.read() as connection:  # Loads what is loaded once.
        connection.execute(VALUE)
    before = memory()
    assert [next(stream) for _ in range(100_000)][-1] == 100_000
    assert memory() - before < 20_000_000
    # The server may end it in another thread than it began.
    ending = threading.Thread(target=stream.close)
    ending.start()
    ending.join()
    with database.stream() as connection:
        assert value(connection) == 0


def memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_slow_streams_leave_room_for_reads(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as streams:
        for _ in range(engine.STREAMS):
            streams.enter_context(database.stream())
        with pytest.raises(Unavailable, match="in use"), database.stream():
            pass
        with database.read() as connection:
            assert value(connection) == 0
    with database.stream() as connection:
        assert value(connection) == 0


# What the database refuses.


def test_a_lock_is_waited_for_up_to_the_limit(database: Database, url: str) -> None:
    other = Database(url, WAIT)
    for contender in (database, other):
        with database.write():
            began = time.monotonic()
            with pytest.raises(Unavailable) as refusal, contender.write():
                pass
        assert WAIT * 0.9 < time.monotonic() - began < WAIT * 10
        assert refusal.value.retry_after == 1
        with contender.write() as connection:
            add_one(connection)
    other.close()


def test_a_writer_in_the_way_delays_no_reader(database: Database) -> None:
    with database.write() as writing:
        add_one(writing)
        with database.read() as connection:
            assert value(connection) == 0


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nothing.sqlite", WAIT)
    for use in (database.read, database.write):
        with pytest.raises(Unavailable, match="no database file"), use():
            pass
    assert migrate.ready(database) == "There is no database file."
    assert not list(tmp_path.iterdir())


def test_a_file_that_goes_is_noticed_and_so_is_its_return(on_file: Database, file: Path) -> None:
    with on_file.write() as connection:
        add_one(connection)
    away = file.rename(file.with_suffix(".away"))
    for use in (on_file.read, on_file.write):
        with pytest.raises(Unavailable, match="gone"), use():
            pass
    assert migrate.ready(on_file) == "The database file is gone."
    away.rename(file)
    with on_file.write() as connection:
        assert value(connection) == 1


def test_another_file_in_its_place_is_not_taken_for_it(on_file: Database, file: Path) -> None:
    with on_file.read() as connection:
        value(connection)
    other = file.with_suffix(".other")
    table(f"sqlite:///{other}")
    other.replace(file)
    for use in (on_file.read, on_file.write):
        with pytest.raises(Unavailable, match="replaced"), use():
            pass


def test_no_write_into_a_file_that_goes_meanwhile_is_acknowledged(
    on_file: Database, file: Path
) -> None:
    def write() -> None:
        with on_file.write() as connection:
            add_one(connection)
            file.unlink()

    with pytest.raises(Unavailable, match="gone"):
        write()


def test_a_full_disk_is_told_apart(on_file: Database) -> None:
    with on_file.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(Full) as refusal, on_file.write() as connection:
        connection.execute(text("CREATE TABLE two AS SELECT randomblob(100000) AS value"))
    assert refusal.value.reason == "The database has no room left."
    with on_file.write() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
        connection.execute(text("CREATE TABLE two AS SELECT randomblob(100000) AS value"))


def test_what_is_not_a_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 1000)
    database = Database(f"sqlite:///{path}", WAIT)
    with pytest.raises(Unavailable, match="not a database"), database.read() as connection:
        connection.execute(VALUE)
    database.close()


def test_a_commit_that_a_reader_holds_up_leaves_no_lock_behind(
    on_file: Database, file: Path
) -> None:
    """As it happens without WAL, which not every library of SQLite is sound enough for."""
    with on_file.write() as connection:
        on_file._place.close()
        driver_connection: Any = connection.connection.driver_connection
        journal = driver_connection.execute
        journal("COMMIT")
        assert journal("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
        journal("BEGIN IMMEDIATE")
    with on_file.read() as reading:
        value(reading)
        with pytest.raises(Unavailable) as refusal, on_file.write() as connection:
            add_one(connection)
        assert refusal.value.retry_after == 1
    other = Database(f"sqlite:///{file}", WAIT)
    with other.write() as connection:
        assert value(connection) == 0
    other.close()
    with on_file.write() as connection:
        add_one(connection)


def test_a_commit_is_synced(on_file: Database) -> None:
    with on_file.write() as connection:
        setting = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("synchronous", "foreign_keys", "journal_mode")
        }
    full = 2
    assert setting == {
        "synchronous": full,
        "foreign_keys": 1,
        "journal_mode": "wal" if sqlite.SAFE_WAL else "delete",
    }


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.40.1", False),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("3.50.6", False),
        ("3.50.7", True),
        ("3.51.0", False),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.53.4", True),
    ],
)
def test_wal_is_used_where_the_library_is_sound(version: str, safe: bool) -> None:
    assert sqlite.safe_wal(tuple(map(int, version.split(".")))) is safe


def terminate(database: Database) -> None:
    """End all connections of a database but our own, as a restart of the server does."""
    with Database(database_url(database)).read() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def database_url(database: Database) -> str:
    return database._reads.engine.url.render_as_string(hide_password=False)


def test_a_connection_lost_between_requests_is_replaced(on_server: Database) -> None:
    with on_server.read() as first, on_server.read() as second:
        value(first), value(second)
    with on_server.write() as connection:
        add_one(connection)
    terminate(on_server)
    with on_server.read() as connection:
        assert value(connection) == 1
    with on_server.write() as connection:
        add_one(connection)


def test_a_connection_lost_amid_a_request_is_unavailable_once(on_server: Database) -> None:
    def write() -> None:
        with on_server.write() as connection, together(connection):
            add_one(connection)
            terminate(on_server)
            add_one(connection)

    with pytest.raises(Unavailable) as refusal:
        write()
    assert refusal.value.retry_after
    with on_server.read() as connection:
        assert value(connection) == 0


def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing", WAIT)
    with pytest.raises(Unavailable, match="cannot be reached"), database.read():
        pass
    assert migrate.ready(database) == "The database cannot be reached."


def test_options_of_the_url_go_before_ours(on_server: Database) -> None:
    url = make_url(database_url(on_server)).update_query_dict(
        {"application_name": "mine", "options": "-c statement_timeout=50"}
    )
    database = Database(url.render_as_string(hide_password=False), WAIT)
    with database.read() as connection:
        assert connection.execute(text("SHOW application_name")).scalar_one() == "mine"
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "300ms"
    with pytest.raises(Unavailable, match="too long"), database.read() as connection:
        connection.execute(text("SELECT pg_sleep(1)"))
    database.close()


# Migrations.


def test_many_migrations_at_once_are_one(empty_url: str) -> None:
    run_at_once(8, migrate.upgrade, empty_url)
    database = Database(empty_url)
    assert migrate.ready(database) is None
    database.close()


def test_a_database_without_tables_is_not_ready(url: str) -> None:
    database = Database(url)
    assert re.search("no tables yet", str(migrate.ready(database)))
    database.close()


def test_a_database_of_another_revision_is_not_ready(url: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('from-the-future')"))
    assert re.search("at revision from-the-future", str(migrate.ready(database)))
    database.close()
