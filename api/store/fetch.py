"""Rows of a SELECT that is asked again and again, at a quarter of what SQLAlchemy takes for them.

SQLAlchemy writes the SQL, once; the driver takes it, and its rows are as the driver makes them. No
type of ours needs more. What goes wrong comes out as the driver's error (see `refusals`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Select


class Ready(NamedTuple):
    """A SELECT as the driver takes it: its text, the values it has itself, and where values go by
    place, their names in order."""

    text: str
    own: Mapping[str, Any]
    names: Sequence[str] | None


_ready: WeakKeyDictionary[Select[*tuple[Any, ...]], dict[str, Ready | None]] = WeakKeyDictionary()


def fetch(
    connection: Connection, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> Sequence[Any]:
    """All rows of a SELECT that is kept."""
    kept = _ready.get(statement)
    if kept is None:
        kept = _ready[statement] = {}
    dialect = connection.dialect
    if dialect.name not in kept:
        kept[dialect.name] = _made_ready(statement, dialect)
    ready = kept[dialect.name]
    if ready is None:
        return connection.execute(statement, values).all()
    bound = {**ready.own, **values}
    given = bound if ready.names is None else [bound[name] for name in ready.names]
    cursor = connection.connection.cursor()
    try:
        cursor.execute(ready.text, given)
        return cursor.fetchall()
    finally:
        cursor.close()


def _made_ready(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> Ready | None:
    """None where the text depends on how many values are given."""
    compiled: Any = statement.compile(dialect=dialect)
    if compiled.post_compile_params:
        return None
    return Ready(compiled.string, compiled.params, compiled.positiontup)
