"""Commands about what can be relied on: `checkpoint`, `verify`, `redact`."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import click

from api.commands.common import Reason, count, failure, open_database, operator, printable

DIGEST = re.compile("[0-9a-f]{64}")
BEYOND = """\
Not reached: backups, copies that others made, checkpoints and logs kept elsewhere, and blocks of \
the disk that the file system freed."""
BEYOND_ON_A_SERVER = """\
PostgreSQL itself keeps what was written in its write-ahead log until that is recycled, and in \
archives of it, standbys and base backups; what its statistics held goes with an autovacuum."""


class Named(click.ParamType[tuple[str, str]]):
    """A record, as KIND/ID."""

    name = "KIND/ID"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split it, as it stands in a path of the API."""
        from api.store.kinds import KINDS

        kind, _, record_id = value.removeprefix("/v1/").partition("/")
        if kind not in KINDS or not record_id:
            self.fail(f"{value!r} is not like statements/an-id; the kinds: {', '.join(KINDS)}.")
        return kind, record_id


@click.command()
def checkpoint() -> None:
    """Print the head of the log of changes, for keeping elsewhere.

    With it `readout verify --checkpoint` finds any later alteration of what is logged now.
    """
    from api import ledger

    with open_database().read() as connection:
        click.echo(json.dumps(ledger.checkpoint(connection)))


@click.command()
@click.option(
    "--checkpoint",
    "kept",
    type=click.File(encoding="utf-8", errors="replace"),
    help="Checkpoints kept elsewhere, one a line, which the log must pass through; - is stdin.",
)
def verify(kept: TextIO | None) -> None:
    """Check that the log of changes and the tables hold.

    The chain of digests is computed anew, and every record, link, name and word is compared with
    what follows from the log. It prints the head of the log and the number of records, and exits
    with 0, when all holds; else it names what does not, the first first, and exits with 1.
    """
    from api.ledger.verify import verify as verified

    checkpoints = _checkpoints(kept) if kept else {}
    with open_database().stream() as connection:
        verdict = verified(connection, checkpoints)
    for where, why in verdict.first:
        click.echo(printable(f"{where}: {why}"), err=True)
    if verdict.failed:
        raise failure(
            f"{count(verdict.failed, 'thing')} of {verdict.seq} changes and {verdict.records}"
            f" records {'does' if verdict.failed == 1 else 'do'} not hold."
        )
    head = {"seq": verdict.seq, "digest": verdict.digest, "records": verdict.records}
    click.echo(json.dumps(head))


@click.command()
@click.argument("record", metavar="KIND/ID", type=Named())
@click.option(
    "--reason",
    required=True,
    type=Reason(),
    help="Why, for the log; it must not tell what goes.",
)
@click.option(
    "--earlier",
    is_flag=True,
    help="Only what it said before goes; it stands on as it is now, also where others name it.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def redact(record: tuple[str, str], reason: str, earlier: bool, yes: bool) -> None:
    """Remove the content of a record for good, everywhere in the database.

    Its text goes from the tables, the full-text search, stored answers, the log of changes and free
    space. Its id, and that it was redacted, when, by whom and why, stay. A call takes its accounts
    and statements along; what other records name cannot go.
    """
    from api.ledger import redact as redaction
    from api.store import erase
    from api.store.engine import Unavailable

    kind, record_id = record
    database = open_database()
    try:
        with database.read() as connection:
            going = redaction.goes(connection, kind, record_id, earlier=earlier)
        if going and not yes:
            _confirm(going, earlier)
        with database.write() as connection:
            gone = redaction.redact(
                connection, kind, record_id, operator(), reason, earlier=earlier
            )
    except redaction.Refused as refused:
        raise failure(str(refused)) from None
    for one in gone:
        click.echo(f"{one} is redacted.")
    if not gone:
        done = "said nothing else before" if earlier else "was redacted before"
        click.echo(f"{kind}/{record_id} {done}.")
    try:
        database.scrub(erase.tables())
    except Unavailable as refusal:
        raise failure(
            f"free space may still hold its text: {refusal.reason} The same command tries again."
        ) from refusal
    click.echo("Free space is overwritten.")
    click.echo(BEYOND, err=True)
    if database.dialect == "postgresql":
        click.echo(BEYOND_ON_A_SERVER, err=True)


COMMANDS = (checkpoint, redact, verify)


def _checkpoints(kept: TextIO) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for number, line in enumerate(kept, 1):
        if not line.strip():
            continue
        seq, digest = _checkpoint(line)
        if digest is None:
            like = '{"seq": 23, "digest": "…"}, as `readout checkpoint` prints it'
            raise failure(f"line {number} of {kept.name} is not like {like}.", 2)
        if found.setdefault(seq, digest) != digest:
            raise failure(f"{kept.name} has two digests of change {seq}: the log was rewritten.")
    if not found:
        raise failure(f"{kept.name} holds no checkpoint.", 2)
    return found


def _checkpoint(line: str) -> tuple[int, str | None]:
    try:
        told: Any = json.loads(line)
    except ValueError:
        return 0, None
    match told:
        case {"seq": int(seq), "digest": str(digest)} if DIGEST.fullmatch(digest):
            return seq, digest
    return 0, None


def _confirm(going: Mapping[str, list[str]], earlier: bool) -> None:
    if not sys.stdin.isatty():
        raise failure("there is nobody to ask; --yes goes ahead.", 2)
    told = ", ".join(count(len(ids), kind.removesuffix("s")) for kind, ids in going.items() if ids)
    what = "all that was said before in" if earlier else "for good"
    told = f"{what} {told}" if earlier else f"{told} {what}"
    click.confirm(f"This removes {told}. Go on?", abort=True)
