"""Watching servers: which of them answers, and how far a standby is behind its primary.

The log of changes tells. A standby that has the primary's newest change has all that came before,
and by the digest the very same: each covers the one before. So no clock is compared with another
machine's; while nothing is written nobody is behind; one that receives nothing any more is behind
from the next write on; and a server of other records is found out. While the primary does not
answer, nobody is behind what is known of it.

Each server is asked twice a second by a thread of its own, over a connection that it keeps.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import Any, NamedTuple, Protocol

import psycopg
from sqlalchemy import URL, Connection, Engine, Row, TextClause, event, text
from sqlalchemy.exc import SQLAlchemyError

from api.store.faults import fault
from api.store.postgresql import Server

EVERY = 0.5  # seconds from one answer to the next question
# Seconds that an answer may take. A read waits for a server that stopped until the next question to
# it has taken as long: two seconds at the worst.
PATIENCE = 1.5
# Seconds that what was found holds where no more is found out, as when this process stood still.
HOLDS = 2 * (EVERY + PATIENCE)
KEPT = 150  # changes that the primary was last seen at: of more than a minute

UNKNOWN, USED, LAGGING, UNREACHABLE, DIVERGED, PRIMARY = (
    "unknown", "used", "lagging", "unreachable", "diverged", "primary",
)  # fmt: skip

# The newest change, or the newest of some; 0 where there is none.
_QUESTION = """
SELECT coalesce(seq, 0), coalesce(digest, ''), version_num, pg_is_in_recovery()
FROM alembic_version LEFT JOIN LATERAL (
    SELECT seq, digest FROM revisions WHERE {} ORDER BY seq DESC LIMIT 1
) AS newest ON true
"""
NEWEST = text(_QUESTION.format("true"))
NEWEST_OF = text(_QUESTION.format("seq = ANY (CAST(:known AS bigint[]))"))

log = logging.getLogger("readout")


class Impatient(Server):
    """A server whose answers are waited for only until `given_up` says so.

    One that was stopped, or whose machine is gone, says nothing: to whoever waits for it, it looks
    like one that is busy.
    """

    def __init__(self, url: URL, given_up: Callable[[], bool]) -> None:
        super().__init__(url, PATIENCE, migrating=False)
        self.given_up = given_up

    def plain_engine(self) -> Engine:
        """Make an engine that begins no transactions."""
        engine = super().plain_engine()

        @event.listens_for(engine, "do_connect")
        def _(_dialect: Any, _record: Any, _: Any, options: dict[str, Any]) -> Heeding:
            if self.given_up():
                raise psycopg.OperationalError("the server does not answer")
            connection = Heeding.connect(**options)
            connection.given_up = self.given_up
            return connection

        return engine


class Heeding(psycopg.Connection[Any]):
    """A connection that waits for its server until it is given up."""

    given_up: Callable[[], bool] = staticmethod(lambda: False)

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait as psycopg does."""
        return super().wait(self._heeding(gen), *args, **options)

    def _heeding(self, gen: Any) -> Generator[Any, Any, Any]:
        """Step in each time that nothing came for a tenth of a second."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and self.given_up():
                    self.close()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


class Probe:
    """The connection over which a server is asked, made anew after each failure."""

    def __init__(self, url: URL) -> None:
        self._engine = Impatient(url, self.late).plain_engine()
        self._connection: Connection | None = None
        self._until = 0.0

    def late(self) -> bool:
        """Whether the answer is overdue."""
        return monotonic() > self._until

    def ask(self, question: TextClause, **values: Any) -> Row[*tuple[Any, ...]]:
        """Ask, and wait no longer than `PATIENCE`."""
        self._until = monotonic() + PATIENCE
        try:
            self._connection = self._connection or self._engine.connect()
            return self._connection.execute(question, values).one()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class Head(NamedTuple):
    """The newest change of the primary, and when it was last seen to be that."""

    seq: int
    digest: bytes
    seen: float


class Watched:
    """What is known of one standby. `silent` where it gives no answer, not even a refusal."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = f"{url.host}:{url.port}" if url.port else str(url.host)
        self.state = UNKNOWN
        self.lag: float | None = None
        self.silent = False
        self.until = 0.0  # when it holds no longer
        self.had: float | None = None  # when the primary was last seen to have no more than this

    def usable(self, now: float) -> bool:
        """Whether it may be read from."""
        return self.state == USED and now < self.until

    def found(self, state: str, why: str = "", lag: float | None = None) -> None:
        """Note its state and its lag in seconds, and tell of it where the state is a new one."""
        self.lag = lag
        before, self.state = self.state, state
        self.until = monotonic() + HOLDS
        if state == before:
            return
        if state == USED:
            log.info("Standby %s is read from.", self.name)
        else:
            log.warning("Standby %s is left out: %s%s", self.name, state, why and f": {why}")


