"""`readout keys`: keys are made, shown once, listed without themselves, and revoked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from api import create_app
from api.cli import main
from api.settings import load
from api.store.keys import SCOPES
from api.store.migrate import upgrade
from api.web.keys import SHOWN, hashed, is_well_formed
from tests.conftest import KINDS
from tests.writing import Writer
from tests.writing import new_key as given

Readout = Callable[..., Result]


@pytest.fixture(scope="module", params=KINDS)
def url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    url = new_database(request.param)
    upgrade(url)
    return url


@pytest.fixture
def readout(url: str) -> Readout:
    def run(*arguments: str) -> Result:
        env = {"READOUT_DATABASE_URL": url}
        return CliRunner().invoke(main, ["keys", *arguments], env=env)

    return run


def create(readout: Readout, name: str, *more: str, scope: str = "write") -> Result:
    return readout("create", "--name", name, "--scope", scope, *more)


def row_of(readout: Readout, name: str) -> list[str]:
    lines = readout("list").stdout.splitlines()
    [row] = [line for line in lines if re.search(rf"  {re.escape(name)}  ", line)]
    return re.split(r"  +", row)


def test_a_key_is_printed_alone_and_works(url: str, readout: Readout) -> None:
    made = create(readout, "works", "--scope", "retract", "--scope", "write")
    assert made.exit_code == 0
    key = made.stdout.removesuffix("\n")
    assert is_well_formed(key)
    assert key not in made.stderr
    assert key[:SHOWN] in made.stderr
    app = create_app(load({"READOUT_DATABASE_URL": url}))
    writer = Writer(app, key)
    assert writer.put("topics/tides", {"label": "Tides"}).status_code == 201
    [revision] = writer.read("topics/tides/revisions")["data"]
    assert revision["actor"] == "works"
    assert writer.delete("topics/tides").status_code == 204
    assert readout("revoke", "works").exit_code == 0
    app = create_app(load({"READOUT_DATABASE_URL": url}))  # As a worker that has not seen it yet.
    assert Writer(app, key).put("topics/tides", {"label": "Tides"}).status_code == 401


def test_the_list_tells_all_but_the_key_and_its_hash(url: str, readout: Readout) -> None:
    to_come = create(readout, "to come", "--expires", "2999-01-01T01:00:00+01:00").stdout.strip()
    past = given(url, "read", name="past", expires="2026-01-02T00:00:00.000000Z")
    create(readout, "withdrawn", scope="read")
    readout("revoke", "withdrawn")
    listed = readout("list")
    assert listed.exit_code == 0
    head = re.split(" +", listed.stdout.splitlines()[0])
    assert head == ["PREFIX", "NAME", "SCOPES", "CREATED", "EXPIRES", "STATE"]
    for key in (to_come, past):
        assert key not in listed.stdout
        assert hashed(key).hex() not in listed.stdout
    prefix, _, scopes, created, expires, state = row_of(readout, "to come")
    assert (prefix, scopes, state) == (to_come[:SHOWN], "write", "active")
    assert datetime.now(UTC) - datetime.fromisoformat(created) < timedelta(minutes=5)
    assert expires == "2999-01-01T00:00:00Z"
    assert row_of(readout, "past")[-2:] == ["2026-01-02T00:00:00Z", "expired"]
    assert row_of(readout, "withdrawn")[-2:] == ["never", "revoked"]


@pytest.mark.parametrize("by", ["name", "prefix"])
def test_revoking_twice_says_so(readout: Readout, by: str) -> None:
    key = create(readout, f"revoked by {by}").stdout.strip()
    called = f"revoked by {by}" if by == "name" else key[:SHOWN]
    first, again = readout("revoke", called), readout("revoke", called)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "is revoked" in first.stdout
    assert "was revoked already, at 2" in again.stdout
    taken = create(readout, f"revoked by {by}")
    assert (taken.exit_code, taken.stdout) == (1, "")


def test_an_unknown_key_is_not_revoked(readout: Readout) -> None:
    done = readout("revoke", "nobody")
    assert done.exit_code == 1
    assert done.stderr.startswith("readout: there is no key")


def test_a_name_is_taken_once(readout: Readout) -> None:
    create(readout, "café")
    for name in ("café", "cafe\u0301"):
        done = create(readout, name)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "already" in done.stderr


NAMES = [
    *("", " ", "a\nb", "a\x00b", "\x1b[2J", "a\u200bb", "a\u202eb", " a", "a ", "n" * 101),
    *("rdo_123456", "cli", "cli:root", "seed"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_cannot_be_is_refused(readout: Readout, name: str) -> None:
    done = create(readout, name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "name" in done.stderr


def test_the_longest_name_is_taken(readout: Readout) -> None:
    assert create(readout, "ñ" * 100).exit_code == 0


WRONG = [
    *("2030-01-31", "tomorrow", "2030-01-31T12:00:00", "2030-02-30T12:00:00Z", ""),
    *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"),
]


@pytest.mark.parametrize("instant", WRONG)
def test_an_end_that_is_no_instant_to_come_is_refused(readout: Readout, instant: str) -> None:
    done = create(readout, "ending", "--expires", instant)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--expires" in done.stderr


def test_a_scope_is_needed_and_known(readout: Readout) -> None:
    assert readout("create", "--name", "idle").exit_code == 2
    assert create(readout, "idle", scope="admin").exit_code == 2
    assert row_of_none(readout, "idle")


def row_of_none(readout: Readout, name: str) -> bool:
    return name not in readout("list").stdout


def test_the_scopes_are_those_of_the_store() -> None:
    from api.commands import keys

    assert keys.SCOPES == SCOPES


def test_a_database_without_tables_is_told(new_database: Callable[..., str]) -> None:
    env = {"READOUT_DATABASE_URL": new_database("sqlite")}
    for arguments in (["list"], ["revoke", "x"], ["create", "--name", "x", "--scope", "write"]):
        done = CliRunner().invoke(main, ["keys", *arguments], env=env)
        assert done.exit_code == 1
        assert done.stderr.startswith("readout: ")
