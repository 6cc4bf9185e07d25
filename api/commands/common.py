"""What several commands share: the database they work on, and how they tell what is wrong."""

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.settings import load

if TYPE_CHECKING:
    from api.store.engine import Database


def open_database(*, bulk: bool = False) -> "Database":
    """The database that the environment names, which must be reachable and at the newest tables.

    With `bulk` it is to write very much.
    """
    from api.store.engine import Database
    from api.store.migrate import ready

    settings = load()
    database = Database(settings.database_url, settings.lock_wait, bulk=bulk)
    # The last to close a SQLite file takes the log beside it into it.
    click.get_current_context().call_on_close(database.close)
    if reason := ready(database):
        raise failure(reason)
    return database


def failure(message: str, exit_code: int = 1) -> click.ClickException:
    """What ends a command, told in plain lines."""
    from api.cli import Failure

    return Failure(message, exit_code)


class Reason(click.ParamType[str]):
    """Why something is done, for the log of changes: what `reason` may be over HTTP."""

    name = "TEXT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take it as it is."""
        from marshmallow import ValidationError

        from schemas.fields import Text

        try:
            return str(Text(required=True).deserialize(value))
        except ValidationError as error:
            self.fail(" ".join(map(str, error.messages)), param, ctx)


def operator() -> str:
    """Who the log says did it: whoever runs the command, on this machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # A container's user may have no name.
        return "cli"


@contextmanager
def progress(length: int | None, label: str) -> Iterator[Callable[[int], None]]:
    """A bar, where there is a terminal to show it, that is told how far things have come."""
    if not length or not sys.stderr.isatty():
        yield lambda reached: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield lambda reached: bar.update(reached - bar.pos)


def tell(message: str) -> None:
    """Say what is wrong, on a line of its own also where a bar is shown."""
    clear = "\r\x1b[2K" if sys.stderr.isatty() else ""
    click.echo(clear + printable(message), err=True)


def read_text(file: Path) -> str:
    """The text in a file, every character as it stands there: offsets count from them."""
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise failure(f"{file} is not UTF-8 (at byte {error.start}).") from error
    except OSError as error:
        raise failure(f"{file}: {error.strerror}.") from error


def count(number: int, what: str) -> str:
    """How many there are of something."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """A text that every terminal takes."""
    return text.encode(errors="backslashreplace").decode()
