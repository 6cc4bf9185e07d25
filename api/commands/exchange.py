"""Call records in and out of the database: `import`, `export`, `seed`."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from api.commands.common import Reason, count, failure, open_database, operator, progress, tell
from api.commands.keys import Name

if TYPE_CHECKING:
    from api.exchange.bulk import Fate, Importer

FATES = ("created", "unchanged", "replaced", "failed")
FORMS = ("ndjson", "json", "yaml")


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "--existing",
    type=click.Choice(["keep", "replace"]),
    default="keep",
    show_default=True,
    help="What happens to a call that stands and differs: it stays, which is a failure, or becomes"
    " what its record says.",
)
@click.option(
    "--shared",
    type=click.Choice(["keep", "update"]),
    default="keep",
    show_default=True,
    help="The same for participants, topics and sources.",
)
@click.option("--actor", type=Name(), help="Whom the log of changes names; else this user.")
@click.option("--reason", type=Reason(), help="Why, for the log.")
def import_(
    files: tuple[str, ...], existing: str, shared: str, actor: str | None, reason: str | None
) -> None:
    """Put call records: YAML, JSON or NDJSON, each also gzipped; - is standard input.

    Each call record is all or nothing. One that fails is told, with what is wrong with it, and the
    others go on. It exits with 0 when none failed and no end line of NDJSON was wrong.
    """
    from api.exchange.bulk import Importer

    importer = Importer(
        open_database(bulk=True),
        actor or operator(),
        reason,
        replace=existing == "replace",
        update_shared=shared == "update",
    )
    told = Counter[str]()
    try:
        whole = [_import(importer, path, told) for path in files]
    finally:
        summary = ", ".join(f"{told[fate]} {fate}" for fate in FATES)
        click.echo(f"{summary} ({count(told['statements'], 'statement')}).")
    if told["failed"] or not all(whole):
        raise SystemExit(1)


@click.command()
@click.option("--call", "calls", multiple=True, metavar="ID", help="Only this call; repeatable.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to a file, gzipped where it ends in .gz, instead of to standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="ndjson",
    show_default=True,
    help="A single call may also be JSON or YAML, for people to read.",
)
def export(calls: tuple[str, ...], output: Path | None, form: str) -> None:
    """Print call records, in the form that `readout import` takes.

    It is NDJSON, as of one moment, one call record a line; the last line tells how many there are
    and their digest, so that one can see that nothing is missing.
    """
    from api.exchange import exports
    from api.web.serialize import ndjson

    if form != "ndjson" and len(calls) != 1:
        raise failure(f"--format {form} is for one call: name it by --call.", 2)
    with open_database().stream() as connection:
        try:
            found = exports.found(connection, calls)
        except exports.NoCall as error:
            raise failure(str(error)) from None
        with _opened(output) as out, progress(len(found) if output else 0, "calls") as reach:
            records = exports.records(connection, found)
            match form:
                case "yaml":
                    out.write(exports.in_yaml(next(records)))
                case "json":
                    out.write(exports.in_json(next(records)))
                case _:
                    for piece in ndjson(exports.in_lines(records, reach)):
                        out.write(piece)


@click.command()
def seed() -> None:
    """Put the records of seeds/ into an empty database; leave any other as it is."""
    from sqlalchemy import select

    from api.cli import database as named
    from api.exchange.documents import read_yaml
    from api.exchange.imports import put_record
    from api.store.calls import CALLS
    from api.unit import Unit

    files = sorted((Path(__file__).parents[2] / "seeds").glob("*.yaml"))
    with open_database().write() as connection:
        if connection.execute(select(CALLS.table.c.id).limit(1)).first():
            click.echo(f"{named()} has records already; nothing was seeded.")
            return
        for file in files:
            unit = Unit(connection, "seed")
            put_record(unit, read_yaml(file.read_text(encoding="utf-8")))
            unit.commit()
    click.echo(f"{named()} is seeded with {', '.join(file.stem for file in files)}.")


COMMANDS = (import_, export, seed)


def _import(importer: "Importer", path: str, told: Counter[str]) -> bool:
    """Import one file; whether all of it was there."""
    from api.exchange.documents import Unreadable
    from api.exchange.files import File

    name = "standard input" if path == "-" else path
    with click.open_file(path, "rb") as raw:
        file = File(raw, path)
        with progress(file.size, name) as reach:
            try:
                for fate in importer.run(file.texts()):
                    told[fate.fate] += 1
                    told["statements"] += fate.statements
                    if fate.faults:
                        _tell_faults(name, fate, file.whole)
                    reach(file.position)
            except Unreadable as error:
                tell(f"{name}: {error}")
                return False
    if not file.complete:
        tell(f"{name}: its end line does not fit: records are missing, or other than they were.")
    return file.complete


def _tell_faults(name: str, fate: "Fate", whole: bytes | None) -> None:
    """Tell what is wrong with a call record: with its line, in a document line and column."""
    from api.exchange.places import Located, Unparsed

    located: Located | None = None
    if whole is not None:
        try:
            located = Located(whole.decode())
        except UnicodeDecodeError:
            pass  # It has no places to be told.
        except Unparsed as error:
            tell(f"{name}:{error.place.line}:{error.place.column}: {error.detail}")
            return
    for fault in fate.faults:
        at = f":{fate.line}" if whole is None else ""
        if located is not None:
            place = located.place(fault.pointer)
            at = f":{place.line}:{place.column}"
        told = [f"{name}{at}", fate.call, fault.pointer, fault.detail]
        tell(": ".join(part for part in told if part))


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Where to write: a file takes its name only once it is whole."""
    if output is None or (output.exists() and not output.is_file()):
        with click.open_file(str(output or "-"), "wb") as out:
            yield out
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            if output.suffix == ".gz":
                with GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
