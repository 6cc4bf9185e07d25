"""What tables are made of: a table a kind of record, link tables for the lists that queries use.

A row holds the record as it is read (`view`, JSON text, made by the schema when the record or one
that it shows is written) beside the columns that the database constrains, filters and sorts by. A
**link** table carries the sort date of its record, so that a filtered page is a range of an index.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UnaryExpression,
    UniqueConstraint,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql import operators

from schemas.vocabulary import Vocabulary, codes

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_refers",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
    }
)

# Text sorts by code point on both databases.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# Folded words: text for FTS5's index on SQLite, a tsvector on PostgreSQL (see search.py).
WORDS = Text().with_variant(postgresql.TSVECTOR(), "postgresql")
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

DAYS = ("earliest", "latest")

Lists = Mapping[str, Sequence[Sequence[Any]]]
"""The rows of a record in link tables, by their names."""
TARGET, POSITION = 2, 3  # in such a row, after the record and the place in the list


def text(name: str, *, null: bool = False) -> Column[str]:
    """A column of text."""
    return Column(name, TEXT, nullable=null)


def flag(name: str, *, null: bool = False) -> Column[bool]:
    """A column of true and false."""
    return Column(name, Boolean, nullable=null)


def days() -> list[Column[str]]:
    """The earliest and latest possible day of the date that the record sorts by (ISO 8601 text)."""
    return [text(name, null=True) for name in DAYS]


def refers(
    name: str, target: Table, *, null: bool = False, primary_key: bool = False
) -> Column[str]:
    """A column that names a record of another table."""
    key = ForeignKey(target.c.id, deferrable=True, initially="DEFERRED")
    return Column(name, TEXT, key, nullable=null, primary_key=primary_key)


def among(name: str, vocabulary: Vocabulary) -> CheckConstraint:
    """The check that a column holds a code of its vocabulary."""
    listed = ", ".join(f"'{code}'" for code in codes(vocabulary))
    return CheckConstraint(f"{name} IN ({listed})", name=name)


def ordered(table: str, *columns: str) -> tuple[Index, Index]:
    """The index of an order by date, and the same of vague dates alone.

    Nothing else begins before a day and ends after it.
    """
    vague = sql("earliest <> latest")
    name = f"{table}_vague_by_{'_'.join(columns[:-3]) or 'day'}"
    return Index(None, *columns), Index(name, *columns, sqlite_where=vague, postgresql_where=vague)


def record(kind: str, *parts: Any, searched: bool = True) -> Table:
    """The table of a kind of record; `n` numbers its rows for the full-text index."""
    full_text = (
        Column("words", WORDS, nullable=False),
        Index(f"{kind}_search_words", "words", postgresql_using="gin").ddl_if("postgresql"),
    )
    return Table(
        kind,
        metadata,
        Column("n", NUMBER, primary_key=True, autoincrement=True),
        Column("id", TEXT, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("created_at", TEXT, nullable=False),
        Column("updated_at", TEXT, nullable=False),
        *parts,
        Column("view", Text, nullable=False),
        *(full_text if searched else ()),
        UniqueConstraint("id"),
        Index(None, "updated_at"),
        sqlite_autoincrement=True,
    )


def owned_by(owner: Table, *, primary_key: bool) -> Column[str]:
    """The column `record`, which names the record that a row belongs to and goes with."""
    key = ForeignKey(owner.c.id, ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    return Column("record", TEXT, key, primary_key=primary_key, nullable=False)


def listed(
    owner: Table, name: str, *columns: SchemaItem, by: Iterable[tuple[str, ...]] = ()
) -> Table:
    """The table of a list of a record: record, place in the list, and what stands there.

    `by` lists what comes first in indexes in the order of the day that it carries.
    """
    table = f"{owner.name.removesuffix('s')}_{name}"
    order = ("earliest", "latest", "record")
    indexes = [index for first in by for index in ordered(table, *first, *order)]
    return Table(
        table,
        metadata,
        owned_by(owner, primary_key=True),
        Column("ordinal", Integer, primary_key=True, autoincrement=False),
        *columns,
        *indexes,
        sqlite_with_rowid=False,
    )


def link(
    owner: Table,
    name: str,
    target: Table,
    *carried: SchemaItem,
    by: Iterable[tuple[str, ...]] = (),
) -> Table:
    """The table of a list of references: their target, and what they carry."""
    columns = (refers("target", target), *carried, Index(None, "target", "record"))
    return listed(owner, name, *columns, by=by)


def gathered(owner: Table, name: str, target: Table) -> Table:
    """The table of what the records that belong to a record name: each once (see gathering.py)."""
    table = f"{owner.name.removesuffix('s')}_{name}"
    return Table(
        table,
        metadata,
        owned_by(owner, primary_key=True),
        refers("target", target, primary_key=True),
        *days(),
        Index(None, "target", "record"),
        *ordered(table, "target", "earliest", "latest", "record"),
        sqlite_with_rowid=False,
    )


def names(owner: Table) -> Table:
    """The table of the names that find a record: its id and the slugs of its aliases.

    One namespace for each kind, kept unique by the key.
    """
    return Table(
        f"{owner.name.removesuffix('s')}_names",
        metadata,
        Column("slug", TEXT, primary_key=True),
        owned_by(owner, primary_key=False),
        Index(None, "record"),
        sqlite_with_rowid=False,
    )


def among_texts(column: Column[str], name: str, dialect: str) -> ColumnElement[bool]:
    """The column holds one of some `texts`, which are bound as one value however many they are."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return column.in_(select(each.c.value))
    return column == func.any(bindparam(name, type_=postgresql.ARRAY(Text)))


