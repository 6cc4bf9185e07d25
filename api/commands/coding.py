"""For somebody who codes a call by hand: `check` a record, find `spans`, `verify-source`."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import click

from api.commands.common import count, failure, open_database, printable, read_text

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=EXISTING)
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="[SOURCE=]TEXT",
    help="The text of a source (UTF-8): of the one named, else of the one with its digest.",
)
def check(file: Path, texts: tuple[str, ...]) -> None:
    """Check the call record in FILE (YAML or JSON) without writing it anywhere.

    Its members, what it names, and its evidence are checked as a write would check them; spans also
    in the texts given. Each fault is told with its line and column. It exits with 0 when all holds,
    and with 1 otherwise.
    """
    from api.exchange.checking import check as checked
    from api.exchange.places import Located, Unparsed

    named, unnamed = _texts(texts)
    text = read_text(file)
    try:
        located = Located(text)
    except Unparsed as error:
        click.echo(printable(f"{_at(file, error.place)}: {error.detail}"), err=True)
        raise failure(f"{file} is no call record: it cannot be read.") from None
    findings = checked(located.document, named, unnamed)
    told = sorted((located.place(fault.pointer), fault) for fault in findings.faults)
    for place, fault in told:
        pointer = f"{fault.pointer}: " if fault.pointer else ""
        click.echo(printable(f"{_at(file, place)}: {pointer}{fault.detail}"), err=True)
    if findings.unchecked:
        unchecked = f"{count(findings.unchecked, 'record')} that name faulty ones"
        click.echo(f"{unchecked} could not be checked yet.", err=True)
    if told:
        raise failure(f"{file} has {count(len(told), 'fault')}.")
    unread = findings.spans - findings.read
    click.echo(
        f"{file} holds: {count(findings.statements, 'statement')}; "
        f"{count(findings.read, 'span')} checked in their texts, {unread} without a text."
    )


@click.command()
@click.argument("text", type=EXISTING)
@click.argument("words")
def spans(text: Path, words: str) -> None:
    """Print where words stand in TEXT (UTF-8), as the evidence of a statement tells it.

    Offsets count Unicode code points; the end is that after the last. Any white space in the text
    will do where the words have some. Where they stand more than once, all places are printed.
    """
    held = read_text(text)
    pieces = words.split()
    if not pieces:
        raise failure("there are no words to look for.", 2)
    # Places may overlap, so each is looked for from every character on.
    pattern = re.compile("(?=(" + r"\s+".join(map(re.escape, pieces)) + "))")
    found = [match.span(1) for match in pattern.finditer(held)]
    if not found:
        raise failure(f"the words do not stand in {text}.")
    for start, end in found:
        click.echo("\n".join(_entry(held, start, end)))
    if len(found) > 1:
        click.echo(f"The words stand there {len(found)} times: choose one.", err=True)


@click.command()
@click.argument("file", type=EXISTING)
@click.option("--source", help="The id of the source; else the one that the text fits.")
def verify_source(file: Path, source: str | None) -> None:
    """Check every recorded span and digest of a source against its text in FILE (UTF-8).

    Each that fails is named. It exits with 0 when all hold, and with 1 otherwise.
    """
    from api.exchange.verification import verify

    text = read_text(file)
    with open_database().read() as connection:
        verdict = verify(connection, text, source)
    if verdict is None:
        named = f"no source {source!r}" if source else "no source that this text fits"
        raise failure(f"the database has {named}.")
    for fault in verdict.faults:
        click.echo(printable(f"{fault.pointer}: {fault.detail}"), err=True)
    held = verdict.spans - verdict.failed
    click.echo(f"{verdict.source}: {held} of {verdict.spans} spans hold.")
    if verdict.faults:
        raise SystemExit(1)


COMMANDS = (check, spans, verify_source)


def _texts(given: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The texts by the sources named, and those without one by their files."""
    named: dict[str, str] = {}
    unnamed: dict[str, str] = {}
    for one in given:
        source, equals, path = one.partition("=")
        if not equals or Path(one).is_file():
            unnamed[one] = read_text(Path(one))
        elif source in named:
            raise failure(f"two texts are given for '{source}'.", 2)
        else:
            named[source] = read_text(Path(path))
    return named, unnamed


def _at(file: Path, place: tuple[int, int]) -> str:
    return f"{file}:{place[0]}:{place[1]}"


def _entry(text: str, start: int, end: int) -> Iterable[str]:
    from schemas.source import digest

    quote = text[start:end]
    yield f"- start: {start}"
    yield f"  end: {end}"
    yield f"  quote: {_quoted(quote)}"
    yield f"  digest: {digest(quote)}"


def _quoted(text: str) -> str:
    """A text as a YAML string on one line, with whatever would not be seen escaped."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in plain)
