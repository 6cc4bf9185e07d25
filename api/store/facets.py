"""The SQL of facets: how many of what matches have each value of a filter, the most frequent."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Table,
    distinct,
    func,
    literal,
    select,
    union_all,
)

from api.store.filters import Among, Filter, Filters, Linked
from api.store.tables import metadata

MOST_VALUES = 100


def anew(table: Table, used: Filter, found: CTE) -> Select[Any]:
    """The values of a filter, and how many of the records `found` have each, by their rows."""
    if isinstance(used, Linked):
        value, key = used.target, used.link.c.record
        repeats = value.name != "target"  # It names two of one country, but an id once.
    elif isinstance(used, Among):
        value, key, repeats = used.column, table.c.id, False
    else:
        raise TypeError(f"{used} is no facet")
    counted = func.count(distinct(key) if repeats else key).label("counted")
    counts = select(value.label("value"), counted).group_by(value)
    return counts.where(key.in_(select(found.c[0])), value.is_not(None))


def most_frequent(filters: Filters, counted: Mapping[str, Select[Any]]) -> Select[Any]:
    """Of each facet the most frequent values: facet, value, label and count."""
    shown = [_labelled(name, filters[name], counts) for name, counts in counted.items()]
    return select(union_all(*shown).subquery("counts"))


def _labelled(name: str, used: Filter, counted: Select[Any]) -> Select[Any]:
    """The label of a value is a name, label or title, else the value itself."""
    value, many = counted.selected_columns
    counts = counted.order_by(many.desc(), value).limit(MOST_VALUES).subquery(name)
    label: ColumnElement[str] = counts.c.value
    origin: FromClause = counts
    if kind := used.refers_to:
        table = metadata.tables[kind]
        label = next(table.c[one] for one in ("name", "label", "title") if one in table.c)
        origin = counts.join(table, table.c.id == counts.c.value)
    shown = (literal(name).label("facet"), counts.c.value, label.label("label"))
    return select(*shown, counts.c.counted).select_from(origin)
