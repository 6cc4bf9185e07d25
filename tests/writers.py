"""Writers at work while things fail, who note what became of everything that they wrote.

>>> with Writers(service.url, key) as writers:
...     writers.go_on(100)      # until 100 more writes were acknowledged
...     service.kill()
>>> writers.check(database)     # each acknowledged write is there once, no refused one is
"""

import json
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
from tests.call_records import a_record
from tests.clients import BROKEN, PROBLEM, Answer, Client
from tests.processes import eventually
from tests.writing import new_key

WRITERS = 8
READERS = 2
RECORD = a_record("faults")
SHARED = f"statements/{RECORD['statements'][1]['id']}"
MARK = "Was marked "
ACKNOWLEDGED, REFUSED, UNSETTLED = "acknowledged", "refused", "unsettled"
# The database went, perhaps only after it had written.
GONE = ("cannot be reached", "is gone", "was replaced")
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


def verified(url: str) -> Counter[str]:
    """See that the log and the tables hold, and count the marks in the log."""
    database = Database(url)
    with database.read() as connection:
        verdict = verify(connection)
        summaries = [
            change.record.get("summary", "")
            for change in ledger.changes(connection, 0, None)
            if change.record
        ]
    database.close()
    assert verdict.failed == 0, verdict.first
    assert verdict.records
    return Counter(summary.removeprefix(MARK) for summary in summaries if summary.startswith(MARK))


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
        self.posted: set[str] = set()
        self.replayed = 0
        self.answers: Counter[int] = Counter()
        self.broken = 0
        self.without_hope = 0  # 503 that do not say when to try again
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

    def reads(self, more: int) -> None:
        """Wait until so many more reads were answered."""
        before = self.answers[200]
        self.wait(lambda: self.answers[200] >= before + more, f"{more} more reads")

    def wait(self, happens: Callable[[], bool], what: str, seconds: float = 60) -> None:
        def so_far() -> bool:
            for one in self._at_work:
                if one.done():
                    one.result()
            return happens()

        eventually(so_far, f"{what}; so far {dict(self.answers)}, {self.broken} broken", seconds)

    def check(self, database_url: str) -> set[str]:
        """See that the database holds what was promised, each once, and nothing else.

        Gives the marks of what was written though nobody was told so.
        """
        for one in self._at_work:
            one.result()
        assert not self.strange, self.strange[:5]
        assert self.acknowledged
        found = verified(database_url)
        assert not [mark for mark, times in found.items() if times > 1]
        assert not self.acknowledged - found.keys()
        assert not self.refused & found.keys()
        untold = found.keys() - self.acknowledged
        assert not untold - self.unsettled
        return untold

    def check_reads(self) -> None:
        """See that each statement that was made is read, and no other."""
        answer = Client(self.url).once("GET", "/v1/statements?format=ndjson&fields=id")
        *read, end = map(json.loads, answer.body.splitlines())
        assert end["end"] is True
        found = {one["id"] for one in read} - {one["id"] for one in RECORD["statements"]}
        assert len(found) == len(read) - len(RECORD["statements"])
        assert not self.posted - found
        assert len(found - self.posted) <= len(self.unsettled)

    def told(self) -> str:
        """How it went, in figures."""
        return (
            f"{len(self.acknowledged)} acknowledged, {len(self.refused)} refused,"
            f" {len(self.unsettled)} unsettled, {self.replayed} replayed,"
            f" {self.broken} broken, answers {dict(self.answers)}"
        )

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
        """POST until it is settled: a second try after a broken one writes nothing twice."""
        headers = {"Idempotency-Key": mark}
        lost = False
        while True:
            fate, answer = self._try(client, "POST", "statements", statement(mark), headers)
            if fate == ACKNOWLEDGED and answer is not None:
                made: str = answer.json["id"]
                with self._lock:
                    self.acknowledged.add(mark)
                    self.posted.add(made)
                    self.replayed += "Idempotent-Replayed" in answer.headers
                return f"statements/{made}"
            lost = lost or fate == UNSETTLED
            if not lost or self._stop.is_set():
                (self.unsettled if lost else self.refused).add(mark)
                return None

    def _patch(self, client: Client, path: str, mark: str) -> None:
        _, seen = self._try(client, "GET", path)
        if seen is None or seen.status != 200:
            return
        headers = {"If-Match": seen.headers["ETag"]}
        fate, _ = self._try(client, "PATCH", path, {"summary": MARK + mark}, headers)
        with self._lock:
            {
                ACKNOWLEDGED: self.acknowledged,
                REFUSED: self.refused,
                UNSETTLED: self.unsettled,
            }[fate].add(mark)

    def _read(self) -> None:
        client = Client(self.url, timeout=90)
        while not self._stop.is_set():
            self._try(client, "GET", "statements?limit=5")
            self._try(client, "GET", SHARED)
            self._stop.wait(PAUSE / 2)
        client.close()

    def _try(
        self,
        client: Client,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[str, Answer | None]:
        """Send a request; what became of it, and the answer, if one came."""
        try:
            answer = client.send(method, path, body, headers)
        except BROKEN as fault:
            with self._lock:
                self.broken += 1
            refused = isinstance(fault, ConnectionRefusedError)
            self._stop.wait(5 * PAUSE if refused else PAUSE)
            return REFUSED if refused else UNSETTLED, None
        with self._lock:
            self.answers[answer.status] += 1
            if not as_promised(answer):
                self.strange.append((method, path, answer))
        if answer.status < 300:
            return ACKNOWLEDGED, answer
        if answer.status in (503, 507):
            self.without_hope += "Retry-After" not in answer.headers
            self._stop.wait(PAUSE)
            if any(word in answer.json["detail"] for word in GONE):
                return UNSETTLED, answer
        return REFUSED, answer


def as_promised(answer: Answer) -> bool:
    """Whether an answer is one of those that the contract has for such times."""
    if answer.status in (200, 201):
        return True
    return answer.status in (412, 503, 507) and answer.headers["Content-Type"] == PROBLEM
