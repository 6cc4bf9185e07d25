"""Keys when it goes badly: a flood of bad ones, and one that must be of no more use."""

import contextlib
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.store import keys
from api.store.engine import Database
from api.web.keys import CHECK, PREFIX, RANDOM
from api.web.keys import new_key as made_up
from schemas.instants import timestamp
from tests.clients import Client, at_once
from tests.service import Service
from tests.writers import prepared, statement
from tests.writing import new_key

SECONDS = 5
CLIENTS, TIMES = 8, 25


def use(client: Client) -> int:
    """Ask for what needs a key; those who have one are told that the record is not there."""
    return client.send("DELETE", "topics/not-here?reason=none").status


def mistyped(key: str, place: int) -> str:
    """The key with one of its characters another."""
    return key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]


def bad(number: int) -> str:
    """A key that cannot be one: mostly with a character that is wrong, or missing, or too many."""
    key = made_up()
    place = len(PREFIX) + number % (RANDOM + CHECK)
    return (mistyped(key, place), key[:-1], key + "x", key.lower(), "secret")[number % 5]


class Deaf:
    """A database server to which one can connect, and which never says a word."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=500)
        self.listening.setblocking(False)
        self.url = f"postgresql://me@127.0.0.1:{self.listening.getsockname()[1]}/records"
        self.taken: list[socket.socket] = []

    def connections(self) -> int:
        """How many connections were made since the last time."""
        before = len(self.taken)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.taken.append(self.listening.accept()[0])
        return len(self.taken) - before

    def close(self) -> None:
        for one in (self.listening, *self.taken):
            one.close()


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    with contextlib.closing(Deaf()) as deaf:
        yield deaf


def test_a_flood_of_mistyped_keys_takes_no_database_connection(tmp_path: Path, deaf: Deaf) -> None:
    with Service(tmp_path, deaf.url, READOUT_LOCK_WAIT="0.5") as service:
        deaf.connections()

        def flood(client: Client, place: int) -> set[int]:
            statuses = set()
            for number in range(TIMES):
                client.key = bad(place * TIMES + number)
                statuses.add(use(client))
            return statuses

        assert at_once(service.url, None, CLIENTS, flood) == [{401}] * CLIENTS
        assert deaf.connections() == 0
        # So it is not that nothing is counted.
        with contextlib.closing(Client(service.url, made_up())) as client:
            assert use(client) == 503
        assert deaf.connections() > 0


def test_a_mistyped_key_is_refused_though_the_database_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "gone.sqlite"
    key = prepared(f"sqlite:///{file}")
    with Service(tmp_path, f"sqlite:///{file}") as service:
        assert Client(service.url, key).once("POST", "statements", statement("a")).status == 201
        file.unlink()
        for number in range(5):
            answer = Client(service.url, bad(number)).once("POST", "statements", statement("b"))
            assert answer.told == (401, "unauthorised")
        answer = Client(service.url, key).once("POST", "statements", statement("c"))
        assert answer.told == (503, "unavailable")


def test_revocation_holds_in_every_worker(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'revoked.sqlite'}"
    prepared(url)
    key = new_key(url, "retract", name="to be revoked")
    database = Database(url)

    with Service(tmp_path, url) as service, service.clients(key) as clients:
        assert {use(client) for of_one in clients for client in of_one} == {404}
        with database.write() as connection:
            held = keys.named(connection, "to be revoked")
            assert held is not None
            keys.revoke(connection, held, timestamp(datetime.now(UTC)))
        revoked = time.monotonic()
        for of_one_worker in clients:
            while use(of_one_worker[0]) != 401:
                assert time.monotonic() < revoked + SECONDS
                time.sleep(0.05)
            # From then on it stays so.
            assert {use(client) for client in of_one_worker} == {401}
    database.close()
