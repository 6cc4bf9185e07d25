"""What several commands share: the database they work on, and how they tell what is wrong."""

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
