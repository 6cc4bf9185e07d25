"""Reads at standbys: who reads where, and what comes of it when servers lag, stop and die."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, Integer, cast, literal, make_url, select, text

from api import create_app
from api.settings import load
from api.store.engine import Unavailable
from api.store.faults import Elsewhere
from api.store.fetch import fetch
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
    "statements?format=ndjson&limit=10",  # A longer one may be cut short, and then shows it.
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
def reader(service: Service) -> Iterator[Client]:
    """A client without a key, on a service that reads at both standbys."""
    await_states(service, "used", "used")
    with closing(Client(service.url)) as client:
        yield client


@pytest.fixture
def writer(service: Service, key: str) -> Iterator[Client]:
    with closing(Client(service.url, key)) as client:
        yield client


def told(service: Service) -> list[dict[str, Any]]:
    """What one worker tells of the standbys."""
    answer = Client(service.url).once("GET", "/readyz")
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.json["standbys"]
    return found


def states(service: Service) -> list[str]:
    return [standby["state"] for standby in told(service)]


def lags(service: Service) -> list[float]:
    return [standby["lag"] for standby in told(service)]


def await_states(service: Service, *wanted: str) -> None:
    """Wait until every worker sees the standbys so: each connection may reach another one."""

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
        hold_up(standby)
    yield
    for standby in nodes[1:]:
        standby.run("SELECT pg_wal_replay_resume()")


def hold_up(standby: Node) -> None:
    def paused() -> bool:
        return bool(standby.run("SELECT pg_get_wal_replay_pause_state()") == "paused")

    standby.run("SELECT pg_wal_replay_pause()")
    eventually(paused, "a standby that takes in nothing")


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
    hold_up(behind)
    try:
        describe(writer, "Unknown to one standby.")
        await_states(service, "lagging", "used")
        eventually(lambda: description(reader) == "Unknown to one standby.", "the other's answer")
        assert [description(reader) for _ in range(10)] == ["Unknown to one standby."] * 10
        standbys = told(service)
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
    assert lags(service) == [0, 0]


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
        with closing(Client(url, key)) as client:
            self.wanted = {path: client.get(path).body for path in PATHS if "changes" not in path}
        work: list[tuple[Callable[[Client], None], str | None]] = [(self._write, key)]
        work += [(self._read, None)] * readers
        self.threads = [threading.Thread(target=self._run, args=one) for one in work]

    def _run(self, work: Callable[[Client], None], key: str | None) -> None:
        try:
            with closing(Client(self.url, key)) as client:
                while not self.ended.is_set():
                    work(client)
        except Exception as fault:  # noqa: BLE001 (whatever it is, it was not to be)
            self.faults.append(fault)

    def _read(self, client: Client) -> None:
        for path in PATHS:
            began = time.monotonic()
            answer = client.get(path)
            self.longest = max(self.longest, time.monotonic() - began)
            self.reads += 1
            if answer.status != 200 or answer.body != self.wanted.get(path, answer.body):
                self.faults.append((path, answer))

    def _write(self, client: Client) -> None:
        self.writes += 1
        label = f"Tides {self.writes}"
        written = client.send(
            "PUT", "topics/tides", {"label": label}, {"If-Match": client.tag("topics/tides")}
        )
        read = client.get("topics/tides")
        if written.status != 200 or read.json["label"] != label:
            self.faults.append((written, read))
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


def test_reads_go_on_while_the_primary_is_down(
    nodes: list[Node], service: Service, reader: Client, writer: Client
) -> None:
    # What a standby has yet to receive from a primary that dies, it never will.
    eventually(lambda: lags(service) == [0, 0], "standbys that have everything")
    nodes[0].kill()
    try:
        ends = time.monotonic() + LAG * 1.5
        while time.monotonic() < ends:
            assert description(reader)
        assert writer.get(TOPIC).told == (503, "unavailable")
    finally:
        nodes[0].start()
    eventually(lambda: writer.get(TOPIC).status == 200, "the primary's answer")


# As one process sees it.


@pytest.fixture
def spread(nodes: list[Node]) -> Iterator[Callable[..., Spread]]:
    """Make databases whose every read may go to a standby, and wait for what they find of them."""
    made: list[Spread] = []

    def spread(*urls: str, states: list[str], primary: str = "") -> Spread:
        reading = Reading()
        standbys = [make_url(url).set(drivername="postgresql+psycopg") for url in urls]
        url = make_url(primary or nodes[0].url).set(drivername="postgresql+psycopg")
        database = Spread(
            url.render_as_string(hide_password=False),
            0.5,
            standbys,
            limit=LAG,
            reading=lambda: reading,
        )
        made.append(database)
        eventually(lambda: seen(database) == states, f"standbys that are {states}", 20)
        return database

    yield spread
    for database in made:
        database.close()


def seen(database: Spread) -> list[str]:
    return [standby["state"] for standby in database.told()["standbys"]]


PORT = text("SELECT current_setting('port')")


def port(database: Spread) -> int:
    with database.read() as connection:
        return int(connection.execute(PORT).scalar_one())


def test_no_thread_runs_before_the_first_read(nodes: list[Node]) -> None:
    environment = {
        "READOUT_DATABASE_URL": nodes[0].url,
        "READOUT_READ_DATABASE_URL": nodes[1].url,
    }
    create_app(load(environment))
    assert [one.name for one in threading.enumerate() if one.name == "readout-watch"] == []


def test_a_server_that_is_no_standby_is_left_out(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    primary, first, _ = nodes
    assert port(spread(primary.url, first.url, states=["primary", "used"])) == first.port


def test_a_standby_of_other_records_is_left_out(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    primary, first, _ = nodes
    primary.run("CREATE DATABASE other")
    other = primary.url.replace("/postgres", "/other")
    fill(other)
    # The other one's standby has the same number of changes, and more; but they are not the same.
    assert port(spread(first.url, states=["diverged"], primary=other)) == primary.port


@pytest.mark.parametrize(
    "read",
    [
        lambda connection: connection.execute(text("SELECT 1 / 0")),
        lambda connection: fetch(connection, select(cast(literal(1), Integer) / 0), {}),
    ],
)
def test_what_a_standby_cannot_do_another_server_does(
    nodes: list[Node], spread: Callable[..., Spread], read: Callable[[Connection], object]
) -> None:
    database = spread(nodes[1].url, nodes[2].url, states=["used", "used"])
    ports = []
    for _ in nodes[1:]:
        ports.append(port(database))
        assert port(database) == ports[-1]  # A request reads at one server as long as it can.
        with pytest.raises(Elsewhere), database.read() as connection:
            read(connection)
    assert set(ports) == {nodes[1].port, nodes[2].port}
    assert port(database) == nodes[0].port


def test_what_takes_too_long_is_not_made_again(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    database = spread(f"{nodes[1].url}?options=-cstatement_timeout%3D100", states=["used"])
    with pytest.raises(Unavailable) as refusal, database.read() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    assert not isinstance(refusal.value, Elsewhere)


def test_a_connection_lost_between_requests_is_replaced(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    database = spread(nodes[1].url, states=["used"])
    assert port(database) == nodes[1].port
    nodes[1].run(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE application_name = 'readout'"
    )
    assert port(database) == nodes[1].port


def test_a_stream_ends_where_its_standby_stops(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    database = spread(nodes[1].url, states=["used"])
    rows = text("SELECT n, repeat('x', 1000) FROM generate_series(1, 1000000) AS n")

    def read() -> None:
        with (
            database.stream() as connection,
            connection.execute(rows, execution_options={"yield_per": 500}) as found,
        ):
            assert next(found).n == 1
            nodes[1].pause()
            for _ in found:
                pass

    began = time.monotonic()
    try:
        with pytest.raises(Elsewhere):
            read()
        assert time.monotonic() - began < LONGEST
        assert seen(database) == ["unreachable"]
    finally:
        nodes[1].resume()
    eventually(lambda: seen(database) == ["used"], "its return")


def test_a_standby_that_becomes_a_primary_is_left_out(
    nodes: list[Node], spread: Callable[..., Spread]
) -> None:
    """The last test: it is none any more."""
    database = spread(nodes[2].url, states=["used"])
    nodes[2].run("SELECT pg_promote()")
    eventually(lambda: seen(database) == ["primary"], "a server that is left out")
    assert port(database) == nodes[0].port
