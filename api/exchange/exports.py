"""Call records out of the database, in the form in which they go in."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter
from sqlalchemy import Connection, select

from api import ledger
from api.exchange.documents import record_of
from api.exchange.imports import GONE
from api.store.calls import CALLS

YAML_WIDTH = 100


class NoCall(Exception):
    """There is no call of that id; it says whether there was one."""


def found(connection: Connection, calls: Sequence[str]) -> list[str]:
    """The ids of the calls wanted, or else of all, in order."""
    for call in calls:
        if CALLS.revision(connection, call) is None:
            gone = ledger.last(connection, "calls", call)
            if gone is None:
                raise NoCall(f"there is no call '{call}'.")
            raise NoCall(f"the call '{call}' was {GONE[gone.action]} at {gone.at}: {gone.reason}")
    every = select(CALLS.table.c.id).order_by(CALLS.table.c.id)
    return sorted(set(calls)) if calls else list(connection.scalars(every))


def records(connection: Connection, calls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The call records of calls that are there."""
    for call in calls:
        record = record_of(connection, call)
        if record is not None:
            yield record


def in_lines(
    records: Iterator[dict[str, Any]], reach: Callable[[int], None] = lambda number: None
) -> Iterator[str]:
    """Call records in JSON, one a line; `reach` is told how many there were."""
    for number, record in enumerate(records, 1):
        yield orjson.dumps(record).decode()
        reach(number)


def in_json(record: dict[str, Any]) -> bytes:
    """A call record in JSON for people to read."""
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class Careful(SafeRepresenter):
    """Writes texts so that they are read as they were, whatever characters they hold."""

    def represent_str(self, data: str) -> Any:
        """Quote what has characters that do not show: line ends count for little in YAML."""
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


Careful.add_representer(str, Careful.represent_str)


def in_yaml(record: dict[str, Any]) -> bytes:
    """A call record in YAML, as people write it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Careful
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = YAML_WIDTH
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    written = io.BytesIO()
    yaml.dump(record, written)
    return written.getvalue()
