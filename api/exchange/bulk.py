"""Putting very many call records: checked in processes beside, written in large transactions.

Each call record is all or nothing, as one that comes alone. All that it shares with others is the
transaction: where one of them is refused, that is undone, and they are put again by halves.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any, NamedTuple

from api.exchange.documents import MANY, Malformed, Unreadable, load, parse
from api.exchange.drafts import DRAFTED, drafts
from api.exchange.imports import SHARED, Retracted, import_record, put_new
from api.exchange.workers import ahead
from api.store.counts import together
from api.store.engine import Database
from api.store.rows import Draft
from api.unit import Rejected, Unit
from schemas.problem import Fault

PIECE = 1 << 20  # bytes, about seven hundred statements
HELD = 2.0  # seconds that others wait to write, at most
FEW_COLLECTIONS = 100_000
UNDRAFTED = tuple(kind for kind in SHARED if kind not in DRAFTED)


class Text(NamedTuple):
    """The text of a call record, and its line in the file, 0 where it is all of the file."""

    line: int
    body: bytes
    yaml: bool = False


@dataclass(frozen=True)
class Checked:
    """What a call record comes to: participants and topics, drafts of the rest, if any; or what is
    wrong with it."""

    line: int
    call: str | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Fate:
    """What became of a call record: `created, unchanged, replaced` or `failed`, and why."""

    line: int
    call: str | None
    fate: str
    statements: int = 0
    faults: tuple[Fault, ...] = ()


Piece = tuple[list[Text], list[Checked]]


def check(texts: list[Text], dialect: str) -> list[Checked]:
    """What can be done for call records without the database."""
    return [_checked(text, dialect) for text in texts]


def _checked(text: Text, dialect: str) -> Checked:
    call = None
    try:
        parsed = parse(text.body, yaml=text.yaml)
        call = call_in(parsed)
        document = load(parsed, MANY)
    except Unreadable as error:
        return Checked(text.line, faults=(Fault("", str(error)),))
    except Malformed as error:
        return Checked(text.line, call, faults=tuple(error.faults))
    shared = {kind: document[kind] for kind in UNDRAFTED}
    return Checked(text.line, call, shared, drafts(document, dialect))


def call_in(parsed: Any) -> str | None:
    """The id of the call, as far as a document has one."""
    match parsed:
        case {"call": {"id": str(call)}}:
            return call
    return None


class Importer:
    """Puts call records into a database, in their order, for an actor."""

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
        self.check = partial(check, dialect=database.dialect)
        self.unit = partial(Unit, actor=actor, reason=reason)
        self.put_new = partial(put_new, update_shared=update_shared)
        self.put = partial(import_record, replace=replace, update_shared=update_shared)

    def run(self, texts: Iterable[Text]) -> Iterator[Fate]:
        """The fates of call records, in order, each told once it is on the disk."""
        made = ahead(self.check, _pieces(texts), fewer_collections)
        with fewer_collections(), closing(made) as pieces:
            for piece in pieces:
                yield from self._in_one_go(chain([piece], _for_a_while(pieces)))

    def _in_one_go(self, pieces: Iterable[Piece]) -> Iterator[Fate]:
        """Put pieces in one transaction; where a call record is refused, by halves."""
        taken: list[Text] = []
        fates: list[Fate] = []
        try:
            with self.database.write() as connection, together(connection):
                for texts, checked in pieces:
                    taken += texts
                    unit = self.unit(connection)
                    _gather(unit, checked)
                    fates += map(partial(self._fate, unit), texts, checked)
                    unit.commit()
        except (Rejected, Retracted) as refusal:
            half = len(taken) // 2
            if half == 0:
                yield self._failed(taken[0], refusal)
                return
            for part in (taken[:half], taken[half:]):
                yield from self._in_one_go([(part, self.check(part))])
        else:
            yield from fates

    def _fate(self, unit: Unit, text: Text, one: Checked) -> Fate:
        if one.faults:
            return Fate(one.line, one.call, "failed", faults=one.faults)
        if self.put_new(unit, one.shared, one.drafts):
            statements = sum(draft.kind == "statements" for draft in one.drafts)
            return Fate(one.line, one.call, "created", statements)
        document = load(parse(text.body, yaml=text.yaml), MANY)
        return Fate(one.line, one.call, self.put(unit, document), len(document["statements"]))

    def _failed(self, text: Text, refusal: Rejected | Retracted) -> Fate:
        [one] = self.check([text])
        told = refusal.faults if isinstance(refusal, Rejected) else [Fault("/call", f"{refusal}.")]
        return Fate(one.line, one.call, "failed", faults=tuple(told))


def _gather(unit: Unit, checked: list[Checked]) -> None:
    """Look up together how all that call records consist of stands."""
    for kind in UNDRAFTED:
        unit.gather(
            kind, [written["id"] for one in checked for written in one.shared.get(kind, ())]
        )
    for kind in DRAFTED:
        made = (draft for one in checked for draft in one.drafts)
        unit.gather(kind, [draft.id for draft in made if draft.kind == kind])


def _pieces(texts: Iterable[Text]) -> Iterator[list[Text]]:
    piece: list[Text] = []
    size = 0
    for text in texts:
        piece.append(text)
        size += len(text.body)
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _for_a_while(pieces: Iterator[Piece]) -> Iterator[Piece]:
    until = monotonic() + HELD
    while monotonic() < until and (piece := next(pieces, None)):
        yield piece


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Look for cycles among new objects seldom: records are trees, of so many parts that looking
    takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(FEW_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
