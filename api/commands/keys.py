"""API keys, for whoever runs the service: `keys create`, `keys list`, `keys revoke`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unicodedata import normalize

import click

from api.commands.common import failure, open_database

if TYPE_CHECKING:
    from api.store.keys import Key

LONGEST = 100  # characters of a name
SCOPES = ("write", "retract", "read")
OURS = ("cli", "seed")  # what the log of changes calls the program itself


class Name(click.ParamType[str]):
    """What the log of changes will call whoever has the key."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take it as it is, composed (NFC), so that no two look the same for that alone."""
        from api.web.keys import PREFIX

        named = normalize("NFC", value)
        if not named.isprintable() or named != named.strip() or not 1 <= len(named) <= LONGEST:
            self.fail(
                f"A name is 1 to {LONGEST} visible characters, with spaces inside alone.",
                param,
                ctx,
            )
        if named.startswith(PREFIX):
            self.fail(f"A name must not begin like a key, with {PREFIX!r}.", param, ctx)
        if named.partition(":")[0] in OURS:
            self.fail(f"{named!r} would pass for the program itself in the log.", param, ctx)
        return named


class Future(click.ParamType[str]):
    """An instant to come."""

    name = "RFC3339"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Bring it to UTC."""
        from marshmallow import ValidationError

        from schemas.instants import Instant

        try:
            instant: str = Instant().deserialize(value)
        except ValidationError as error:
            self.fail(f"{value!r}: {' '.join(error.messages)}", param, ctx)
        if instant <= _now():
            self.fail(f"{value!r} is past.", param, ctx)
        return instant


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option("--name", required=True, type=Name(), help="Whom the log of changes will name.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may do; give it again for more. `read` is of use where reads are private.",
)
@click.option("--expires", type=Future(), help="When it ends, such as 2030-01-31T12:00:00Z.")
def create(name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Make a key and print it, this once: the database keeps its hash alone."""
    from api.store import keys as kept
    from api.web.keys import SHOWN, hashed, new_key

    granted = tuple(scope for scope in SCOPES if scope in scopes)
    with open_database().write() as connection:
        if kept.named(connection, name):
            raise failure(f"there is a key named {name!r} already; names are not used again.")
        made = new_key()
        while kept.named(connection, made[:SHOWN]):
            made = new_key()
        key = kept.Key(made[:SHOWN], name, granted, _now(), expires, None)
        kept.add(connection, key, hashed(made))
    until = f"until {_seconds(expires)}" if expires else "until it is revoked"
    click.echo(
        f"The key {key.prefix}… of {name!r} may {', '.join(granted)} {until}. It is not shown"
        " again:",
        err=True,
    )
    click.echo(made)


@keys.command("list")
def listed() -> None:
    """List all keys by their prefixes, with what they may do and whether they hold."""
    from api.store import keys as kept

    with open_database().read() as connection:
        found = kept.every(connection)
    rows = [("PREFIX", "NAME", "SCOPES", "CREATED", "EXPIRES", "STATE")]
    rows += [
        (
            key.prefix,
            key.name,
            ",".join(key.scopes),
            _seconds(key.created_at),
            _seconds(key.expires_at) if key.expires_at else "never",
            _state(key),
        )
        for key in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@keys.command()
@click.argument("key", metavar="NAME-OR-PREFIX")
def revoke(key: str) -> None:
    """End a key for good, in every worker within 5 seconds."""
    from api.store import keys as kept

    with open_database().write() as connection:
        found = kept.named(connection, normalize("NFC", key))
        if found is None:
            raise failure("there is no key of that name or prefix; `readout keys list` has all.")
        if found.revoked_at is None:
            kept.revoke(connection, found, _now())
    told = f"{found.prefix} ({found.name})"
    if found.revoked_at is None:
        click.echo(f"{told} is revoked.")
    else:
        click.echo(f"{told} was revoked already, at {_seconds(found.revoked_at)}.")


COMMANDS = (keys,)


def _state(key: "Key") -> str:
    if key.revoked_at:
        return "revoked"
    return "active" if key.holds(_now()) else "expired"


def _now() -> str:
    from schemas.instants import timestamp

    return timestamp(datetime.now(UTC))


def _seconds(instant: str) -> str:
    return instant.partition(".")[0].removesuffix("Z") + "Z"
