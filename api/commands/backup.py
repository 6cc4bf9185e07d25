"""`readout backup`: a copy of the database while the service goes on.

It is made by SQLite's online backup in a single step: all pages as one snapshot has them. In WAL
mode writers go on meanwhile and nothing that they write makes it begin anew, as it would between
several steps. VACUUM INTO would make a smaller copy, but a different file: without WAL, which
stands in the file, and slower by the rebuilding of every index.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import make_url

from api.commands.common import failure, open_database
from api.settings import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

BESIDE = ("-wal", "-shm", "-journal")  # SQLite would take these for the copy's own


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy a SQLite database into a new FILE while the service goes on writing.

    The copy is consistent, on the disk when the command ends, and holds the hashes of API keys. A
    FILE that exists is never overwritten.
    """
    from api import ledger
    from api.cli import database as named

    url = make_url(load().database_url)
    if url.get_backend_name() != "sqlite":
        raise failure("PostgreSQL has its own tool for this: pg_dump --format=custom.", 2)
    _refuse_to_overwrite(file)
    with open_database().stream() as connection:
        head = ledger.checkpoint(connection)  # With it the snapshot begins.
        with _written(file) as temporary:
            _copy(connection, temporary)
            shutil.copymode(str(url.database), temporary)
    click.echo(f"{file} is a copy of {named()} as of change {head['seq']}.")


COMMANDS = (backup,)


def _refuse_to_overwrite(file: Path) -> None:
    for path in (file, *(file.with_name(file.name + suffix) for suffix in BESIDE)):
        if os.path.lexists(path):
            raise failure(f"{path} is there already, and a backup overwrites nothing.")


def _copy(connection: "Connection", to: Path) -> None:
    from api.store.sqlite import DRIVER

    source: Any = connection.connection.driver_connection
    try:
        target = DRIVER.connect(str(to), isolation_level=None)
        try:
            # It counts only once it is whole, so it needs no journal, and one sync at the end.
            target.execute("PRAGMA journal_mode=OFF")
            target.execute("PRAGMA synchronous=OFF")
            source.backup(target, pages=-1)
        finally:
            target.close()
    except DRIVER.Error as error:
        raise failure(f"the copy could not be made: {error}.") from error


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    """A temporary file beside the one wanted, which becomes it, synced, once it is whole."""
    try:
        descriptor, name = mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise failure(f"{file} cannot be made: {error.strerror}.") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        _take_name(temporary, file)
        _sync(file.parent)
    except OSError as error:
        raise failure(f"{file} cannot be made: {error.strerror}.") from error
    finally:
        for suffix in ("", *BESIDE):
            with suppress(FileNotFoundError):
                Path(name + suffix).unlink()


def _take_name(temporary: Path, file: Path) -> None:
    """Rename a file where the name is free. A second link fails where it is taken meanwhile."""
    try:
        file.hardlink_to(temporary)
    except FileExistsError:
        _refuse_to_overwrite(file)
        raise
    except OSError:  # Not every file system has links.
        _refuse_to_overwrite(file)
        temporary.rename(file)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
