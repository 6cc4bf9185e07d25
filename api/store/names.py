"""Finding records by id or by the slug of an alias, and topics with what is narrower."""

import difflib
import functools
from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Connection, Select, select

from api.store.fetch import fetch
from api.store.tables import among_texts, metadata, texts
from schemas.slugs import slug

NEAREST = 3
MOST_COMPARED = 500


def _columns(kind: str) -> tuple[Column[str], Column[str]]:
    """The column that finds records of a kind, and the one that holds their ids."""
    names = metadata.tables.get(f"{kind.removesuffix('s')}_names")
    if names is not None:
        return names.c.slug, names.c.record
    table = metadata.tables[kind]
    return table.c.id, table.c.id


@functools.cache
def _select_named(kind: str, dialect: str) -> Select[str, str]:
    name, record = _columns(kind)
    return select(name, record).where(among_texts(name, "names", dialect))


@functools.cache
def _select_widened(dialect: str) -> Select[str, str]:
    name, record = _columns("topics")
    table = metadata.tables["topics"]
    asked = select(name.label("name"), record.label("id"))
    found = asked.where(among_texts(name, "names", dialect)).cte("found", recursive=True)
    narrower = select(found.c.name, table.c.id).where(table.c.broader == found.c.id)
    found = found.union(narrower)
    return select(found.c.name, found.c.id).order_by(found.c.name, found.c.id)


def resolve(
    connection: Connection, kind: str, wanted: Sequence[str], *, widens: bool = False
) -> tuple[list[tuple[str, ...]], list[str]]:
    """For each record wanted the ids that will do, in order; and what names none.

    That is its own, and where a filter `widens` those of the topics narrower than it.
    """
    if widens:
        found = widened(connection, wanted)
    else:
        found = {name: (record,) for name, record in find(connection, kind, wanted).items()}
    ids = dict.fromkeys(found[name] for name in wanted if name in found)
    return list(ids), [name for name in wanted if name not in found]


def find(connection: Connection, kind: str, wanted: Sequence[str]) -> dict[str, str]:
    """The ids of records by the names wanted, for those that find one."""
    dialect = connection.dialect.name
    names = {"names": texts(wanted, dialect)}
    return dict(fetch(connection, _select_named(kind, dialect), names))


def nearest(connection: Connection, kind: str, wanted: str) -> list[str]:
    """Up to three ids of the kind that look like the one wanted, or have an alias that does."""
    name, record = _columns(kind)
    neighbours = select(name, record).limit(MOST_COMPARED)
    after = connection.execute(neighbours.where(name >= wanted).order_by(name))
    before = connection.execute(neighbours.where(name < wanted).order_by(name.desc()))
    ids: dict[str, str] = dict([*after, *before])
    alike = difflib.get_close_matches(wanted, ids, NEAREST)
    return list(dict.fromkeys(ids[one] for one in alike))


def widened(connection: Connection, wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The ids of topics and of all that is narrower, by the names wanted that find a topic."""
    dialect = connection.dialect.name
    names = {"names": texts(wanted, dialect)}
    found: dict[str, list[str]] = {}
    for name, topic in fetch(connection, _select_widened(dialect), names):
        found.setdefault(name, []).append(topic)
    return {name: tuple(topics) for name, topics in found.items()}


def slugs(record_id: str, aliases: Iterable[str]) -> list[str]:
    """The names that find a record: its id, and the slug of each alias that has one."""
    made = (slug(alias) for alias in aliases)
    return list(dict.fromkeys([record_id, *(name for name in made if name)]))
