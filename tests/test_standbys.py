"""Reads at standbys: who reads where, and what comes of it when servers lag, stop and die."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import URL, make_url, text

from api.store import watch
from api.store.engine import Unavailable
from api.store.faults import Elsewhere
from api.store.standbys import Reading, Spread
from tests.clients import Client
from tests.conftest import fill
from tests.processes import eventually
from tests.replicas import Node, cluster
from tests.service import Service
from tests.writing import new_key

LAG = 2.0  # seconds that a standby may be behind
# What a read may take when its server stops, however busy this machine is. Two seconds go by until
# that is noticed; then it is made again.
LONGEST = 6.0
TOPIC = "topics/grain-deal"
CALL = "calls/blinken-lavrov-2022-07-29"
PATHS = (
    f"{TOPIC}/positions",
    "statements?limit=5&facets=topic,speaker&count=true",
    f"{CALL}/comparison",
    f"{CALL}/record",
    "statements?format=ndjson",
    "changes?limit=20",
)


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """A primary with all records, and two standbys of it."""
    with cluster(2, fill) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def service(nodes: list[Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    primary, *standbys = nodes
    hosts = ",".join(standby.host for standby in standbys)
    environment = {
        "READOUT_READ_DATABASE_URL": f"postgresql://readout@{hosts}/postgres"
        "?target_session_attrs=prefer-standby&load_balance_hosts=random",
        "READOUT_STANDBY_LAG": str(LAG),
    }
    with Service(tmp_path_factory.mktemp("spread"), primary.url, **environment) as service:
        yield service


@pytest.fixture(scope="module")
def key(nodes: list[Node]) -> str:
    return new_key(nodes[0].url, "write")


@pytest.fixture
def reader(service: Service) -> Client:
    """A client without a key, on a service that reads at both standbys."""
    await_states(service, "used", "used")
    return Client(service.url)


@pytest.fixture
def writer(service: Service, key: str) -> Client:
    return Client(service.url, key)


def states(service: Service) -> list[str]:
    """The states of the standbys, as one worker sees them."""
    told = Client(service.url).once("GET", "/readyz")
    assert told.status == 200
    return [standby["state"] for standby in told.json["standbys"]]


def await_states(service: Service, *wanted: str) -> None:
    """Wait until every worker sees the standbys in these states: each connection may reach another."""

    def reached() -> bool:
        return all(states(service) == list(wanted) for _ in range(12))

    eventually(reached, f"standbys that are {wanted}", 20)


def figure(service: Service, name: str, host: str) -> float:
    """A figure of a standby, over all workers."""
    exposed = Client(service.url).once("GET", "/metrics").body.decode()
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            if sample.name == name and sample.labels["host"] == host:
                return sample.value
    return 0


def describe(writer: Client, what: str) -> None:
    """Change a topic."""
    answer = writer.send("PATCH", TOPIC, {"description": what}, {"If-Match": writer.tag(TOPIC)})
    assert answer.status == 200, answer


def description(client: Client) -> str:
    answer = client.get(TOPIC)
    assert answer.status == 200, answer
    found: str = answer.json["description"]
    return found


@pytest.fixture
def held_up(nodes: list[Node]) -> Iterator[None]:
    """Let the standbys take in nothing new."""
    for standby in nodes[1:]:
        standby.run("SELECT pg_wal_replay_pause()")
        eventually(
            lambda node=standby: node.run("SELECT pg_get_wal_replay_pause_state()") == "paused",
            "a standby that takes in nothing",
        )
    yield
    for standby in nodes[1:]:
        standby.run("SELECT pg_wal_replay_resume()")


def test_who_has_no_key_reads_at_standbys_and_who_has_one_at_the_primary(
    nodes: list[Node], service: Service, reader: Client, writer: Client, held_up: None
) -> None:
    before = description(reader)
    describe(writer, "Written a moment ago.")
    # Whoever writes reads what he wrote; everybody else may be told a moment later.
    assert [description(writer) for _ in range(10)] == ["Written a moment ago."] * 10
    assert [description(reader) for _ in range(10)] == [before] * 10
    for standby in nodes[1:]:
        assert figure(service, "readout_standby_reads_total", standby.host) > 0


def test_a_standby_that_lags_is_left_out_until_it_has_caught_up(
    nodes: list[Node], service: Service, reader: Client, writer: Client
) -> None:
    behind, other = nodes[1:]
    behind.run("SELECT pg_wal_replay_pause()")
    try:
        describe(writer, "Unknown to one standby.")
        await_states(service, "lagging", "used")
        eventually(lambda: description(reader) == "Unknown to one standby.", "the other's answer")
        assert [description(reader) for _ in range(10)] == ["Unknown to one standby."] * 10
        standbys = Client(service.url).once("GET", "/readyz").json["standbys"]
        assert [standby["host"] for standby in standbys] == [behind.host, other.host]
        assert standbys[0]["lag"] > LAG
        assert standbys[1]["lag"] < LAG
        assert figure(service, "readout_standby_lag_seconds", behind.host) > LAG
        assert figure(service, "readout_standby_used", behind.host) == 0
        assert figure(service, "readout_standby_used", other.host) >= 1
    finally:
        behind.run("SELECT pg_wal_replay_resume()")
    await_states(service, "used", "used")


def test_while_nothing_is_written_nobody_lags(service: Service, reader: Client) -> None:
    time.sleep(LAG * 1.5)
    assert states(service) == ["used", "used"]
    lags = [s["lag"] for s in Client(service.url).once("GET", "/readyz").json["standbys"]]
    assert lags == [0, 0]


def test_where_none_is_left_the_primary_answers(
    service: Service, reader: Client, writer: Client, held_up: None
) -> None:
    describe(writer, "Known to the primary alone.")
    await_states(service, "lagging", "lagging")
    assert [description(reader) for _ in range(10)] == ["Known to the primary alone."] * 10


class Load:
    """Clients that read without a pause, and one that writes and reads what it wrote."""

    def __init__(self, url: str, key: str, readers: int = 6) -> None:
        self.url = url
        self.ended = threading.Event()
        self.faults: list[object] = []
        self.reads = 0
        self.writes = 0
        self.longest = 0.0
        wanted = Client(url, key)
        self.wanted = {path: wanted.get(path).body for path in PATHS if "changes" not in path}
        work: list[Callable[[], None]] = [lambda: self._write(key)]
        work += [self._read] * readers
        self.threads = [threading.Thread(target=self._run, args=(one,)) for one in work]

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as fault:  # noqa: BLE001 (whatever it is, it was not to be)
            self.faults.append(fault)

    def _read(self) -> None:
        client = Client(self.url)
        while not self.ended.is_set():
            for path in PATHS:
                began = time.monotonic()
                answer = client.get(path)
                self.longest = max(self.longest, time.monotonic() - began)
                self.reads += 1
                if answer.status != 200 or answer.body != self.wanted.get(path, answer.body):
                    self.faults.append((path, answer))

    def _write(self, key: str) -> None:
        client = Client(self.url, key)
        while not self.ended.is_set():
            self.writes += 1
            answer = client.send(
                "PUT",
                "topics/tides",
                {"label": f"Tides {self.writes}"},
                {"If-Match": client.tag("topics/tides")},
            )
            read = client.get("topics/tides")
            if answer.status != 200 or read.json["label"] != f"Tides {self.writes}":
                self.faults.append((answer, read))
            time.sleep(0.02)

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_no_read_fails_while_standbys_die_and_stop(
    nodes: list[Node], service: Service, reader: Client, writer: Client, key: str
) -> None:
    first, second = nodes[1:]
    assert writer.send("PUT", "topics/tides", {"label": "Tides"}).status == 201
    with Load(service.url, key) as load:

        def goes_on(reads: int = 200) -> None:
            aim = load.reads + reads
            eventually(lambda: load.reads > aim or load.faults, "more reads")

        goes_on()
        first.kill()
        await_states(service, "unreachable", "used")
        goes_on()
        second.pause()
        await_states(service, "unreachable", "unreachable")
        goes_on()
        first.start()
        second.resume()
        await_states(service, "used", "used")
        counted = figure(service, "readout_standby_reads_total", first.host)
        goes_on()
        assert figure(service, "readout_standby_reads_total", first.host) > counted
    print(f"{load.reads} reads, {load.writes} writes; the longest read took {load.longest:.2f} s")
    assert load.faults == []
    assert load.longest < LONGEST
    assert load.writes > 10
    for standby in (first, second):
        assert figure(service, "readout_standby_failures_total", standby.host) >= 1
