"""Writers at work while things fail, who note what became of everything that they wrote.

>>> with Writers(service.url, key) as writers:
...     writers.go_on(100)      # until 100 more writes were acknowledged
...     service.kill()
>>> writers.check(database)     # each acknowledged write is there once, no refused one is
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

from api import ledger
from api.exchange.imports import put_record
from api.ledger.verify import verify
from api.store.engine import Database
from api.store.migrate import upgrade
from api.unit import Unit
from tests.clients import BROKEN, PROBLEM, Answer, Client
from tests.processes import eventually
from tests.writing import a_record, new_key

WRITERS = 8
READERS = 2
RECORD = a_record("faults")
SHARED = f"statements/{RECORD['statements'][1]['id']}"
MARK = "Was marked "
EXPECTED = (200, 201, 412, 503)
PAUSE = 0.02  # seconds before another try, as a polite client makes


def prepared(url: str) -> str:
    """Migrate a database, put a call record into it, and make a key that may write."""
    upgrade(url)
    database = Database(url)
    with database.write() as connection:
        unit = Unit(connection, "tests")
        put_record(unit, a_record("faults"))
        unit.commit()
    database.close()
    return new_key(url, "write", "retract")


def statement(mark: str) -> dict[str, Any]:
    """A statement of that record as POST takes it, which carries the mark."""
    made: dict[str, Any] = a_record("faults")["statements"][0]
    del made["id"]
    return made | {"summary": MARK + mark}


class Writers:
    """Eight who write, two who read. The marks of their writes stand in the summaries.

    `acknowledged` are those answered with success, `refused` those answered otherwise, and
    `unsettled` those of which nobody said what became of them.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.unsettled: set[str] = set()
        self.posted: dict[str, str] = {}
        self.replayed = 0
        self.answers: Counter[int] = Counter()
        self.broken = 0
        self.strange: list[Any] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WRITERS + READERS)
        self._at_work: list[Future[None]] = []

    def __enter__(self) -> "Writers":
        self._at_work += [self._pool.submit(self._write, number) for number in range(WRITERS)]
        self._at_work += [self._pool.submit(self._read) for _ in range(READERS)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._pool.shutdown()

    def go_on(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more writes were acknowledged."""
        before = len(self.acknowledged)
        self.wait(lambda: len(self.acknowledged) >= before + more, f"{more} more writes", seconds)

    def refusals(self, more: int, status: int = 503) -> None:
        """Wait until so many more requests were refused."""
        before = self.answers[status]
        self.wait(lambda: self.answers[status] >= before + more, f"{more} more of {status}")

    def wait(self, happens: Callable[[], bool], what: str, seconds: float = 60) -> None:
        def so_far() -> bool:
            for one in self._at_work:
                if one.done():
                    one.result()
            return happens()

        eventually(so_far, f"{what}; so far {dict(self.answers)}, {self.broken} broken", seconds)

    def check(self, database_url: str) -> None:
        """See that the database holds what was promised, each once, and nothing else."""
        for one in self._at_work:
            one.result()
        assert not self.strange, self.strange[:5]
        assert self.acknowledged
        database = Database(database_url)
        with database.read() as connection:
            verdict = verify(connection)
            changes = [
                change.record["summary"].removeprefix(MARK)
                for change in ledger.changes(connection, 0, None)
                if change.record and change.record.get("summary", "").startswith(MARK)
            ]
        database.close()
        assert verdict.failed == 0, verdict.first
        found = Counter(changes)
        assert not [mark for mark, times in found.items() if times > 1]
        assert not self.acknowledged - found.keys()
        assert not self.refused & found.keys()
        assert not found.keys() - self.acknowledged - self.unsettled

    def check_reads(self) -> None:
        """See that each record that was made is read, once."""
        client = Client(self.url)
        answer = client.once("GET", "/v1/statements?format=ndjson&fields=id,summary")
        lines = [Answer(200, answer.headers, line).json for line in answer.body.splitlines()]
        assert lines.pop()["end"] is True
        read = {line["id"]: line["summary"].removeprefix(MARK) for line in lines}
        made = {one: mark for one, mark in read.items() if mark.startswith("post-")}
        assert self.posted.items() <= made.items()
        assert set(made.values()) - set(self.posted.values()) <= self.unsettled

    def _write(self, writer: int) -> None:
        client = Client(self.url, self.key, timeout=90)
        own: str | None = None
        turn = 0
        while not self._stop.is_set():
            turn += 1
            own = self._post(client, f"post-{writer}-{turn}") or own
            if own:
                self._patch(client, SHARED if turn % 4 == 0 else own, f"patch-{writer}-{turn}")
        client.close()

    def _post(self, client: Client, mark: str) -> str | None:
        """POST until there is an answer: a second try after a broken one writes nothing twice."""
        headers = {"Idempotency-Key": mark}
        lost = False
        while True:
            answer = self._answer(client, "POST", "statements", statement(mark), headers)
            if answer is not None and answer.status == 201:
                made: str = answer.json["id"]
                with self._lock:
                    self.acknowledged.add(mark)
                    self.posted[f"{made}"] = mark
                    self.replayed += "Idempotent-Replayed" in answer.headers
                return f"statements/{made}"
            lost = lost or answer is None or unsettled(answer)
            if not lost or self._stop.is_set():
                (self.unsettled if lost else self.refused).add(mark)
                return None

    def _patch(self, client: Client, path: str, mark: str) -> None:
        seen = self._answer(client, "GET", path)
        if seen is None or seen.status != 200:
            return
        headers = {"If-Match": seen.headers["ETag"]}
        answer = self._answer(client, "PATCH", path, {"summary": MARK + mark}, headers)
        with self._lock:
            if answer is None or unsettled(answer):
                self.unsettled.add(mark)
            elif answer.status == 200:
                self.acknowledged.add(mark)
            else:
                self.refused.add(mark)

    def _read(self) -> None:
        client = Client(self.url, timeout=90)
        while not self._stop.is_set():
            self._answer(client, "GET", "statements?limit=5")
            self._answer(client, "GET", SHARED)
        client.close()

    def _answer(
        self,
        client: Client,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer | None:
        """Send a request; None where there came no answer, or only part of one."""
        try:
            answer = client.send(method, path, body, headers)
        except BROKEN:
            with self._lock:
                self.broken += 1
            self._stop.wait(PAUSE)
            return None
        with self._lock:
            self.answers[answer.status] += 1
            failed = answer.status >= 400
            if answer.status not in EXPECTED or (
                failed and answer.headers["Content-Type"] != PROBLEM
            ):
                self.strange.append((method, path, answer.status, answer.body[:500]))
        if answer.status == 503:
            self._stop.wait(PAUSE)
        return answer


def unsettled(answer: Answer) -> bool:
    """Whether it tells that the database went away, perhaps after it had written."""
    return answer.status == 503 and any(
        word in answer.json["detail"] for word in ("cannot be reached", "is gone", "was replaced")
    )
