"""Several `readout migrate` at once, as where each container of a service begins with one."""

import os
import subprocess
from pathlib import Path
from time import sleep

import psycopg
import pytest
from sqlalchemy import MetaData, create_engine, make_url, select

from api.store import migrate
from api.store.engine import Database
from api.store.sqlite import DRIVER
from tests.contention import writing_elsewhere
from tests.live import READOUT
from tests.postgres import plain
from tests.processes import eventually, opened
from tests.test_migrations import revisions
from tests.writers import prepared, verified


def started(url: str, number: int) -> list[subprocess.Popen[str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("READOUT_")}
    env["READOUT_DATABASE_URL"] = url
    return [
        subprocess.Popen(
            [READOUT, "migrate"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(number)
    ]


def all_well(running: list[subprocess.Popen[str]]) -> None:
    told = [(one.communicate(timeout=90)[0], one.returncode) for one in running]
    assert [code for _, code in told] == [0] * len(told), told


def waiting(url: str, running: list[subprocess.Popen[str]]) -> int:
    """How many of them have come as far as the lock that a migration takes."""
    if url.startswith("sqlite"):
        file = str(make_url(url).database)
        return sum(file in opened(one.pid) for one in running)
    with psycopg.connect(plain(url)) as connection:
        found = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        found += " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        row = connection.execute(found).fetchone()
    return int(row[0]) if row else 0


def contents(url: str) -> dict[str, list[str]]:
    """All rows of all tables, but for the one that says at which revision they are."""
    engine = create_engine(url)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        found = {
            name: sorted(map(str, connection.execute(select(table))))
            for name, table in tables.tables.items()
            if name != "alembic_version"
        }
    engine.dispose()
    return found


def at_head(url: str) -> None:
    database = Database(url)
    assert migrate.ready(database) is None
    database.close()
    migrate.check(url)


def test_two_from_nothing_are_one(empty_url: str) -> None:
    all_well(started(empty_url, 2))
    at_head(empty_url)


def test_one_waits_while_another_makes_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    other = DRIVER.connect(tmp_path / "new.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    running = started(url, 1)
    eventually(lambda: waiting(url, running) == 1, "the file opened")
    sleep(0.5)  # It is refused the other journal meanwhile, more than once.
    other.close()
    all_well(running)
    at_head(url)


@pytest.mark.parametrize("number", [2, 8])
def test_many_that_meet_at_a_database_with_records_are_one(empty_url: str, number: int) -> None:
    prepared(empty_url)
    before = contents(empty_url)
    migrate.downgrade(empty_url, revisions()[-2])
    with writing_elsewhere(empty_url):
        running = started(empty_url, number)
        eventually(lambda: waiting(empty_url, running) == number, "all of them at the lock")
    all_well(running)
    at_head(empty_url)
    assert contents(empty_url) == before
    verified(empty_url)
