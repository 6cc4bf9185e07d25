"""HTTP clients of the tests that need many at once, each with one connection that it keeps."""

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

# What comes instead of an answer where the other end is gone.
BROKEN = (OSError, http.client.HTTPException)
PROBLEM = "application/problem+json"


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, str]:
        """The status of a problem and its kind."""
        assert self.headers["Content-Type"] == PROBLEM, (self.status, self.body)
        return self.status, self.json["type"].removeprefix("/problems#")


class Client:
    """A client with a key. Paths that do not begin with / are below /v1."""

    def __init__(self, url: str, key: str | None = None, timeout: float = 60) -> None:
        parts = urlsplit(url)
        self.key = key
        self.connection = http.client.HTTPConnection(
            str(parts.hostname), parts.port, timeout=timeout
        )

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request; raises what is BROKEN, once: the next request connects anew."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body)
        path = path if path.startswith("/") else f"/v1/{path}"
        try:
            self.connection.request(method, path, body, sent | (headers or {}))
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except BROKEN:
            self.connection.close()
            raise

    def once(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request over a connection of its own."""
        try:
            return self.send(method, path, body)
        finally:
            self.close()

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def tag(self, path: str) -> str:
        """The ETag of what is there."""
        answer = self.get(path)
        assert answer.status == 200, (path, answer)
        return str(answer.headers["ETag"])

    def connect(self) -> None:
        self.connection.connect()

    def close(self) -> None:
        self.connection.close()


def at_once(url: str, key: str | None, number: int, do: Callable[[Client, int], T]) -> list[T]:
    """Let many clients, connected already, do something at the same time."""
    ready = threading.Barrier(number)

    def run(place: int) -> T:
        client = Client(url, key)
        try:
            client.connect()
            ready.wait(30)
            return do(client, place)
        finally:
            client.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
