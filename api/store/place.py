"""Where a condition stands in SQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Table


class Place:
    """The key of the record in hand, and the table that carries its columns.

    That is the record's own table, or a link table along whose index a page is read (`driver`),
    joined to the record's own where a condition needs that. `along` are the columns at the head of
    that index, by the filters that they answer.
    """

    def __init__(self, table: Table, along: Mapping[str, Column[Any]] | None = None) -> None:
        self.table = table
        self.along = along or {}
        self.driver = next((column.table for column in self.along.values()), None)
        self.key: ColumnElement[str] = table.c.id if self.driver is None else self.driver.c.record
        self.joined = self.driver is None

    def column(self, column: Column[Any]) -> ColumnElement[Any]:
        """The column, from the driving link table where that carries it."""
        if self.driver is not None:
            if column.name in self.driver.c and column.name != "id":
                return self.driver.c[column.name]
            self.joined = True
        return column

    @property
    def origin(self) -> FromClause:
        """What to select from."""
        if self.driver is None:
            return self.table
        if not self.joined:
            return self.driver
        return self.driver.join(self.table, self.table.c.id == self.driver.c.record)
