"""A disk that is full, or may only be read: refused in words, and well again by itself."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.source import digest
from tests.clients import Answer, Client
from tests.service import Service
from tests.writers import SHARED, prepared, statement, verified

MEBIBYTE = 1 << 20
TEXT = "The dredger lies in the lock. " * 8000
READS = (SHARED, "statements?limit=0&facets=topic", "changes?limit=5")

# Both see a file system of their own at "$1", which goes with them.
SMALL = 'mount -t tmpfs -o size=5m none "$1" && cp "$2" "$1" && shift 2 && exec "$@"'
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


def mounted(how: str, *arguments: Path) -> list[str]:
    """A command that runs another where a file system is mounted for it alone."""
    command = ["unshare", "--mount"]
    if os.getuid() != 0:
        command += ["--user", "--map-root-user"]
    command += ["sh", "-c", how, "sh", *map(str, arguments)]
    return tried(command)


def powerless() -> list[str]:
    """A command that runs another as one whom modes of files bind, as they do not bind root."""
    if os.getuid() != 0:
        return []
    return tried(["setpriv", "--bounding-set=-all", "--inh-caps=-all"])


def tried(command: list[str]) -> list[str]:
    try:
        done = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not here")
    if done.returncode:
        pytest.skip(f"{command[0]} may not do this here: {done.stderr.strip()[-200:]}")
    return command


def source(title: str) -> dict[str, Any]:
    """A source with a text of a quarter of a megabyte."""
    return {
        "title": title,
        "rights": "open",
        "text": TEXT,
        "characters": len(TEXT),
        "sha256": digest(TEXT),
    }


class Filling:
    """A client that writes until there is no room."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.made: set[str] = set()

    def post(self, title: str) -> Answer:
        headers = {"Idempotency-Key": title.replace(" ", "-")}
        answer = self.client.send("POST", "sources", source(title), headers)
        if answer.status == 201:
            self.made.add(answer.json["id"])
        return answer

    def until_refused(self) -> tuple[str, Answer]:
        """The title of what was refused, and the refusal."""
        for number in range(40):
            answer = self.post(f"Source {number}")
            if answer.status != 201:
                return f"Source {number}", answer
        raise AssertionError("there is room for everything")

    def check(self) -> None:
        """See that what was acknowledged can be read, and nothing else."""
        for path in ("/readyz", *READS):
            assert self.client.get(path).status == 200, path
        found = self.client.get("sources?limit=200&fields=id,title").json["data"]
        ours = {one["id"] for one in found if one["title"].startswith("Source ")}
        assert ours == self.made


@contextlib.contextmanager
def filling(service: Service, key: str) -> Iterator[Filling]:
    with contextlib.closing(Client(service.url, key)) as client:
        yield Filling(client)


def test_a_full_disk_refuses_writes_and_serves_reads(tmp_path: Path) -> None:
    disk, start = tmp_path / "disk", tmp_path / "small.sqlite"
    disk.mkdir()
    key = prepared(f"sqlite:///{start}")
    within = mounted(SMALL, disk, start)
    with (
        Service(tmp_path, f"sqlite:///{disk / start.name}", within=within) as service,
        filling(service, key) as client,
    ):
        seen_from_here = Path(f"/proc/{service.process.pid}/root") / disk.relative_to("/")
        ballast = seen_from_here / "ballast"
        ballast.write_bytes(bytes(2 * MEBIBYTE))
        title, refusal = client.until_refused()
        assert refusal.told == (507, "no-room")
        assert int(refusal.headers["Retry-After"]) > 0
        assert client.made
        client.check()
        again = client.post(title)
        assert again.told == (507, "no-room")
        ballast.unlink()
        now = client.post(title)
        assert now.status == 201
        assert "Idempotent-Replayed" not in now.headers
        client.check()
        for name in (start.name, f"{start.name}-wal"):
            shutil.copy(seen_from_here / name, tmp_path / name)
    verified(f"sqlite:///{start}")


def test_a_file_that_may_not_grow_refuses_writes_and_serves_reads(tmp_path: Path) -> None:
    """Where nothing can be mounted; to SQLite it looks like a disk that failed."""
    file = tmp_path / "bounded.sqlite"
    key = prepared(f"sqlite:///{file}")
    with Service(tmp_path, f"sqlite:///{file}") as service, filling(service, key) as client:

        def bound(size: int) -> None:
            for pid in service.workers():
                _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))

        bound(2 * MEBIBYTE)
        title, refusal = client.until_refused()
        assert refusal.told == (503, "unavailable")
        assert client.made
        client.check()
        bound(resource.RLIM_INFINITY)
        assert client.post(title).status == 201
        client.check()
    verified(f"sqlite:///{file}")


def serves(service: Service, key: str, *, reads: int, writes: int) -> None:
    """See how it serves, and that it says why where it does not."""
    with contextlib.closing(Client(service.url, key)) as client:
        mark = statement(f"expecting {writes}")
        for _ in range(2):
            answers = [client.get(path) for path in ("/readyz", *READS)]
            assert [answer.status for answer in answers] == [reads] * len(answers)
            tag = {"If-Match": answers[1].headers["ETag"] or '"1"'}
            answers += [
                client.send("POST", "statements", mark),
                client.send("PATCH", SHARED, mark, tag),
            ]
            if writes != 201:
                assert [answer.status for answer in answers[-2:]] == [writes] * 2
            else:
                assert [answer.status for answer in answers[-2:]] == [201, 200]
            for refusal in (answer for answer in answers if answer.status >= 400):
                assert refusal.told == (503, "unavailable")


@pytest.mark.parametrize("closed", [True, False], ids=["closed before", "killed before"])
def test_a_file_system_that_is_read_only_refuses_writes(tmp_path: Path, closed: bool) -> None:
    """Reads go on where SQLite finds the files that it keeps beside the database while in use."""
    disk = tmp_path / "disk"
    disk.mkdir()
    database = f"sqlite:///{disk / 'fixed.sqlite'}"
    key = prepared(database)
    within = mounted(READ_ONLY, disk)
    if not closed:
        with Service(tmp_path, database) as service:
            serves(service, key, reads=200, writes=201)
            service.kill()
    with Service(tmp_path, database, within=within) as service:
        serves(service, key, reads=503 if closed else 200, writes=503)
        service.stop()
    with Service(tmp_path, database) as service:
        serves(service, key, reads=200, writes=201)
    verified(database)


@pytest.fixture
def may_write(tmp_path: Path) -> Iterator[Callable[[bool], None]]:
    """Allow, or forbid, to write to the folder `disk` and the files in it."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def may_write(allowed: bool) -> None:
        for file in disk.iterdir():
            file.chmod(0o644 if allowed else 0o444)
        disk.chmod(0o755 if allowed else 0o555)

    yield may_write
    may_write(True)


def test_a_file_that_is_read_only_refuses_writes(
    tmp_path: Path, may_write: Callable[[bool], None]
) -> None:
    database = f"sqlite:///{tmp_path / 'disk' / 'fixed.sqlite'}"
    key = prepared(database)
    within = powerless()
    may_write(False)
    with Service(tmp_path, database, within=within) as service:
        serves(service, key, reads=503, writes=503)
        # Nobody has to restart it.
        may_write(True)
        serves(service, key, reads=200, writes=201)
    verified(database)
