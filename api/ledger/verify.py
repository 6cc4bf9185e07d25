"""Whether everything holds: the chain of the log, and the tables by it. It writes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.ledger.chain import Chain, Finding
from api.ledger.standing import Derived, Standing, following
from api.store import audit
from api.store.kinds import KINDS

SHOWN = 20


@dataclass
class Verdict:
    """The head of the log, how many records stand, and what does not hold: the first, and all."""

    seq: int = 0
    digest: str = ""
    records: int = 0
    failed: int = 0
    first: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Count something that does not hold."""
        self.failed += 1
        if len(self.first) < SHOWN:
            self.first.append(finding)


def verify(connection: Connection, checkpoints: Mapping[int, str] | None = None) -> Verdict:
    """Check everything, in the one snapshot that the connection reads."""
    verdict = Verdict()
    with audit.as_it_is(connection):
        for finding in _findings(connection, checkpoints or {}, verdict):
            verdict.add(finding)
    return verdict


def _findings(
    connection: Connection, checkpoints: Mapping[int, str], verdict: Verdict
) -> Iterator[Finding]:
    try:
        chain = Chain(connection, checkpoints)
        yield from chain.findings()
        verdict.seq, verdict.digest = chain.seq, chain.digest.hex()
        derived = Derived(connection)
        holds = True
        for kind in KINDS:
            standing = Standing(connection, kind, derived)
            for finding in standing.findings():
                holds = False
                yield finding
            verdict.records += standing.count
        if holds:
            yield from following(connection)
        searched = [records.table for records in KINDS.values() if "words" in records.table.c]
        for name in audit.missing_guards(connection, searched):
            yield Finding(f"trigger {name}", "is missing")
    except DBAPIError as error:
        yield Finding("the database", f"cannot be read to the end: {error.orig}")
