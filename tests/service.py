"""A `readout serve` of two workers that tests may kill, starve and start again.

>>> with Service(folder, url) as service:
...     service.kill()
...     service.start()
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from tests.clients import BROKEN, Client
from tests.live import READOUT
from tests.processes import Process, children, eventually, opened

WORKERS = 2


def steady_port() -> int:
    """A free port that stays free, below those which connections are given as their own end."""
    for port in random.sample(range(10_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("there is no free port")


class Service:
    """The service on a database; `within` is a command that runs another, such as strace."""

    def __init__(
        self, folder: Path, database: str, *, within: Sequence[str] = (), **environment: str
    ) -> None:
        self.folder = folder
        self.database = database
        self.within = within
        self.port = steady_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("READOUT_")
        }
        self.environment |= {"READOUT_DATABASE_URL": database} | environment
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers, ready or not."""
        command = [*self.within, READOUT, "serve", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--workers", str(WORKERS)]
        self.process = Process(command, self.folder / "serve.log", env=self.environment)
        try:
            eventually(self._answers, f"an answer from {self.url}")
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        assert not self.process.ended(), self.log()
        try:
            return Client(self.url).once("GET", "/healthz").status == 200
        except BROKEN:
            return False

    def workers(self) -> list[int]:
        """The processes that answer, oldest first."""
        return children(self.process.pid)

    @contextlib.contextmanager
    def clients(self, key: str) -> Iterator[list[list[Client]]]:
        """Clients with connections that they keep, by the worker that serves them; some of each."""
        found: dict[int, list[Client]] = {}
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                client = stack.enter_context(contextlib.closing(Client(self.url, key)))
                client.send("GET", "/healthz")
                found.setdefault(self._serving(client), []).append(client)
                if len(found) == WORKERS:
                    break
            assert found.keys() == set(self.workers())
            yield list(found.values())

    def _serving(self, client: Client) -> int:
        """The worker at the other end of a client's connection."""
        ports = client.connection.sock.getsockname()[1], self.port
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, ours, theirs, *rest = line.split()
            if (int(theirs[-4:], 16), int(ours[-4:], 16)) == ports:
                link = f"socket:[{rest[6]}]"
                return next(pid for pid in self.workers() if link in opened(pid))
        raise AssertionError("nobody serves this connection")

    def kill(self) -> None:
        """As kill -9 of all its processes at once."""
        self.process.kill()

    def stop(self) -> int:
        """As SIGTERM; its exit code."""
        return self.process.end(signal.SIGTERM)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `readout` command in the same environment."""
        return subprocess.run(
            [READOUT, *arguments], env=self.environment, capture_output=True, text=True, timeout=60
        )

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-4000:]

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if value is not None:
            print(self.log())
        self.kill()
