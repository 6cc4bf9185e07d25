"""Checking a call record that somebody codes by hand, without writing it: `readout check`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from api.exchange.documents import Malformed, load
from api.exchange.imports import put_record
from api.store.engine import Database
from api.store.migrate import upgrade
from api.unit import Rejected, Unit
from schemas.base import Written
from schemas.problem import Fault
from schemas.source import digest

Document = Mapping[str, Any]


@dataclass
class Findings:
    """What was found wrong with a record, and what of it was looked at."""

    faults: list[Fault] = field(default_factory=list)
    statements: int = 0
    spans: int = 0
    read: int = 0  # of these, the spans whose words were read in their texts
    unchecked: int = 0  # records that name faulty ones, and so were not looked at whole


class Reader(Unit):
    """A unit of work that is shown texts of sources whose rights keep them out of the record."""

    def __init__(self, connection: Connection, texts: Mapping[str, str]) -> None:
        super().__init__(connection, "check")
        self.texts = texts

    def text_of(self, source: str) -> str | None:
        """The text of a source, as it was shown or else as the record has it."""
        return self.texts[source] if source in self.texts else super().text_of(source)


def check(parsed: Any, named: Mapping[str, str], texts: Mapping[str, str]) -> Findings:
    """Check a parsed call record as the service would, and its spans in the texts given.

    `named` are texts by the ids of their sources. `texts`, by names for the reader, are of the
    sources that have their digests.
    """
    findings = Findings()
    try:
        document = load(parsed)
    except Malformed as error:
        findings.faults = [_measured(fault, parsed, named) for fault in error.faults]
        return findings
    shown = _matched(document["sources"], named, texts, findings.faults)
    held = {source["id"]: source["text"] for source in document["sources"]} | shown
    spans = [span for one in document["statements"] for span in one["evidence"]]
    findings.statements = len(document["statements"])
    findings.spans = len(spans)
    findings.read = sum(held.get(span["source"]) is not None for span in spans)
    with TemporaryDirectory(prefix="readout-") as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.sqlite'}"
        upgrade(url)
        database = Database(url)
        try:
            _put(database, parsed, shown, findings)
        finally:
            database.close()
    return findings


def _measured(fault: Fault, parsed: Any, named: Mapping[str, str]) -> Fault:
    """A fault, with what would be right where a source lacks it and its text is given."""
    found = re.fullmatch("/sources/([0-9]+)/(characters|sha256)", fault.pointer)
    source = parsed["sources"][int(found[1])].get("id") if found else None
    if found is None or not isinstance(source, str) or source not in named:
        return fault
    text = named[source]
    right = len(text) if found[2] == "characters" else digest(text)
    return Fault(fault.pointer, f"{fault.detail} The text given has {right}.")


def _matched(
    sources: Sequence[Written],
    named: Mapping[str, str],
    texts: Mapping[str, str],
    faults: list[Fault],
) -> dict[str, str]:
    """The texts by source. One that is of no source, or not of that which it was said to be of, is
    a fault."""
    at = {source["id"]: place for place, source in enumerate(sources)}
    shown: dict[str, str] = {}
    for source, text in named.items():
        if source not in at:
            faults.append(Fault("/sources", f"There is no source '{source}'."))
            continue
        shown[source] = text
        for name, found in (("characters", len(text)), ("sha256", digest(text))):
            if sources[at[source]][name] != found:
                faults.append(Fault(f"/sources/{at[source]}/{name}", f"The text has {found}."))
    for name, text in texts.items():
        of = [source["id"] for source in sources if source["sha256"] == digest(text)]
        shown |= dict.fromkeys(of, text)
        if not of:
            told = (
                f"{name} is the text of none: it has {len(text)} characters, sha256 {digest(text)}."
            )
            faults.append(Fault("/sources", told))
    return shown


def _put(database: Database, parsed: Any, shown: Mapping[str, str], findings: Findings) -> None:
    try:
        with database.write() as connection:
            unit = Reader(connection, shown)
            put_record(unit, load(parsed))
            unit.commit()
    except Rejected as error:
        findings.faults = list(dict.fromkeys([*findings.faults, *error.faults]))
        findings.unchecked = error.unchecked
