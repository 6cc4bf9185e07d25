"""What the tests share: a database of each kind, the application on it, and a real server.

def test_reading(client): ...          # once on SQLite, once on PostgreSQL, with all records
def test_migrating(empty_url): ...     # likewise, on a database without tables
def test_from_outside(live): ...       # the base URL of a `readout serve` with the seed alone
def test_looking(visit): ...           # its page at /docs in a browser
def test_writing(writer): ...          # as `client`, with a key of every scope
def test_refusing(refused): ...        # a request to both databases at once, which write nothing
"""

import functools
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import browser as browser
from tests.browsing import profile as profile
from tests.browsing import visit as visit
from tests.live import serving
from tests.postgres import Server, server
from tests.writing import SCOPES, Refused, Writer, new_key, nothing_written, on_both

HERE = Path(__file__).parent
SEEDS = sorted(HERE.parent.glob("seeds/*.yaml"))
RECORDS = [*SEEDS, *sorted(HERE.glob("records/*.yaml"))]
KINDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started for the first test that needs it."""
    with server() as started:
        yield started


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """Make a database of a kind: an empty one, or with `filled=True` one with all records."""
    folder = tmp_path_factory.mktemp("databases")
    names = (f"db{number}" for number in itertools.count())

    def make(kind: str, template: str | None) -> tuple[str, str]:
        name = next(names)
        if kind == "postgresql":
            postgres: Server = request.getfixturevalue("postgres")
            return name, postgres.create(name, template)
        if template:
            shutil.copy(folder / template, folder / name)
        return name, f"sqlite:///{folder / name}"

    @functools.cache
    def filled_template(kind: str) -> str:
        name, url = make(kind, None)
        fill(url)
        return name

    def new_database(kind: str, *, filled: bool = False) -> str:
        return make(kind, filled_template(kind) if filled else None)[1]

    return new_database


def fill(url: str) -> None:
    """Migrate a database, and put all records of seeds/ and tests/records/ into it."""
    from api.exchange.documents import read_yaml
    from api.exchange.imports import put_record
    from api.store.engine import Database
    from api.store.migrate import upgrade
    from api.unit import Unit

    upgrade(url)
    database = Database(url)
    for record in RECORDS:
        with database.write() as connection:
            unit = Unit(connection, "tests")
            put_record(unit, read_yaml(record.read_text(encoding="utf-8")))
            unit.commit()
    database.close()


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    """The URL of a database without tables, for one test alone."""
    return new_database(request.param)


@pytest.fixture(scope="module", params=KINDS)
def database_url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    """The URL of a database with all records, for one module of tests alone."""
    return new_database(request.param, filled=True)


@pytest.fixture(scope="module")
def app(database_url: str) -> Flask:
    from api import create_app
    from api.settings import load

    return create_app(load({"READOUT_DATABASE_URL": database_url}))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def writer(app: Flask, database_url: str) -> Iterator[Writer]:
    """A client with a key of every scope; what it leaves behind must hold."""
    yield Writer(app, new_key(database_url, *SCOPES))
    assert_it_holds(database_url)


@pytest.fixture(scope="module")
def writers(new_database: Callable[..., str]) -> Iterator[list[Writer]]:
    """One on a database of each kind, in both of which the call record `bad` stands."""
    urls = [new_database(kind, filled=True) for kind in KINDS]
    yield on_both(urls, "bad")
    for url in urls:
        assert_it_holds(url)


def assert_it_holds(url: str) -> None:
    """Make sure that every table of a database holds what follows from its log."""
    from api.ledger.verify import verify
    from api.store.engine import Database

    database = Database(url)
    with database.read() as connection:
        assert verify(connection).first == []
    database.close()


@pytest.fixture
def refused(writers: list[Writer]) -> Iterator[Refused]:
    """Sends to both of these what they refuse, by the same answer."""
    with nothing_written(writers) as refused:
        yield refused


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a real `readout serve`, with the seed alone, as a newcomer meets it."""
    with serving(tmp_path_factory.mktemp("live")) as url:
        yield url
