"""A PostgreSQL primary with standbys, each of which tests may kill, stop and start again.

>>> with cluster(2) as servers:
...     primary, first, second = servers
...     first.kill()    # as where its machine loses power
...     second.pause()  # as where its machine hangs: it answers nothing, and closes nothing
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live import free_port
from tests.postgres import FAST, candidates, copy, unprivileged
from tests.processes import Process, children, eventually

OPTIONS = "-c unix_socket_directories= -c wal_keep_size=512MB"


class Node:
    """One server, on a port of its own."""

    def __init__(self, programs: Path, folder: Path, as_user: dict[str, Any], options: str) -> None:
        self.programs = programs
        self.options = options
        self.folder = folder
        self.as_user = as_user
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"postgresql://readout@{self.host}/postgres"
        self.stopped: list[int] = []

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        command = [str(self.programs / "postgres"), "-D", str(self.folder), *self.options.split()]
        command += ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        output = self.folder.with_suffix(".log")
        self.process = Process(command, output, cwd=self.folder, **self.as_user)
        eventually(self._answers, f"an answer from the server on port {self.port}")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url).close()
            return True
        assert not self.process.ended(), self.folder.with_suffix(".log").read_text()[-2000:]
        return False

    def kill(self) -> None:
        """As kill -9 of all its processes at once."""
        if not self.process.ended():
            self._signal(signal.SIGKILL, self._pids())
        self.process.kill()

    def pause(self) -> None:
        """Stop all its processes where they are."""
        self.stopped = self._pids()
        self._signal(signal.SIGSTOP, self.stopped)
        # Should the test run die now, they go on, and end as they find their parent gone.
        self._watchdog = subprocess.Popen(
            ["sh", "-c", 'read -r _; kill -s CONT "$@"', "sh", *map(str, self.stopped)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def resume(self) -> None:
        """Let it go on."""
        self._watchdog.communicate()
        self.stopped = []

    def run(self, statement: str) -> Any:
        """Run a statement, and give the first value that it gives."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement)
            row = found.fetchone() if found.description else None
            return row and row[0]

    def end(self) -> None:
        if self.stopped:
            self.resume()
        self.kill()

    def _pids(self) -> list[int]:
        return [self.process.pid, *children(self.process.pid)]

    @staticmethod
    def _signal(what: int, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)


@contextmanager
def cluster(
    standbys: int, fill: Callable[[str], None], options: str = FAST
) -> Iterator[list[Node]]:
    """A primary, filled, and its standbys, which have all that it has."""
    with ExitStack() as ends:
        programs, folder, as_user = _unpacked()
        ends.callback(shutil.rmtree, folder, ignore_errors=True)

        def run(program: str, *arguments: str | Path) -> None:
            subprocess.run(
                [programs / program, *arguments],
                cwd=folder,
                capture_output=True,
                check=True,
                timeout=60,
                **as_user,
            )

        def started(name: str) -> Node:
            node = Node(programs, folder / name, as_user, f"{OPTIONS} {options}")
            node.start()
            ends.callback(node.end)
            return node

        authorised = ["-U", "readout", "-A", "trust", "-E", "UTF8", "--locale=C"]
        run("initdb", "-D", folder / "primary", "--no-sync", *authorised)
        primary = started("primary")
        fill(primary.url)
        nodes = [primary]
        for number in range(standbys):
            to = folder / f"standby-{number}"
            run("pg_basebackup", "-D", to, "-d", primary.url, "-R", "--no-sync", "-c", "fast")
            nodes.append(started(to.name))
        yield nodes


def _unpacked() -> tuple[Path, Path, dict[str, Any]]:
    """Programs that can copy a server, a folder, and the user to run them as."""
    user = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="readout-replicas-", dir="/tmp" if user else None))
    as_user: dict[str, Any] = {}
    if user:
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    for programs in candidates():
        if not (programs / "pg_basebackup").exists():
            continue
        reachable = not user or all(parent.stat().st_mode & 0o001 for parent in programs.parents)
        if not reachable and programs.parent.name.startswith("pginstall"):
            programs = copy(programs, folder)
        if user:
            subprocess.run(["chown", "-R", user, folder], check=True)
        return programs, folder, as_user
    shutil.rmtree(folder)
    pytest.skip("no PostgreSQL here has pg_basebackup, which makes a standby of a server")
