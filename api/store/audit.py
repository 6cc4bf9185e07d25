"""Reading tables as they stand, whatever somebody put into them: for `readout verify`.

Values come as the database holds them, not as the column is declared: SQLite keeps any type in any
column, and even text that is none.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Select,
    SelectBase,
    Table,
    func,
    literal_column,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NULLTYPE

# Makes the log append-only, and keeps the full-text index of SQLite in step.
GUARDS = {
    "sqlite": ("revisions_stay", "revisions_are_kept", "revisions_are_appended"),
    "postgresql": ("revisions_stay", "revisions_are_kept"),
}
INDEX_GUARDS = ("delete", "update")
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'revisions'::regclass"
    " AND tgenabled IN ('O', 'A')",
}
# FTS5 compares an index with its words itself, but takes the lock of writers: so in a copy.
COPY = """
CREATE TABLE audit.copied (n INTEGER PRIMARY KEY, words TEXT);
INSERT INTO audit.copied SELECT n, words FROM main.{kind};
CREATE VIRTUAL TABLE audit.copied_search
    USING fts5(words, content='copied', content_rowid='n', tokenize='ascii');
DELETE FROM audit.copied_search_data;
INSERT INTO audit.copied_search_data SELECT * FROM main.{kind}_search_data;
DELETE FROM audit.copied_search_idx;
INSERT INTO audit.copied_search_idx SELECT * FROM main.{kind}_search_idx;
DELETE FROM audit.copied_search_docsize;
INSERT INTO audit.copied_search_docsize SELECT * FROM main.{kind}_search_docsize;
DELETE FROM audit.copied_search_config;
INSERT INTO audit.copied_search_config SELECT * FROM main.{kind}_search_config;
INSERT INTO audit.copied_search(copied_search, rank) VALUES ('integrity-check', 1)
"""
VOCABULARY = "CREATE VIRTUAL TABLE temp.audited USING fts5vocab(main, {kind}_search, instance)"
INDEXED = 'SELECT doc, term FROM temp.audited ORDER BY doc, "offset"'
WORDS = "SELECT n, id, words FROM main.{kind} ORDER BY n"


@contextmanager
def as_it_is(connection: Connection) -> Iterator[None]:
    """Read text also where it is not UTF-8, and take as long as it takes."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield
        return
    driver: Any = connection.connection.driver_connection
    usual, driver.text_factory = driver.text_factory, _lenient
    try:
        yield
    finally:
        driver.text_factory = usual


