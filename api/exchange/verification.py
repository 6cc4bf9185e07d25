"""Checking recorded spans against a text that somebody has: what `readout verify-source` does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from api.evidence import check_span
from api.store import sources, statements
from schemas.base import View
from schemas.problem import Fault
from schemas.source import digest


@dataclass(frozen=True)
class Verdict:
    """What a text says of a source: how many spans there are, and what does not hold."""

    source: str
    spans: int
    failed: int
    faults: list[Fault]


def verify(connection: Connection, text: str, source: str | None = None) -> Verdict | None:
    """Check all spans of a source against its text.

    The source is the one named, else the one whose digest the text has, else the one of which most
    spans hold; None where there is no such source.
    """
    wanted = select(sources.table.c.view).order_by(sources.table.c.id)
    if source is not None:
        wanted = wanted.where(sources.table.c.id == source)
    else:
        same = wanted.where(sources.table.c.sha256 == digest(text))
        wanted = same if connection.execute(same).first() else wanted
    verdicts = [
        _verdict(connection, orjson.loads(v), text) for v in connection.scalars(wanted).all()
    ]
    if source is None:
        verdicts = [v for v in verdicts if v.failed < v.spans or not v.faults]
    return max(verdicts, key=lambda verdict: verdict.spans - verdict.failed, default=None)


def _verdict(connection: Connection, source: View, text: str) -> Verdict:
    faults = []
    for name, found in (("characters", len(text)), ("sha256", digest(text))):
        if source[name] != found:
            faults.append(Fault(f"sources/{source['id']} {name}", f"The text has {found}."))
    spans = failed = 0
    for where, span in _spans(connection, source["id"]):
        wrong = [Fault(where, fault.detail) for fault in check_span(span, source, text, "")]
        spans += 1
        failed += bool(wrong)
        faults += wrong
    return Verdict(source["id"], spans, failed, faults)


def _spans(connection: Connection, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The evidence in a source, each with the statement and place that it is of."""
    link, table = statements.written_in, statements.table
    found = select(table.c.view).join(link, link.c.record == table.c.id)
    found = found.where(link.c.target == source).order_by(table.c.id)
    for view in connection.scalars(found):
        statement = orjson.loads(view)
        for place, span in enumerate(statement["evidence"]):
            if span["source"]["id"] == source:
                yield f"statements/{statement['id']} evidence {place}", span
