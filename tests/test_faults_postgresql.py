"""PostgreSQL goes and comes back under load: refused meanwhile, nothing lost, nobody to restart."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.postgres import Cluster, candidates, make
from tests.processes import Process, eventually
from tests.service import Service
from tests.writers import Writers, prepared

BETWEEN = 40  # writes from one blow to the next
MEANWHILE = 40  # requests refused while there is no server

# What it acknowledges outlives its processes, as here nothing worse than their end happens.
KEPT = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
FAST, CRASH = signal.SIGINT, signal.SIGQUIT


class PostgreSQL:
    """A server that a test may stop and start."""

    def __init__(self, cluster: Cluster, output: Path) -> None:
        self.cluster = cluster
        self.output = output
        self.start()

    def start(self) -> None:
        command: list[str | Path] = [self.cluster.programs / "postgres", "-D", "data"]
        command += ["-k", self.cluster.folder]
        for setting in ("listen_addresses=", *KEPT):
            command += ["-c", setting]
        self.process = Process(command, self.output, **self.cluster.as_user)
        eventually(self._takes_connections, "a connection to PostgreSQL")

    def stop(self, how: int) -> None:
        self.process.end(how)

    def kill_a_connection(self) -> None:
        """Kill the process behind one of the service's connections; the server then restarts."""
        with psycopg.connect(self.cluster.url) as connection:
            found = "SELECT pid FROM pg_stat_activity WHERE application_name = 'readout'"
            [pid], *_ = connection.execute(found).fetchall()
        os.kill(pid, signal.SIGKILL)

    def _takes_connections(self) -> bool:
        assert not self.process.ended(), self.output.read_text(errors="replace")[-2000:]
        try:
            psycopg.connect(self.cluster.url).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[PostgreSQL]:
    faults = []
    for programs in candidates():
        try:
            cluster = make(programs)
        except (OSError, RuntimeError) as fault:
            faults.append(f"{programs}: {fault}")
            continue
        server = PostgreSQL(cluster, tmp_path / "postgresql.log")
        try:
            yield server
        finally:
            if not server.process.ended():
                server.stop(CRASH)
            server.process.kill()
            shutil.rmtree(cluster.folder, ignore_errors=True)
        return
    raise RuntimeError("PostgreSQL's programs are not here: " + "; ".join(faults))


def test_its_restarts_lose_nothing_that_was_acknowledged(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url = make_url(postgresql.cluster.url).set(drivername="postgresql+psycopg")
    database = url.render_as_string(hide_password=False)
    key = prepared(database)
    with Service(tmp_path, database) as service:
        with Writers(service.url, key) as writers:
            writers.go_on(BETWEEN)
            for how in (FAST, CRASH):
                postgresql.stop(how)
                postgresql.start()
                writers.go_on(BETWEEN)
            postgresql.kill_a_connection()
            writers.go_on(BETWEEN)
            postgresql.stop(FAST)
            writers.refusals(MEANWHILE)
            postgresql.start()
            writers.go_on(BETWEEN)
        writers.check_reads()
        assert service.stop() == 0
    assert not writers.without_hope
    untold = writers.check(database)
    print(f"{writers.told()}, {len(untold)} of the unsettled are there")
