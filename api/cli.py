"""The command line: `readout …`.

It exits with 0 when all is well, 1 when something failed, 2 when it was called or configured wrong.
"""

import errno
import logging
from typing import Any

import click
from sqlalchemy import make_url

from api.commands import backup, coding, document, exchange, keys, trust
from api.settings import SettingsError, load
from api.store.engine import Unavailable


class Failure(click.ClickException):
    """What went wrong, told in plain lines."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        """Print it, without a traceback."""
        for line in self.message.splitlines():
            click.echo(f"readout: {line}", err=True)


class Address(click.ParamType[tuple[str, int]]):
    """A host and a port; a host that is an IPv6 address stands in brackets."""

    name = "HOST:PORT"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Split the text at its last colon."""
        host, _, port = value.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not bare or (":" in bare) != (host != bare) or not port.isdecimal():
            self.fail(f"{value!r} is not like 127.0.0.1:8000 or [::1]:8000.", param, ctx)
        if int(port) > 65535:
            self.fail(f"{port} is not a port: the highest is 65535.", param, ctx)
        return bare, int(port)


class Commands(click.Group):
    """Tells what any command may meet."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        # What fails is told once, below; the workers of a server set up their own log.
        logging.basicConfig(level=logging.ERROR)
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Failure(str(error), 2) from error
        except Unavailable as refusal:
            said = f": {refusal.said}" if refusal.said else ""
            raise Failure(f"{refusal.reason} ({database()}{said})") from refusal


def database() -> str:
    """Name the database, without its password."""
    return make_url(load().database_url).render_as_string()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="readout-service", message="%(version)s")
def main() -> None:
    """Readout keeps structured records of diplomatic calls and serves them over HTTP.

    It is configured by the environment: READOUT_DATABASE_URL and what else the README lists.
    """


@main.command()
@click.option(
    "--bind",
    type=Address(),
    default="127.0.0.1:8000",
    show_default=True,
    help="Where to listen; [::]:8000 is everywhere.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How many processes answer.",
)
def serve(bind: tuple[str, int], workers: int) -> None:
    """Serve the API and its docs until stopped.

    Ctrl-C or SIGTERM ends it once what is under way is finished; a worker that crashes is replaced.
    """
    from api.serve import free, run

    settings = load()
    try:
        host, port = free(*bind)
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise Failure(
            f"port {bind[1]} of {bind[0]} {why}; name another by --bind (or make serve PORT=…)."
        ) from error
    run(settings, host, port, workers)


@main.command()
def migrate() -> None:
    """Bring the database's tables up to date.

    A SQLite file that does not exist is made. It is safe to run this more than once, and at once.
    """
    from alembic.util import CommandError

    from api.store.migrate import head, upgrade

    try:
        upgrade(load().database_url)
    except CommandError as error:
        raise Failure(f"{error} ({database()})") from error
    click.echo(f"{database()} is at revision {head()}.")


MODULES = (exchange, coding, keys, backup, trust, document)
for command in [one for module in MODULES for one in module.COMMANDS]:
    main.add_command(command)
