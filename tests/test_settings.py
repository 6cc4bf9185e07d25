"""The configuration: what is read from the environment, and what is said of what is wrong in it."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from api.settings import SettingsError, described, load

README = Path(__file__).parents[1] / "README.md"


def faults(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(environ)
    return error.value.faults


def test_nothing_given_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({})
    assert settings.database_url == f"sqlite:///{tmp_path}/readout.sqlite"
    assert (settings.lock_wait, settings.log_level) == (5.0, "info")


def test_an_empty_variable_counts_as_none() -> None:
    assert load({"READOUT_LOG_LEVEL": ""}).log_level == "info"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_names_the_same_driver(scheme: str) -> None:
    given = f"{scheme}://me:s%40cret@db:5433/readout?sslmode=require"
    url = load({"READOUT_DATABASE_URL": given}).database_url
    assert url == "postgresql+psycopg://me:s%40cret@db:5433/readout?sslmode=require"


def test_a_path_is_absolute_once_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = load({"READOUT_DATABASE_URL": "sqlite:///an odd & long%20name é.sqlite"}).database_url
    assert make_url(url).database == f"{tmp_path}/an odd & long name é.sqlite"


@pytest.mark.parametrize(
    "url",
    [
        "readout.sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.sqlite?mode=ro",
        "sqlite://host/a.sqlite",
        "mysql://root@db/readout",
        "postgresql+psycopg2://db/readout",
        "postgresql://db:port/readout",
    ],
)
def test_a_database_that_is_none_of_ours_is_a_fault(url: str) -> None:
    [fault] = faults(READOUT_DATABASE_URL=url)
    assert fault.startswith("READOUT_DATABASE_URL ")


def test_all_faults_are_reported_at_once() -> None:
    assert faults(READOUT_LOG_LEVEL="loud", READOUT_LOCK_WAIT="-1", READOUT_DATABASE_URL="x") == [
        "READOUT_DATABASE_URL is not a URL like sqlite:///readout.sqlite or postgresql://….",
        "READOUT_LOCK_WAIT is '-1'; it must be seconds, more than 0 and at most 60.",
        "READOUT_LOG_LEVEL is 'loud'; it must be one of debug, info, warning, error.",
    ]


@pytest.mark.parametrize("wait", ["soon", "0", "61", "nan", "inf"])
def test_a_wait_is_a_number_of_seconds(wait: str) -> None:
    assert faults(READOUT_LOCK_WAIT=wait)


PRIMARY = "postgresql://me@primary/readout"


def test_standbys_are_read_from_a_url_as_libpq_writes_it() -> None:
    given = (
        "postgresql://me:s%40cret@first:5433,second,[::1]:5434/readout"
        "?target_session_attrs=prefer-standby&load_balance_hosts=random&sslmode=require"
    )
    settings = load({"READOUT_DATABASE_URL": PRIMARY, "READOUT_READ_DATABASE_URL": given})
    hosts = [("first", 5433), ("second", None), ("::1", 5434)]
    assert [(url.host, url.port) for url in settings.read_database_url] == hosts
    for url in settings.read_database_url:
        assert (url.username, url.password, url.database) == ("me", "s@cret", "readout")
        assert url.query == {"sslmode": "require"}
    assert "s@cret" not in repr(settings)


def test_one_port_is_that_of_all_standbys() -> None:
    given = "postgresql:///readout?host=/run/first,/run/second&port=5433"
    settings = load({"READOUT_DATABASE_URL": PRIMARY, "READOUT_READ_DATABASE_URL": given})
    assert [(url.host, url.port) for url in settings.read_database_url] == [
        ("/run/first", 5433),
        ("/run/second", 5433),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sqlite:///x.sqlite", "is not a URL like"),
        ("host=first,second", "is not a URL like"),
        ("postgresql:///readout", "is not a URL like"),
        ("postgresql://first,/readout", "is not a URL like"),
        ("postgresql://first:x/readout", "must give a port"),
        ("postgresql:///x?host=a,b,c&port=1,2", "must give a port"),
        ("postgresql://first/readout?target_session_attrs=primary", "prefer-standby"),
        ("postgresql://first/readout?load_balance_hosts=disable", "random"),
        ("postgresql://first/readout?no_such_option=1", "is not a URL like"),
    ],
)
def test_standbys_that_cannot_be_are_a_fault(given: str, said: str) -> None:
    [fault] = faults(READOUT_DATABASE_URL=PRIMARY, READOUT_READ_DATABASE_URL=given)
    assert fault.startswith("READOUT_READ_DATABASE_URL ")
    assert said in fault


def test_an_sqlite_file_has_no_standbys() -> None:
    [fault] = faults(READOUT_READ_DATABASE_URL="postgresql://first,second/readout")
    assert "only a PostgreSQL database has" in fault


def test_an_unknown_variable_is_a_fault_with_the_nearest_name() -> None:
    assert faults(READOUT_DATABASE_URI="sqlite:///x", READOUT_COLOUR="blue") == [
        "READOUT_COLOUR is not a setting.",
        "READOUT_DATABASE_URI is not a setting; did you mean READOUT_DATABASE_URL?",
    ]


def test_what_is_for_the_tests_is_let_through() -> None:
    assert load({"READOUT_TEST_POSTGRES_URL": "postgresql://x/y", "HOME": "/"}) == load({})


def test_a_password_is_not_shown_with_the_settings() -> None:
    settings = load({"READOUT_DATABASE_URL": "postgresql://me:hunter2@db/readout"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(faults(READOUT_DATABASE_URL="mysql://me:hunter2@db/readout"))


def test_the_readme_lists_every_setting() -> None:
    text = README.read_text()
    for name, default, meaning in described():
        assert f"| `{name}` | `{default}` | {meaning} |" in text
