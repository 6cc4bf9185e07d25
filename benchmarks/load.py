"""Asking a server for as much as it gives, and what its processes take for it.

The clients are sockets in one loop, each with a connection that it keeps and the next request as
soon as it has its answer. They parse no more of an answer than where it ends, so they take little
of the CPU that they share with the server: `Taken.own_cpu` says how much.
"""

import os
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"
NO_BODY = (204, 304)
AT_ONCE = 1 << 18


class Taken(NamedTuple):
    """What some seconds of load came to."""

    seconds: float
    waits: list[float]  # of each request, in seconds
    size: int  # bytes of all bodies
    cpu: float  # seconds of the server's processes
    own_cpu: float


class Flight:
    """A connection, and the answer that is coming in on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self.size = 0

    def send(self, request: bytes) -> None:
        self.head = b""
        self.left: int | None = None
        self.tail = b""
        self.status = 0
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def whole(self) -> bool:
        """Take in what has come; whether that is all."""
        data = self.socket.recv(AT_ONCE)
        if not data:
            raise ConnectionError("The server closed the connection.")
        if not self.status:
            self.head, found, data = (self.head + data).partition(b"\r\n\r\n")
            if not found:
                return False
            self.status = int(self.head[9:12])
            if length := LENGTH.search(self.head):
                self.left = int(length[1])
            elif self.status in NO_BODY or not CHUNKED.search(self.head):
                self.left = 0
        self.size += len(data)
        if self.left is None:
            self.tail = (self.tail + data)[-len(LAST_CHUNK) :]
            return self.tail == LAST_CHUNK
        if self.status in NO_BODY:
            return True
        self.left -= len(data)
        return self.left <= 0


def drive(
    port: int, requests: Iterator[bytes], status: int, seconds: float, clients: int, pids: list[int]
) -> Taken:
    """Send requests for some seconds, at least one from each client; all get the same status."""
    before, own, began = cpu(pids), time.process_time(), time.perf_counter()
    waits = []
    size = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            flight = Flight(port)
            selector.register(flight.socket, selectors.EVENT_READ, flight)
            flight.send(next(requests))
        while selector.get_map():
            for ready, _ in selector.select():
                flight = ready.data
                if not flight.whole():
                    continue
                now = time.perf_counter()
                waits.append(now - flight.began)
                assert flight.status == status, (flight.status, flight.head)
                if now - began < seconds:
                    flight.send(next(requests))
                else:
                    selector.unregister(flight.socket)
                    flight.socket.close()
                    size += flight.size
    passed = time.perf_counter() - began
    return Taken(passed, waits, size, cpu(pids) - before, time.process_time() - own)


def tree(*roots: int) -> list[int]:
    """Processes and all that they started."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            below.setdefault(parent, []).append(int(entry.parent.name))
    found = list(roots)
    for pid in found:
        found += below.get(pid, [])
    return found


def cpu(roots: list[int]) -> float:
    """The seconds of CPU that processes and all that they started have taken, also those gone."""
    total = 0
    for pid in tree(*roots):
        with suppress(OSError):
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, told[11:15]))
    return total / TICKS


def memory(pid: int, name: str) -> float:
    """Megabytes of a process: `RssAnon` is its own, `VmRSS` counts mapped files as well."""
    with suppress(OSError):
        found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
        return int(found[1]) * 1024 / 1e6 if found else 0.0
    return 0.0


class Peak:
    """The most megabytes that a process of those watched had, and that all had at one time."""

    def __init__(self) -> None:
        self.one = 0.0
        self.all = 0.0

    def look(self, root: int) -> None:
        """Look at a process and all that it started."""
        found = [memory(pid, "RssAnon") for pid in tree(root)]
        self.one = max(self.one, *found)
        self.all = max(self.all, sum(found))


@contextmanager
def watched(root: int) -> Iterator[Peak]:
    """Look at the memory of a process and all that it started, ten times a second."""
    peak = Peak()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            peak.look(root)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
