"""Full text on both databases: the same words match the same records.

Texts are folded into words by our own rule (words.py), so that neither database's parser has a say:
SQLite indexes the folded text with FTS5, PostgreSQL a tsvector that we write ourselves.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Insert,
    Select,
    Table,
    TableClause,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    table,
)
from sqlalchemy.dialects import postgresql

from api.store import words
from api.store.fetch import fetch


def stored(dialect: str, fields: Sequence[str]) -> str:
    """What the `words` column holds for the fields of a record."""
    return words.plain(fields) if dialect == "sqlite" else words.tsvector(fields)


def asked(dialect: str, query: words.Query) -> str:
    """The query in the database's own language; it must have a positive word."""
    return words.fts5(query) if dialect == "sqlite" else words.tsquery(query)


def newest(connection: Connection, owner: Table) -> int:
    """The number of the newest row; what is added later has higher ones."""
    [[number]] = fetch(connection, _newest(owner), {})
    return number or 0


@cache
def _newest(owner: Table) -> Select[int]:
    return select(func.max(owner.c.n))


def add(connection: Connection, owner: Table, after: int) -> None:
    """Put the words of the rows after a number into the index of SQLite.

    No trigger does: with one FTS5 writes out every row by itself, which takes nine times as long.
    """
    connection.execute(_add(owner), {"after": after})


@cache
def _add(owner: Table) -> Insert:
    fts = index(owner)
    new = select(owner.c.n, owner.c.words).where(owner.c.n > bindparam("after"))
    return insert(fts).from_select([fts.c.rowid, fts.c.words], new)


def index(owner: Table) -> TableClause:
    """The FTS5 table beside a table on SQLite."""
    name = f"{owner.name}_search"
    return table(name, column("rowid"), column("rank", Float(53)), column(name), column("words"))


def matches(dialect: str, owner: Table, name: str) -> ColumnElement[bool]:
    """The record's words match the query bound as `name`."""
    if dialect == "sqlite":
        fts = index(owner)
        found = select(fts.c.rowid).where(fts.c[fts.name].match(bindparam(name)))
        return owner.c.n.in_(found)
    return owner.c.words.op("@@")(cast(bindparam(name), postgresql.TSQUERY))


def ranked(
    dialect: str, owner: Table, name: str, *, alone: bool
) -> tuple[FromClause, ColumnElement[int], ColumnElement[float]]:
    """What to select from for the matches of the query, their numbers and ranks, the best lowest.

    Where the query is `alone`, no row of theirs need be read to find the best.
    """
    if dialect == "sqlite":
        fts = index(owner)
        hits = (
            select(fts.c.rowid.label("hit"), fts.c.rank.label("rank"))
            .where(fts.c[fts.name].match(bindparam(name)))
            .subquery("hits")
        )
        origin = hits if alone else owner.join(hits, owner.c.n == hits.c.hit)
        return origin, hits.c.hit, hits.c.rank
    query = cast(bindparam(name), postgresql.TSQUERY)
    rank = cast(-func.ts_rank(owner.c.words, query), Float(53))
    return owner, owner.c.n, rank
