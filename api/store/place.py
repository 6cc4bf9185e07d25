"""Where a condition stands in SQL."""

from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Table


class Place:
    """The key of the record in hand, and the table that carries its columns.

    That is the record's own table, or a link table along whose index a page is read (`driver`, for
    the filter `driven_by`), joined to the record's own where a condition needs that.
    """

    def __init__(self, table: Table, driver: FromClause | None = None, driven_by: str = "") -> None:
        self.table = table
        self.driver = driver
        self.driven_by = driven_by
        self.key: ColumnElement[str] = table.c.id if driver is None else driver.c.record
        self.joined = driver is None

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