def _lenient(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def raw(table: Table, *names: str) -> Select[*tuple[Any, ...]]:
    """Select columns, all unless some are named, without making of their values what they are."""
    wanted: Sequence[Column[Any]] = [table.c[name] for name in names] or list(table.c)
    return select(*(type_coerce(column, NULLTYPE).label(column.name) for column in wanted))


def between(
    found: Select[*tuple[Any, ...]], key: Column[Any], low: Any, high: Any
) -> Select[*tuple[Any, ...]]:
    """Those whose key lies after `low` and up to `high`; None is no bound."""
    if low is not None:
        found = found.where(key > low)
    return found if high is None else found.where(key <= high)


def differing(connection: Connection, table: Table, wanted: SelectBase) -> Iterator[str]:
    """Where a table does not hold the rows that a SELECT makes, in the order of its key."""
    keys = len(table.primary_key)
    sides = enumerate((wanted.subquery("wanted"), raw(table).subquery("found")))
    named = [select(*rows.c, literal_column(str(side)).label("side")) for side, rows in sides]
    *columns, side = union_all(*named).subquery("both").c
    once = select(*columns, func.min(side)).group_by(*columns).having(func.count() == 1)
    rows = connection.execute(once.order_by(*columns[:keys])).all()
    for key, found in groupby(rows, lambda row: row[:keys]):
        held = {row[-1]: row[keys:-1] for row in found}
        yield f"its row {tuple(key)} holds {held.get(1, 'nothing')}, not {held.get(0, 'nothing')}"


def same_words(dialect: str, wanted: str, found: Any) -> bool:
    """Whether the column `words` holds what it should; PostgreSQL sorts what it is given."""
    if dialect == "sqlite" or not isinstance(found, str):
        return bool(found == wanted)
    return sorted(found.split(" ")) == sorted(wanted.split(" "))


def missing_guards(connection: Connection, searched: Sequence[Table]) -> list[str]:
    """The triggers that should be there and are not."""
    dialect = connection.dialect.name
    there = set(connection.scalars(text(TRIGGERS[dialect])))
    wanted = list(GUARDS[dialect])
    if dialect == "sqlite":
        wanted += [f"{table.name}_search_{when}" for table in searched for when in INDEX_GUARDS]
    return [name for name in wanted if name not in there]


def out_of_index(connection: Connection, table: Table) -> Iterator[tuple[str | None, str]]:
    """Where the full-text index of SQLite differs from the column `words`: the id, and why."""
    if connection.dialect.name != "sqlite":
        return
    read_only = connection.exec_driver_sql("PRAGMA query_only").scalar()
    connection.exec_driver_sql("PRAGMA query_only=OFF")  # What is written below is thrown away.
    try:
        _attach(connection)
        if not _copy_agrees(connection, table.name):
            yield from _misindexed(connection, table.name)
    except DBAPIError as error:
        yield None, f"its full-text index cannot be read: {error.orig}"
    finally:
        for name in ("audit.copied_search", "audit.copied", "temp.audited"):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        connection.exec_driver_sql(f"PRAGMA query_only={read_only}")


def _attach(connection: Connection) -> None:
    """Have a file for the copy, which nobody else can open, and which goes with the connection.

    Temporary tables will not do: some builds of SQLite keep them in memory, whatever their size.
    """
    attached = [row[1] for row in connection.exec_driver_sql("PRAGMA database_list")]
    if "audit" not in attached:
        with TemporaryDirectory(prefix="readout-") as folder:
            connection.exec_driver_sql("ATTACH DATABASE ? AS audit", (f"{folder}/audit",))
            connection.exec_driver_sql("PRAGMA audit.journal_mode=MEMORY")


def _copy_agrees(connection: Connection, kind: str) -> bool:
    *copied, checked = COPY.format(kind=kind).strip().split(";\n")
    for statement in copied:
        connection.exec_driver_sql(statement)
    try:
        connection.exec_driver_sql(checked)
    except DBAPIError:
        return False
    return True


def _misindexed(connection: Connection, kind: str) -> Iterator[tuple[str | None, str]]:
    """Go through the index word by word, which takes longer, to name the records."""
    connection.exec_driver_sql(VOCABULARY.format(kind=kind))
    indexed = _grouped(connection.exec_driver_sql(INDEXED))
    none = "its full-text index has row {}, which is none of the table"
    at = next(indexed, None)
    named = False
    for n, record_id, words in connection.exec_driver_sql(WORDS.format(kind=kind)):
        while at is not None and at[0] < n:
            named = True
            yield None, none.format(at[0])
            at = next(indexed, None)
        found = ""
        if at is not None and at[0] == n:
            found = at[1]
            at = next(indexed, None)
        if found != words:
            named = True
            yield str(record_id), "the full-text index differs from its words"
    while at is not None:
        named = True
        yield None, none.format(at[0])
        at = next(indexed, None)
    if not named:
        yield None, "its full-text index is damaged"


def _grouped(found: Iterable[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """The words of each row of an index, joined as the column `words` joins them."""
    doc: int | None = None
    terms: list[str] = []
    for here, term in found:
        if here != doc:
            if doc is not None:
                yield doc, " ".join(terms)
            doc, terms = here, []
        terms.append(term)
    if doc is not None:
        yield doc, " ".join(terms)