def texts(values: Sequence[str], dialect: str) -> Any:
    """Texts as that value."""
    return orjson.dumps(values).decode() if dialect == "sqlite" else list(values)


def no_index(condition: ColumnElement[bool], dialect: str) -> ColumnElement[bool]:
    """A condition that SQLite looks for in no index: of two it would often take the worse."""
    if dialect == "sqlite":
        return UnaryExpression(condition, operator=operators.custom_op("+"))
    return condition


def in_one(column: ColumnElement[str], between: str, dialect: str) -> ColumnElement[str]:
    """The texts of a column in one, with something between them."""
    joined = func.group_concat if dialect == "sqlite" else func.string_agg
    return joined(column, between, type_=Text)


def in_full(column: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """A column as text; of a rank, all its digits."""
    if not isinstance(column.type, Float):
        return column
    return func.printf("%!.17g", column) if dialect == "sqlite" else cast(column, Text)


def in_bytes(text: ColumnElement[str], dialect: str) -> ColumnElement[Any]:
    """A text as bytes on SQLite, so that it need not be decoded."""
    return cast(text, LargeBinary) if dialect == "sqlite" else text


def insert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    adding: tuple[str, ...] = (),
) -> None:
    """Insert rows, each the values of some columns, which the driver takes as they are.

    Where a key is there already, the columns `adding` are added to its own. SQLAlchemy would look
    at each value on its way, which none of our types needs, and which takes longer than the
    insertion. What goes wrong comes out as the driver's error.
    """
    if not rows:
        return
    statement = _insert(table, tuple(columns), adding, connection.dialect)
    cursor = connection.connection.cursor()
    try:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)
    finally:
        cursor.close()


@cache
def _insert(
    table: Table, columns: tuple[str, ...], adding: tuple[str, ...], dialect: Dialect
) -> str:
    written = dialect.identifier_preparer
    into = written.format_table(table)
    names = ", ".join(written.format_column(table.c[name]) for name in columns)
    marks = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(columns))
    statement = f"INSERT INTO {into} ({names}) VALUES ({marks})"  # noqa: S608 (names of ours)
    if adding:
        key = ", ".join(written.format_column(column) for column in table.primary_key)
        sums = ", ".join(f"{name} = {into}.{name} + excluded.{name}" for name in adding)
        statement += f" ON CONFLICT ({key}) DO UPDATE SET {sums}"
    return statement
