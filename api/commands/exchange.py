"""`readout import` and `readout export`: call records in and out, as they are exchanged."""

import gzip
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from api.commands.common import count, failure, open_database, printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from api.exchange.bulk import Fate, Importer

GZIP = b"\x1f\x8b"
SHOWN_EVERY = 1 << 20  # bytes between two steps of the progress bar


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option("--actor", default="cli", show_default=True, help="Who does it, for the log.")
@click.option("--reason", help="Why, for the log.")
@click.option(
    "--existing",
    type=click.Choice(["keep", "replace"]),
    default="keep",
    show_default=True,
    help="What happens to a call that stands and differs.",
)
@click.option(
    "--shared",
    type=click.Choice(["keep", "update"]),
    default="keep",
    show_default=True,
    help="What happens to participants, topics and sources that stand and differ.",
)
def import_(
    files: tuple[str, ...], actor: str, reason: str | None, existing: str, shared: str
) -> None:
    """Put the call records of files: YAML, JSON or NDJSON, gzipped or not; - is standard input.

    Each record is all or nothing, and what fails is named. It exits with 1 where anything failed.
    """
    from api.exchange.bulk import Importer

    importer = Importer(
        open_database(bulk=True),
        actor,
        reason,
        replace=existing == "replace",
        update_shared=shared == "update",
    )
    fates: Counter[str] = Counter()
    statements = 0
    for file in files:
        for fate in _put(importer, file):
            fates[fate.fate] += 1
            statements += fate.statements
            for fault in fate.faults:
                where = f"{file}:{fate.line}: {fate.call or 'no call'}"
                told = f"{fault.pointer}: {fault.detail}" if fault.pointer else fault.detail
                click.echo(printable(f"{where}: {told}"), err=True)
    told = ", ".join(f"{fates[fate]} {fate}" for fate in sorted(fates)) or "nothing to put"
    click.echo(f"Call records: {told} ({count(statements, 'statement')}).")
    if fates["failed"]:
        raise SystemExit(1)


def _put(importer: "Importer", file: str) -> Iterator["Fate"]:
    """Put the records of one file, with a progress bar on a terminal."""
    from api.exchange.lines import Lines

    with ExitStack() as held:
        raw = sys.stdin.buffer if file == "-" else held.enter_context(Path(file).open("rb"))
        size = 0 if file == "-" else Path(file).stat().st_size
        bar: Any = held.enter_context(
            click.progressbar(
                length=size, label=file, file=sys.stderr, hidden=not (size and sys.stderr.isatty())
            )
        )
        lines = Lines(_lines(_plain(cast("IO[bytes]", raw)), file, bar.update))
        yield from importer.lines(lines)
        if not lines.complete:
            raise failure(f"{file}: its end line does not agree with the lines before it.")


def _plain(raw: IO[bytes]) -> IO[bytes]:
    """The file, unpacked where it is gzipped."""
    peek = raw.peek(2)[:2] if hasattr(raw, "peek") else b""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if peek == GZIP else raw


def _lines(file: IO[bytes], name: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The records of a file, one JSON text each: those of NDJSON, or the one of JSON or YAML."""
    import orjson

    first = file.readline()
    try:
        orjson.loads(first)
    except ValueError:
        yield _whole(first + file.read(), name)
        return
    waiting = 0
    line = first
    while line:
        yield line
        waiting += len(line)
        if waiting >= SHOWN_EVERY:
            advance(waiting)
            waiting = 0
        line = file.readline()
    advance(waiting)


def _whole(text: bytes, name: str) -> bytes:
    """One record as a JSON text, from JSON over several lines or from YAML."""
    import orjson
    from ruamel.yaml.error import YAMLError

    from api.exchange.documents import parse_yaml

    if not text.strip() or text.lstrip().startswith(b"{"):
        return text
    try:
        return orjson.dumps(parse_yaml(text.decode()))
    except (YAMLError, UnicodeDecodeError, TypeError) as error:
        raise failure(f"{name} is neither JSON nor YAML: {printable(str(error))}") from error


@click.command()
@click.option("--call", "calls", multiple=True, help="The id of a call; may be repeated.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; .gz packs."
)
def export(calls: tuple[str, ...], output: Path | None) -> None:
    """Write call records as NDJSON, all or those of some calls, with an end line.

    The end line counts and hashes the lines before it, so that a cut file shows.
    """
    from api.web.serialize import ndjson

    with open_database().stream() as connection, ExitStack() as held:
        wanted = _wanted(connection, calls)
        out: IO[bytes] = sys.stdout.buffer
        if output is not None:
            opened = gzip.open(output, "wb") if output.suffix == ".gz" else output.open("wb")  # noqa: SIM115
            out = cast("IO[bytes]", held.enter_context(opened))
        shown = output is not None and sys.stderr.isatty()
        bar = held.enter_context(
            click.progressbar(wanted, label="calls", file=sys.stderr, hidden=not shown)
        )
        for chunk in ndjson(_records(connection, bar)):
            out.write(chunk)


def _wanted(connection: "Connection", calls: tuple[str, ...]) -> list[str]:
    from sqlalchemy import select

    from api.store.kinds import CALLS

    table = CALLS.table
    if not calls:
        return list(connection.scalars(select(table.c.id).order_by(table.c.id)))
    found = set(connection.scalars(select(table.c.id).where(table.c.id.in_(calls))))
    if missing := [call for call in calls if call not in found]:
        raise failure(f"There is no call {', '.join(map(repr, missing))}.")
    return list(dict.fromkeys(calls))


def _records(connection: "Connection", calls: Iterable[str]) -> Iterator[str]:
    import orjson

    from api.exchange.documents import record_of

    for call in calls:
        yield orjson.dumps(record_of(connection, call)).decode()


COMMANDS = (import_, export)
