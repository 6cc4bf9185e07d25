"""What standbys take over, and what the one lock of writers allows: the figures of docs/scaling.md.

    python -m benchmarks.standbys           # about three minutes; everything runs on this machine

It needs PostgreSQL's programs, pgbench among them. Servers sync to the disk as usual.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from flask import Flask
from sqlalchemy import Engine, event

from api import create_app
from api.settings import load
from api.store.migrate import upgrade
from api.store.postgresql import WRITING
from benchmarks.load import cpu
from tests.clients import Client
from tests.processes import eventually
from tests.replicas import Node, cluster
from tests.service import Service
from tests.writing import Writer, new_key

CALLS, STATEMENTS, TOPICS = 100, 50, 10
SECONDS = 8.0
READS = {
    "one statement": lambda n: f"statements/c{n % CALLS}-s{n % STATEMENTS}",
    "page of 50 positions": lambda n: f"topics/t{n % TOPICS}/positions",
}
TEXT = "The minister said that the corridor must open before the harvest is in. " * 3
LOCKED = f"BEGIN; SELECT pg_advisory_xact_lock({WRITING}); {{}}; COMMIT;"
INSERT = "INSERT INTO bench (value) VALUES (repeat('x', 1000))"


def statement(call: str, name: str, topic: int) -> dict[str, Any]:
    span = {"source": "s", "start": 0, "end": 9, "digest": sha256(b"x").hexdigest()}
    return {
        "id": name,
        "account": f"{call}-account",
        "speakers": ["p"],
        "setting": "on-call",
        "form": "indirect",
        "act": "demand",
        "topics": [f"t{topic}"],
        "summary": f"{name}: {TEXT}",
        "evidence": [span],
    }


def record(number: int) -> dict[str, Any]:
    call = f"c{number}"
    source = {"id": "s", "title": "A paper", "rights": "quote", "characters": 1000}
    account = {"id": f"{call}-account", "call": call, "genre": "news-report", "sources": ["s"]}
    return {
        "call": {"id": call, "title": f"Call {number}", "held_on": f"20{number % 90 + 10}-01-01"},
        "participants": [{"id": "p", "name": "P", "kind": "person"}],
        "topics": [{"id": f"t{n}", "label": f"Topic {n}"} for n in range(TOPICS)],
        "sources": [source | {"sha256": sha256(b"x").hexdigest()}],
        "accounts": [account],
        "statements": [
            statement(call, f"{call}-s{n}", (number + n) % TOPICS) for n in range(STATEMENTS)
        ],
    }


def fill(url: str) -> None:
    upgrade(url)
    writer = Writer(application(url), new_key(url, "write"))
    began = time.monotonic()
    for number in range(CALLS):
        answer = writer.send("PUT", f"calls/c{number}/record", record(number))
        assert answer.status_code == 201, answer.text
    seconds = (time.monotonic() - began) / CALLS
    sys.stdout.write(f"seconds for a call record of {STATEMENTS} statements: {seconds:.3f}\n")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def application(url: str) -> Flask:
    return create_app(load({"READOUT_DATABASE_URL": url, "READOUT_LOG_LEVEL": "warning"}))


class Taken(NamedTuple):
    a_second: float
    milliseconds: list[float]  # of CPU a request, of each group of processes
    longest: float


def load_for(
    url: str, key: str | None, clients: int, do: Callable[[Client, int], None], *groups: list[int]
) -> Taken:
    """Let clients do something for some seconds, and say what it took."""
    done = [0] * clients
    longest = [0.0] * clients
    end = time.monotonic() + SECONDS

    def run(place: int) -> None:
        with closing(Client(url, key)) as client:
            while (began := time.monotonic()) < end:
                do(client, place * 7 + done[place])
                done[place] += 1
                longest[place] = max(longest[place], time.monotonic() - began)

    before = [cpu(group) for group in groups]
    threads = [threading.Thread(target=run, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = [cpu(group) - was for group, was in zip(groups, before, strict=True)]
    total = sum(done)
    return Taken(total / SECONDS, [1000 * one / total for one in spent], max(longest))


def read(path: Callable[[int], str]) -> Callable[[Client, int], None]:
    def do(client: Client, number: int) -> None:
        answer = client.get(path(number))
        assert answer.status == 200, answer

    return do


def write(client: Client, number: int) -> None:
    body = statement("c0", "", number % TOPICS)
    del body["id"]
    answer = client.send("POST", "statements", body)
    assert answer.status == 201, answer


def reads(nodes: list[Node]) -> Iterator[str]:
    yield "| reads | standbys | requests/s | CPU ms a request: service | primary | standbys |"
    yield "|---|---|---|---|---|---|"
    for number in range(len(nodes)):
        hosts = ",".join(node.host for node in nodes[1 : number + 1])
        environment = {"READOUT_LOG_LEVEL": "warning"}
        if hosts:
            environment["READOUT_READ_DATABASE_URL"] = f"postgresql://readout@{hosts}/postgres"
        with (
            tempfile.TemporaryDirectory() as folder,
            Service(Path(folder), nodes[0].url, **environment) as service,
        ):
            client = Client(service.url)
            for _ in range(40):  # Both workers begin to watch.
                client.once("GET", "/readyz")
            time.sleep(2)
            for name, path in READS.items():
                taken = load_for(
                    service.url,
                    None,
                    8,
                    read(path),
                    [service.process.pid],
                    [nodes[0].process.pid],
                    [node.process.pid for node in nodes[1:]],
                )
                figures = " | ".join(f"{one:.2f}" for one in taken.milliseconds)
                yield f"| {name} | {number} | {taken.a_second:.0f} | {figures} |"


def writes(nodes: list[Node], key: str) -> Iterator[str]:
    yield "| clients | POST of one statement, a second | CPU ms each: service | primary | longest |"
    yield "|---|---|---|---|---|"
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder), nodes[0].url, READOUT_LOG_LEVEL="warning") as service,
    ):
        for clients in (1, 4, 16):
            taken = load_for(
                service.url, key, clients, write, [service.process.pid], [nodes[0].process.pid]
            )
            figures = " | ".join(f"{one:.1f}" for one in taken.milliseconds)
            yield f"| {clients} | {taken.a_second:.0f} | {figures} | {taken.longest:.2f} s |"


def round_trips(url: str, key: str) -> int:
    """How many statements a write sends while it holds the lock, that which takes it included."""
    body = statement("c0", "counted", 0)
    del body["id"]
    writer = Writer(application(url), key)
    writer.post("statements", body)
    sent: list[str] = []

    def count(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        sent.append(sql)

    event.listen(Engine, "before_cursor_execute", count)
    assert writer.post("statements", body).status_code == 201
    event.remove(Engine, "before_cursor_execute", count)
    taken = next(place for place, sql in enumerate(sent) if "advisory" in sql)
    return len(sent) - taken


def commits(node: Node) -> Iterator[str]:
    pgbench = node.programs / "pgbench"
    node.run("CREATE TABLE bench (n bigserial PRIMARY KEY, value text NOT NULL)")
    yield "| one insert and its commit | 1 client | 8 | 32 |"
    yield "|---|---|---|---|"
    held = f"{INSERT}; SELECT pg_sleep({{}})"
    scripts = {
        "without a lock": f"BEGIN; {INSERT}; COMMIT;",
        "under the lock": LOCKED.format(INSERT),
        "under the lock, held 2 ms longer": LOCKED.format(held.format(0.002)),
        "under the lock, held 10 ms longer": LOCKED.format(held.format(0.010)),
    }
    for name, script in scripts.items():
        found = []
        for clients in (1, 8, 32):
            with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
                file.write(script.replace("; ", ";\n"))
                file.flush()
                connected = ["-h", "127.0.0.1", "-p", str(node.port), "-U", "readout", "postgres"]
                asked = ["-n", "-f", file.name, "-c", str(clients), "-j", "2", "-T", "5"]
                told = subprocess.run(
                    [str(pgbench), *asked, *connected], check=True, capture_output=True, text=True
                ).stdout
            [tps] = [line.split()[2] for line in told.splitlines() if line.startswith("tps")]
            found.append(f"{float(tps):.0f}")
        yield f"| {name} | {' | '.join(found)} |"


def main() -> None:
    with cluster(2, fill, "") as nodes:
        url = nodes[0].url
        key = new_key(url, "write")
        eventually(lambda: nodes[2].run("SELECT count(*) FROM keys"), "the standbys")
        size = nodes[0].run("SELECT pg_database_size(current_database())")
        sys.stdout.write(f"bytes on the disk a statement: {size // (CALLS * STATEMENTS)}\n\n")
        for table in (reads(nodes), writes(nodes, key), commits(nodes[0])):
            for line in table:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            sys.stdout.write("\n")
        sys.stdout.write(
            f"SQL statements that a POST sends under the lock: {round_trips(url, key)}\n"
        )


if __name__ == "__main__":
    main()
