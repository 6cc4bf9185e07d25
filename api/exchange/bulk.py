"""Putting very many call records: checked in processes beside, written in large transactions.

Each call record is all or nothing, as one that comes alone. What it shares with others is only the
transaction: where one of a piece fails, the piece is undone, and its records are put one by one.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import parent_process
from time import monotonic
from typing import Any

from api.exchange.documents import MANY, Malformed, load
from api.exchange.drafts import Drafts, drafts
from api.exchange.imports import Retracted, gather, import_record
from api.store.engine import Database
from api.unit import Rejected, Unit
from schemas import json_text
from schemas.problem import Fault

PIECE = 1 << 19  # bytes of lines, a few hundred statements
HELD = 2  # seconds for which others wait to write, at most
MOST_WORKERS = 4

Line = tuple[int, bytes]


@dataclass(frozen=True)
class Checked:
    """A line with what it holds, or what is wrong with it."""

    line: int
    call: str | None = None
    document: dict[str, Any] = field(default_factory=dict)
    drafts: Drafts = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Fate:
    """What became of a call record: `created, unchanged, replaced` or `failed`, and why."""

    line: int
    call: str | None
    fate: str
    statements: int = 0
    faults: tuple[Fault, ...] = ()


def check(lines: list[Line], dialect: str) -> list[Checked]:
    """What can be done for call records without the database."""
    return [_checked(line, text, dialect) for line, text in lines]


def _checked(line: int, text: bytes, dialect: str) -> Checked:
    call = None
    try:
        parsed = json_text.parse(text)
        call = id_in(parsed)
        document = load(parsed, MANY)
    except json_text.NotJson as error:
        return Checked(line, faults=(Fault("", f"Is not JSON: {error}."),))
    except Malformed as error:
        return Checked(line, call, faults=tuple(error.faults))
    return Checked(line, call, document, drafts(document, dialect))


def id_in(document: Any) -> str | None:
    """The id of the call, as far as the document has one."""
    match document:
        case {"call": {"id": str(call)}}:
            return call
    return None


class Importer:
    """Puts call records on a database for an actor, in their order."""

    def __init__(
        self,
        database: Database,
        actor: str,
        reason: str | None = None,
        *,
        replace: bool = False,
        update_shared: bool = False,
    ) -> None:
        self.database = database
        self.actor = actor
        self.reason = reason
        self.replace = replace
        self.update_shared = update_shared

    def lines(self, lines: Iterable[Line]) -> Iterator[Fate]:
        """The fates of the lines, in order, each told once it is on the disk."""
        pieces = _pieces(lines)
        first = next(pieces, [])
        second = next(pieces, None)
        if second is None:
            yield from self.put([check(first, self.database.dialect)])
            return
        with _workers() as pool:

            def begin(piece: list[Line]) -> Future[list[Checked]]:
                return pool.submit(check, piece, self.database.dialect)

            yield from self.put(_ahead(begin, chain([first, second], pieces)))

    def put(self, pieces: Iterable[list[Checked]]) -> Iterator[Fate]:
        """The fates of records that were checked, each told once it is on the disk."""
        waiting = iter(pieces)
        for first in waiting:
            yield from self._in_one_go(chain([first], _for_a_while(waiting)))

    def _in_one_go(self, pieces: Iterable[list[Checked]]) -> Iterator[Fate]:
        """Put pieces in one transaction, or, where a record is refused, by halves."""
        taken: list[Checked] = []
        fates: list[Fate] = []
        try:
            with self.database.write() as connection:
                unit = Unit(connection, self.actor, self.reason)
                for piece in pieces:
                    taken += piece
                    gather(unit, [one.document for one in piece if not one.faults])
                    fates += [self._one(unit, one) for one in piece]
                    unit.flush()
                unit.commit()
        except (Rejected, Retracted) as error:
            half = len(taken) // 2
            if half:
                yield from self._in_one_go([taken[:half]])
                yield from self._in_one_go([taken[half:]])
            else:
                yield _failed(taken[0], error)
        else:
            yield from fates

    def _one(self, unit: Unit, one: Checked) -> Fate:
        if one.faults:
            return Fate(one.line, one.call, "failed", faults=one.faults)
        fate = import_record(
            unit,
            one.document,
            replace=self.replace,
            update_shared=self.update_shared,
            drafts=one.drafts,
        )
        return Fate(one.line, one.call, fate, len(one.document["statements"]))


def _for_a_while(pieces: Iterator[list[Checked]]) -> Iterator[list[Checked]]:
    until = monotonic() + HELD
    while monotonic() < until and (piece := next(pieces, None)):
        yield piece


def _failed(one: Checked, error: Rejected | Retracted) -> Fate:
    faults = error.faults if isinstance(error, Rejected) else [Fault("/call/id", f"It {error}.")]
    return Fate(one.line, one.call, "failed", faults=tuple(faults))


def _pieces(lines: Iterable[Line]) -> Iterator[list[Line]]:
    piece: list[Line] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line[1])
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _ahead(
    begin: Callable[[list[Line]], Future[list[Checked]]], pieces: Iterator[list[Line]]
) -> Iterator[list[Checked]]:
    """The results in order, a few of them worked on ahead, and no more."""
    under_way: deque[Future[list[Checked]]] = deque()
    for piece in pieces:
        under_way.append(begin(piece))
        if len(under_way) > 2 * MOST_WORKERS:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _workers() -> ProcessPoolExecutor:
    count = min(os.cpu_count() or 1, MOST_WORKERS)
    return ProcessPoolExecutor(count, initializer=_leave_signals_to_the_parent)


def _leave_signals_to_the_parent() -> None:
    """A worker ends with its parent, whatever ends that; Ctrl-C reaches all on a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()
