"""Whether the current tables hold what follows from the log, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, SelectBase, Table, bindparam, select

from api.ledger import table as log
from api.ledger.chain import Finding, parsed
from api.ledger.lives import STANDS, Life, lives
from api.store import audit, counts
from api.store.kinds import KINDS
from api.store.rows import Prepared, prepare
from schemas.base import View, Written, completed
from schemas.record import WRITTEN

AT_ONCE = 500  # records, or as many as have so many bytes of log:
BYTES_AT_ONCE = 4 << 20
MOST_KEPT = 10_000
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
"""What making a row raises where the log holds what no version of the schemas let through."""


NEWEST = (
    select(log.c.action, log.c.bytes)
    .where(log.c.kind == bindparam("kind"), log.c.id == bindparam("id"))
    .order_by(log.c.revision.desc())
    .limit(1)
)
Rows = dict[Any, list[Row[*tuple[Any, ...]]]]


class Underivable(Exception):
    """The log does not tell what a record should be."""


class Derived:
    """Records as they should be, made from the log alone; some that were named are kept."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self._views: dict[tuple[str, str], View] = {}

    def prepared(self, life: Life) -> Prepared:
        """The rows that a record should have."""
        told = parsed(life.told)
        if told is None:
            raise Underivable(f"change {life.seq} cannot be read")
        return self._prepared(life.kind, told, life.created_at)

    def look(self, kind: str, record_id: str) -> View:
        """A record that another names, as it should be read, but for when it was created."""
        key = (kind, record_id)
        found = self._views.get(key)
        if found is None:
            found = self._last(kind, record_id)
            if len(self._views) >= MOST_KEPT:
                self._views.clear()
            self._views[key] = found
        return found

    def _last(self, kind: str, record_id: str) -> View:
        last = self.connection.execute(NEWEST, {"kind": kind, "id": record_id}).first()
        told = parsed(last.bytes) if last and last.action in STANDS else None
        if told is None:
            raise Underivable(f"it names {kind}/{record_id}, which by the log does not stand")
        return self._prepared(kind, told, None).view

    def _prepared(self, kind: str, told: dict[str, Any], created_at: str | None) -> Prepared:
        stamps = {
            "revision": told["revision"],
            "created_at": created_at,
            "updated_at": told["at"],
        }
        written: Written = completed(WRITTEN[kind], told["record"])
        return prepare(kind, written, stamps, self.look, self.dialect)


class Standing:
    """The tables of one kind, compared with what they should hold; `count` is how many stand."""

    def __init__(self, connection: Connection, kind: str, derived: Derived) -> None:
        self.connection = connection
        self.records = KINDS[kind]
        self.kind = kind
        self.derived = derived
        self.count = 0

    def findings(self) -> Iterator[Finding]:
        """What does not hold, in the order of ids."""
        low: str | None = None
        batch: list[Life] = []
        size = 0
        for life in lives(self.connection, self.kind):
            if len(batch) >= AT_ONCE or size > BYTES_AT_ONCE:
                high = batch[-1].id
                yield from self._compare(batch, low, high)
                low, batch, size = high, [], 0
            batch.append(life)
            size += len(life.told or b"")
            self.count += life.stands
        yield from self._compare(batch, low, None)
        if "words" in self.records.table.c:
            for record_id, why in audit.out_of_index(self.connection, self.records.table):
                yield Finding(f"{self.kind}/{record_id}" if record_id else self.kind, why)

    def _compare(self, batch: list[Life], low: str | None, high: str | None) -> Iterator[Finding]:
        """Compare all that is in the tables between two ids with what the log knows there."""
        names = self.records.names
        rows = self._fetched(self.records.table, "id", low, high)
        links = {
            link: self._fetched(link, "record", low, high, "ordinal") for link in self.records.links
        }
        slugs = {} if names is None else self._fetched(names, "record", low, high, "slug")
        for life in batch:
            wrong = list(life.wrong)
            found = rows.pop(life.id, [])
            hanging = {link: of.pop(life.id, []) for link, of in links.items()}
            named = slugs.pop(life.id, [])
            if life.stands:
                wrong += self._differing(life, found, hanging, named)
            elif found or named or any(hanging.values()):
                wrong.append(f"it stands, but was gone with change {life.seq} ({life.action!r})")
            if wrong:
                yield Finding(f"{self.kind}/{life.id}", "; ".join(wrong))
        unknown: dict[Any, list[str]] = {}
        for table, left in [(self.records.table, rows), *links.items(), (names, slugs)]:
            for record_id in left:
                unknown.setdefault(record_id, []).append(str(table))
        for record_id, tables in unknown.items():
            why = f"the log does not know it, but there are rows of it in {', '.join(tables)}"
            yield Finding(f"{self.kind}/{record_id}", why)

    def _fetched(
        self, table: Table, key: str, low: str | None, high: str | None, then: str = "n"
    ) -> Rows:
        """The rows between two ids, by id, each with its columns in the order of the table."""
        place = list(table.c).index(table.c[key])
        found = audit.between(audit.raw(table), table.c[key], low, high)
        grouped: Rows = defaultdict(list)
        for row in self.connection.execute(found.order_by(table.c[key], table.c[then])).all():
            grouped[row[place]].append(row)
        return grouped

    def _differing(
        self,
        life: Life,
        found: Sequence[Row[*tuple[Any, ...]]],
        hanging: dict[Table, list[Row[*tuple[Any, ...]]]],
        named: Sequence[Row[*tuple[Any, ...]]],
    ) -> Iterator[str]:
        """Where the rows of a record are not as they should be."""
        by = f"by revision {life.revision} (change {life.seq})"
        if len(found) != 1:
            yield f"it does not stand, but should {by}" if not found else "it stands twice"
            return
        try:
            wanted = self.derived.prepared(life)
        except Underivable as error:
            yield str(error)
            return
        except MALFORMED as error:
            yield f"no row follows from change {life.seq}: {error!r}"
            return
        row = found[0]._mapping
        for name in [name for name, value in wanted.row.items() if row[name] != value]:
            value = wanted.row[name]
            if name == "view":
                yield from _view(value, row["view"], by)
            elif name == "words":
                if not audit.same_words(self.derived.dialect, value, row["words"]):
                    yield f"its words are not those {by}"
            else:
                yield f"the column {name} holds {_shown(row[name])}, not {_shown(value)} {by}"
        for link, rows in hanging.items():
            if rows != wanted.links[link.name]:
                yield f"its rows in {link} are not those {by}"
        if {one.slug for one in named} != set(wanted.names):
            yield f"the names that find it are not those {by}"


def following(connection: Connection) -> Iterator[Finding]:
    """Where counters, and what is gathered, do not follow from the records, which do stand."""
    for records in KINDS.values():
        wanted: list[tuple[Table, SelectBase]] = []
        if records.counts:
            wanted.append((counts.table, records.counts.recounted()))
        if records.gathering:
            wanted.append((records.gathering.table, records.gathering.regathered()))
        for table, rows in wanted:
            for why in audit.differing(connection, table, rows):
                yield Finding(str(table), why)


def _view(wanted: str, found: Any, by: str) -> Iterator[str]:
    read, right = parsed(found), orjson.loads(wanted)
    if read is None:
        yield "its view is no JSON object"
    elif read != right:
        names = [name for name in {**right, **read} if read.get(name) != right.get(name)]
        yield f"its view differs in {', '.join(names[:5])} from that {by}"
    elif len(found) != len(wanted):  # Members in another order say the same; one twice does not.
        yield f"its view is written otherwise than that {by}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
