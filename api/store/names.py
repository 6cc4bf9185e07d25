"""Finding records by id or by the slug of an alias, and topics with what is narrower."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, select

from api.store.tables import metadata
from schemas.slugs import slug

NEAREST = 3
MOST_COMPARED = 5_000


def _columns(kind: str) -> tuple[Column[str], Column[str]]:
    """The column that finds records of a kind, and the one that holds their ids."""
    names = metadata.tables.get(f"{kind.removesuffix('s')}_names")
    if names is not None:
        return names.c.slug, names.c.record
    table = metadata.tables[kind]
    return table.c.id, table.c.id


def resolve(
    connection: Connection, kind: str, wanted: Sequence[Any]
) -> tuple[list[str], dict[str, list[str]]]:
    """The ids of the records wanted, in order; and the unknown ones with the nearest that exist."""
    name, record = _columns(kind)
    rows = connection.execute(select(name, record).where(name.in_(wanted)))
    found: dict[str, str] = dict(rows.tuples().all())
    missing = {slug: nearest(connection, kind, slug) for slug in wanted if slug not in found}
    return list(dict.fromkeys(found[slug] for slug in wanted if slug in found)), missing


def nearest(connection: Connection, kind: str, wanted: str) -> list[str]:
    """Up to three names of the kind that look like the one wanted."""
    name, _ = _columns(kind)
    alike = name.between(wanted[:1], wanted[:1] + "~")
    some = [
        *connection.scalars(select(name).where(alike).order_by(name).limit(MOST_COMPARED)),
        *connection.scalars(select(name).where(~alike).order_by(name).limit(MOST_COMPARED)),
    ]
    return difflib.get_close_matches(wanted, some, NEAREST)


def narrower(connection: Connection, topics: Iterable[str]) -> tuple[str, ...]:
    """The topics and all that is narrower."""
    table = metadata.tables["topics"]
    start = select(table.c.id).where(table.c.id.in_(list(topics))).cte("found", recursive=True)
    found = start.union(select(table.c.id).where(table.c.broader == start.c.id))
    return tuple(connection.scalars(select(found.c.id).order_by(found.c.id)))


def slugs(record_id: str, aliases: Iterable[str]) -> list[str]:
    """The names that find a record: its id, and the slug of each alias that has one."""
    made = (slug(alias) for alias in aliases)
    return list(dict.fromkeys([record_id, *(name for name in made if name)]))
