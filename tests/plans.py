"""What a database does for a page of a list: the plan of each SELECT, and how much it looks at.

The SELECTs are overheard at the driver, whoever gives them to it.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import Literal
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.store.records import Records
from api.store.selects import Ask
from api.store.sqlite import DRIVER

PAGE = 50
FEW = 2_000
"""Rows that may be looked at for a page, or sorted, however many there are in all."""
STEPS_A_ROW = 5  # of SQLite's machine, for one that is thrown away
STEP = 200
OFTEN = 6
"""From the sixth time on PostgreSQL may keep a plan that is to fit whatever values."""


class Seen(NamedTuple):
    """The plan of a SELECT, what is wrong with it, and the indexes that it uses.

    `undated` says whether it is for the records without a date, which come last.
    """

    undated: bool
    plan: str
    faults: list[str]
    indexes: set[str]


def seen(connection: Connection, records: Records, ask: Ask, most: int) -> Iterator[Seen]:
    """Get a page, and look at the plan of each SELECT that it takes.

    It may look at FEW rows, and at `most` more.
    """
    ask, unknown = records.resolve(connection, ask)
    assert not unknown, unknown
    if connection.dialect.name == "sqlite":
        yield from _on_sqlite(connection, records, ask, most + FEW)
        return
    driver: Any = connection.connection.driver_connection
    times = OFTEN if ask.after is None else 1
    for statement, bound in _overheard(connection, records, ask):
        yield from _on_postgresql(driver, statement, bound, most + FEW, times)


def _on_sqlite(connection: Connection, records: Records, ask: Ask, most: int) -> Iterator[Seen]:
    driver: Any = connection.connection.driver_connection
    found: list[tuple[str, list[int]]] = []

    def note(statement: str) -> None:
        if not statement.startswith("--") and "_search_" not in statement:  # FTS5's own.
            found.append((statement, [0]))

    def count() -> bool:
        """Whether that is too much, and it has to stop."""
        if not found:  # It is still being planned.
            return False
        steps = found[-1][1]
        steps[0] += STEP
        return steps[0] > most * STEPS_A_ROW

    driver.set_trace_callback(note)
    driver.set_progress_handler(count, STEP)
    try:
        records.page(connection, ask, PAGE)
    except (DBAPIError, DRIVER.Error) as error:
        assert "interrupted" in str(error)  # noqa: PT017 (by `count`)
    finally:
        driver.set_trace_callback(None)
        driver.set_progress_handler(None, 0)
    assert found
    for statement, (steps,) in found:
        plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        faults = [fault for line in plan if (fault := _fault_of(line, plan))]
        if steps > most * STEPS_A_ROW:
            faults.append(f"looks at more than {most} rows")
        told = "; ".join(line[3] for line in plan)
        yield Seen(_undated(statement), told, faults, set(re.findall(r"INDEX (\w+)", told)))


def _fault_of(line: tuple[int, int, int, str], plan: list[tuple[int, int, int, str]]) -> str | None:
    """What is wrong with a line of a plan on SQLite."""
    told = line[3]
    if match := re.match(r"SCAN (\w+)", told):
        held = any(re.search(rf"(CO-ROUTINE|MATERIALIZE) {match[1]}$", one[3]) for one in plan)
        if "INDEX" not in told and not held:
            return f"runs through all of {match[1]}"
    # A page that was found is put in order once more: that is no more than a page.
    of_page = any(one[1] == line[1] and one[3] == "SCAN page" for one in plan)
    if told.startswith("USE TEMP B-TREE") and not of_page:
        return told.lower().replace("use ", "makes a ")
    return None


def _overheard(connection: Connection, records: Records, ask: Ask) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            found.append((query, params))
            return super().execute(query, params, **options)

    driver: Any = connection.connection.driver_connection
    driver.cursor_factory = Noting
    records.page(connection, ask, PAGE)
    driver.cursor_factory = psycopg.Cursor
    assert found
    return found


def _on_postgresql(
    driver: Any, statement: str, bound: dict[str, Any], most: int, times: int
) -> Iterator[Seen]:
    """The plan for these values, and the one that is left when it was asked for often."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(r"%\((\w+)\)s", lambda one: f"${names.index(one[1]) + 1}", statement)
    values = ", ".join(Literal(bound[name]).as_string(driver) for name in names)
    execute = f"EXECUTE seen({values})" if names else "EXECUTE seen"
    driver.execute(f"PREPARE seen AS {numbered}")
    for time in range(1, times + 1):
        if 1 < time < times:
            driver.execute(f"EXPLAIN {execute}")
            continue
        analyze = "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON)"
        (made,) = driver.execute(f"{analyze} {execute}").fetchone()
        plan = made[0]["Plan"]
        nodes = list(_nodes(plan))
        faults = [f"runs through all of {n['Relation Name']}" for n in nodes if _is_full(n)]
        faults += [f"{n['Node Type']} of {rows}" for n in nodes if (rows := _sorted(n)) > FEW]
        if sum(map(_looked_at, nodes)) > most:
            faults.append(f"looks at more than {most} rows")
        indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
        yield Seen(_undated(statement), _told(plan), faults, indexes)
    driver.execute("DEALLOCATE seen")


def _undated(statement: str) -> bool:
    return re.search(r"earliest IS NULL", statement) is not None


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _is_full(node: dict[str, Any]) -> bool:
    return bool(node["Node Type"] == "Seq Scan")


def _sorted(node: dict[str, Any]) -> int:
    """How many rows a node sorts or gathers."""
    if node["Node Type"] not in ("Sort", "Incremental Sort", "Aggregate"):
        return 0
    return int(sum(one["Actual Rows"] * one["Actual Loops"] for one in node["Plans"]))


def _looked_at(node: dict[str, Any]) -> int:
    """How many rows a node reads, those that it throws away included."""
    if "Scan" not in node["Node Type"] or node["Node Type"] in ("CTE Scan", "Subquery Scan"):
        return 0
    removed = sum(many for name, many in node.items() if name.startswith("Rows Removed"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


def _told(node: dict[str, Any]) -> str:
    on = node.get("Index Name") or node.get("Relation Name")
    told = node["Node Type"] + (f" {on}" if on else "") + f" [{int(node['Actual Rows'])}]"
    below = "; ".join(_told(one) for one in node.get("Plans", []))
    return f"{told} ({below})" if below else told
