"""The databases that the bench asks: made once for each size, kept, and copied for each run.

They are under $BENCH_DATA, else under the temporary folder. The PostgreSQL server is a private one
with its own settings as they come (so it syncs), and keeps its data there too.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from api.store import sqlite
from benchmarks import corpus
from benchmarks.load import Peak, watched
from tests.postgres import candidates, copy, unprivileged
from tests.replicas import Node

DATA = Path(os.environ.get("BENCH_DATA", Path(tempfile.gettempdir()) / "readout-bench"))
READOUT = Path(sys.executable).with_name("readout")
OPTIONS = "-c unix_socket_directories= -c max_connections=200"
OFTEN_ENOUGH = 20  # call records that tell one corpus from another


class Databases(Protocol):
    """Where databases are, by name; `pids` are the processes of a server, if there is one."""

    title: str
    pids: list[int]

    def url(self, name: str) -> str: ...
    def has(self, name: str) -> bool: ...
    def size(self, name: str) -> int: ...
    def create(self, name: str) -> None: ...
    def settle(self, name: str) -> None: ...
    def copy(self, name: str, to: str) -> None: ...
    def drop(self, name: str) -> None: ...


class Sqlite:
    """A file each."""

    def __init__(self) -> None:
        self.title = f"SQLite {sqlite.DRIVER.sqlite_version}"
        self.pids: list[int] = []

    def url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    def has(self, name: str) -> bool:
        return self._file(name).exists()

    def size(self, name: str) -> int:
        return self._file(name).stat().st_size

    def create(self, name: str) -> None:
        self.drop(name)

    def settle(self, name: str) -> None:
        """Nothing: the file is whole once its last user has closed it."""

    def copy(self, name: str, to: str) -> None:
        self.drop(to)
        shutil.copyfile(self._file(name), self._file(to))

    def drop(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(name)}{suffix}").unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return DATA / f"{name}.sqlite"


class Postgresql:
    """A database each on one server."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.title = f"PostgreSQL {node.run('SHOW server_version').split()[0]}"
        self.pids = [node.process.pid]

    def url(self, name: str) -> str:
        return f"postgresql://readout@{self.node.host}/{name}"

    def has(self, name: str) -> bool:
        return bool(self.node.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def size(self, name: str) -> int:
        return int(self.node.run(f"SELECT pg_database_size('{name}')"))

    def create(self, name: str) -> None:
        self.drop(name)
        self.node.run(f'CREATE DATABASE "{name}"')

    def settle(self, name: str) -> None:
        """Do at once what autovacuum would do some time."""
        subprocess.run([self.node.programs / "vacuumdb", "-qz", self.url(name)], check=True)

    def copy(self, name: str, to: str) -> None:
        self.drop(to)
        self.node.run(f'CREATE DATABASE "{to}" TEMPLATE "{name}" STRATEGY FILE_COPY')
        self.node.run("CHECKPOINT")

    def drop(self, name: str) -> None:
        self.node.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def opened(kind: str) -> Iterator[Databases]:
    """The databases of a kind; PostgreSQL runs as long as this lasts."""
    DATA.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield Sqlite()
        return
    node = _node(DATA / "postgresql")
    node.start()
    try:
        yield Postgresql(node)
    finally:
        node.process.end(signal.SIGINT)


def _node(folder: Path) -> Node:
    """A PostgreSQL server with its data in a folder, made where there is none yet."""
    user = unprivileged()
    as_user: dict[str, Any] = {}
    if user:
        as_user = {"user": user, "group": user, "extra_groups": []}
    told = folder / "programs.txt"
    if not told.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        programs = next(path for path in candidates() if (path / "initdb").exists())
        if user and not all(parent.stat().st_mode & 0o001 for parent in programs.parents):
            programs = copy(programs, folder)
        if user:
            shutil.chown(folder, user, user)
        authorised = ["-U", "readout", "-A", "trust", "-E", "UTF8", "--locale=C"]
        initdb: list[str | Path] = [programs / "initdb", "-D", folder / "data", *authorised]
        subprocess.run(initdb, cwd=folder, check=True, stdout=subprocess.DEVNULL, **as_user)
        told.write_text(str(programs))
    return Node(Path(told.read_text()), folder / "data", as_user, OPTIONS)


def kept(databases: Databases, size: str) -> tuple[str, dict[str, float]]:
    """The name of the database of a size, made where it is not there yet; what making it took."""
    statements = corpus.size(size)
    few = b"".join(islice(corpus.lines(statements), OFTEN_ENOUGH))
    name = f"bench_{size.lower()}_{sha256(few).hexdigest()[:8]}"
    told = DATA / f"{name}_{type(databases).__name__.lower()}.json"
    if told.exists() and databases.has(name):
        return name, json.loads(told.read_text())
    print(f"Making the database of {size} statements …", file=sys.stderr)
    lines = DATA / f"{name}.ndjson"
    with lines.open("wb") as out:
        out.writelines(corpus.lines(statements))
    databases.create(name)
    run("migrate", url=databases.url(name))
    seconds, peak = run("import", lines, url=databases.url(name))
    lines.unlink()
    databases.settle(name)
    taken = {"a_second": statements / seconds, "all": peak.all}
    told.write_text(json.dumps(taken))
    return name, taken


def run(*command: str | Path, url: str) -> tuple[float, Peak]:
    """Run a `readout` command to its end; the seconds and the memory that it took."""
    environ = os.environ | {"READOUT_DATABASE_URL": url}
    began = time.perf_counter()
    process = subprocess.Popen([READOUT, *command], env=environ, stdout=subprocess.DEVNULL)
    with process, watched(process.pid) as peak:
        code = process.wait()
    assert code == 0, f"readout {command[0]} gave {code}"
    return time.perf_counter() - began, peak