class Figures(Protocol):
    """Where the figures of standbys go."""

    def standby_seen(self, host: str, lag: float, used: bool) -> None: ...
    def standby_read(self, host: str) -> None: ...
    def standby_failed(self, host: str) -> None: ...


class Watch:
    """Asks a primary and its standbys until it is told to end; `limit` is the lag allowed."""

    def __init__(
        self, primary: URL, standbys: Sequence[Watched], limit: float, figures: Figures | None
    ) -> None:
        self.limit = limit
        self.figures = figures
        self.heads: tuple[Head, ...] = ()
        self.version = ""
        self._ended = Event()
        looks: list[tuple[URL, Callable[[Probe], None]]] = [(primary, self._look_at_primary)]
        looks += [(one.url, partial(self._look_at, one)) for one in standbys]
        self._threads = [
            Thread(target=self._repeat, args=look, name="readout-watch", daemon=True)
            for look in looks
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, url: URL, look: Callable[[Probe], None]) -> None:
        probe = Probe(url)
        while not self._ended.is_set():
            look(probe)
            self._ended.wait(EVERY)
        probe.close()

    def _look_at_primary(self, probe: Probe) -> None:
        asked = monotonic()
        try:
            seq, digest, version, _ = probe.ask(NEWEST)
        except SQLAlchemyError:
            return
        # Fewer changes than before: another server was made the primary.
        earlier = tuple(head for head in self.heads if head.seq < seq)
        self.version = version
        self.heads = (*earlier[-KEPT:], Head(seq, digest, asked))

    def _look_at(self, standby: Watched, probe: Probe) -> None:
        heads = self.heads
        if not heads:
            return
        try:
            seq, digest, version, recovering = probe.ask(NEWEST_OF, known=[h.seq for h in heads])
        except SQLAlchemyError as error:
            standby.silent = probe.late()
            refusal = fault(error)
            standby.found(UNREACHABLE, refusal.said if refusal else type(error).__name__)
        else:
            standby.silent = False
            had = next((head for head in heads if head.seq == seq), None)
            if not recovering:
                standby.found(PRIMARY)
            elif had is not None and had.digest != digest:
                standby.found(DIVERGED, f"it has another change {seq} than the primary")
            else:
                self._judge(standby, had, heads[-1], version)
        if self.figures is not None:
            lag = float("inf") if standby.lag is None else standby.lag
            self.figures.standby_seen(standby.name, lag, standby.state == USED)

    def _judge(self, standby: Watched, had: Head | None, newest: Head, version: str) -> None:
        """Take in how far a standby has come."""
        if had is not None:
            standby.had = had.seen
        lag = None if standby.had is None else monotonic() - standby.had
        if had is newest:
            lag = 0.0
        if version != self.version:
            standby.found(LAGGING, f"its tables are at revision {version}", lag)
        elif lag is None:
            standby.found(LAGGING, "it has yet to reach the primary")
        elif lag > self.limit:
            standby.found(LAGGING, f"by {lag:.1f} s", lag)
        else:
            standby.found(USED, lag=lag)
