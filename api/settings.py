"""Configuration from the environment, checked once, at start.

Every setting is a field of `Settings`; its variable is `READOUT_` and the field's name in capitals.
A new one is one field here and one line in the README's table, which a test compares with this one.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "READOUT_"
FOR_TESTS = "READOUT_TEST_"
LEVELS = ("debug", "info", "warning", "error")
DIALECTS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class SettingsError(Exception):
    """What is wrong with the configuration: every fault, one a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def database_url(given: str) -> str:
    """Read a database's URL and write it as SQLAlchemy wants it."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise ValueError("is not a URL like sqlite:///readout.sqlite or postgresql://…") from None
    driver = DIALECTS.get(url.drivername)
    if driver is None:
        raise ValueError(
            f"names {url.drivername!r}; it must begin with sqlite:/// or postgresql://"
        )
    if driver == "sqlite":
        if url.host or url.query or url.database in (None, "", ":memory:"):
            raise ValueError("must be sqlite:/// and the path of a file, with nothing after it")
        return URL.create(
            "sqlite", database=str(Path(str(url.database)).absolute())
        ).render_as_string()
    return url.set(drivername=driver).render_as_string(hide_password=False)


def level(given: str) -> str:
    """Read the name of a log level."""
    if given.lower() not in LEVELS:
        raise ValueError(f"is {given!r}; it must be one of {', '.join(LEVELS)}")
    return given.lower()


def seconds(given: str) -> float:
    """Read a time to wait."""
    try:
        value = float(given)
    except ValueError:
        value = 0
    if not 0 < value <= 60:
        raise ValueError(f"is {given!r}; it must be seconds, more than 0 and at most 60")
    return value


def standbys(given: str) -> tuple[URL, ...]:
    """Read a URL that names several hosts, as libpq does, as a URL for each."""
    if given == "none":
        return ()
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        plain = given.replace("postgresql+psycopg:", "postgresql:", 1)
        parts = {name: str(value) for name, value in conninfo_to_dict(plain).items()}
    except ProgrammingError:
        parts = {}
    hosts = parts.pop("host", "").split(",")
    ports = parts.pop("port", "").split(",")
    if not all(hosts) or "://" not in given:
        raise ValueError("is not a URL like postgresql://user:password@first:5432,second:5432/name")
    if len(ports) not in (1, len(hosts)) or not all(re.fullmatch(r"\d*", port) for port in ports):
        raise ValueError("must give a port for each host, or one for all")
    if parts.pop("target_session_attrs", "prefer-standby") not in ("prefer-standby", "standby"):
        raise ValueError("must have prefer-standby as its target_session_attrs, or none")
    if parts.pop("load_balance_hosts", "random") != "random":
        raise ValueError("must have random as its load_balance_hosts, or none")
    found = dict.fromkeys(zip(hosts, ports * (len(hosts) // len(ports)), strict=True))
    names = {"user": "username", "password": "password", "dbname": "database"}
    common = {name: parts.pop(given) for given, name in names.items() if given in parts}
    return tuple(
        URL.create(
            DIALECTS["postgresql"], host=host, port=int(port or 0) or None, query=parts, **common
        )
        for host, port in found
    )


def reads(given: str) -> str:
    """Read who may read."""
    if given not in ("public", "private"):
        raise ValueError(f"is {given!r}; it must be public or private")
    return given


def setting(read: Callable[[str], Any], default: str, meaning: str, *, secret: bool = False) -> Any:
    """Declare a setting: how its text is read, what holds where none is given, what it is for."""
    return field(metadata={"read": read, "default": default, "meaning": meaning}, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of one process."""

    database_url: str = setting(
        database_url,
        "sqlite:///readout.sqlite",
        "Where the records are: `sqlite:///` and a path (from the working directory, or from `/`), "
        "or `postgresql://user:password@host:port/name`.",
        secret=True,
    )
    read_database_url: tuple[URL, ...] = setting(
        standbys,
        "none",
        "Standbys of a PostgreSQL database, where requests without a key read: "
        "`postgresql://user:password@first:port,second:port/name`.",
        secret=True,
    )
    standby_lag: float = setting(
        seconds,
        "10",
        "Seconds that a standby may be behind; one that is further behind is left out.",
    )
    reads: str = setting(
        reads,
        "public",
        "Who may read: `public`, anyone; `private`, whoever has a key with the scope `read`.",
    )
    lock_wait: float = setting(
        seconds,
        "5",
        "Seconds that a request waits for the database, or for another write, before a 503.",
    )
    log_level: str = setting(
        level,
        "info",
        "What is logged: `debug`, `info` (each request), `warning`, or `error` (failures alone).",
    )


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, or raise `SettingsError` with all that is wrong.

    >>> load({"READOUT_LOCK_WAIT": "2"}).lock_wait
    2.0
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    for each in fields(Settings):
        try:
            # An empty variable counts as none, as where a compose file passes on what is not set.
            values[each.name] = each.metadata["read"](
                environ.get(variable(each)) or each.metadata["default"]
            )
        except ValueError as fault:
            faults.append(f"{variable(each)} {fault}.")
    known = [each.name.upper() for each in fields(Settings)]
    for name in sorted(environ):
        bare = name.removeprefix(PREFIX)
        if bare != name and bare not in known and not name.startswith(FOR_TESTS):
            near = get_close_matches(bare, known, n=1)
            faults.append(
                f"{name} is not a setting{f'; did you mean {PREFIX}{near[0]}?' if near else '.'}"
            )
    if values.get("read_database_url") and values.get("database_url", "").startswith("sqlite"):
        faults.append(
            "READOUT_READ_DATABASE_URL names standbys, which only a PostgreSQL database has; "
            "READOUT_DATABASE_URL is an SQLite file."
        )
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def variable(each: Field[Any]) -> str:
    """Name the environment variable of a field of `Settings`."""
    return PREFIX + each.name.upper()


def described() -> Iterator[tuple[str, str, str]]:
    """Give each setting's variable, default and meaning, for the README's table."""
    for each in fields(Settings):
        yield variable(each), each.metadata["default"], each.metadata["meaning"]
