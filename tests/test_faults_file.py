"""The database file goes, or another comes in its place: noticed at once, nothing goes nowhere."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from api.store.sqlite import SAFE_WAL
from tests.clients import Client
from tests.processes import eventually, opened
from tests.service import WORKERS, Service
from tests.writers import SHARED, Writers, prepared, statement, verified

BETWEEN = 40  # writes before it goes

pytestmark = pytest.mark.skipif(not SAFE_WAL, reason="there is no log beside the file without WAL")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "database"
    folder.mkdir()
    return folder / "records.sqlite"


def refuses(service: Service, key: str, why: str) -> None:
    """See that every worker refuses all that needs the database."""
    for _ in range(8):
        for method, path in (
            ("GET", "/readyz"),
            ("GET", SHARED),
            ("GET", "changes"),
            ("POST", "statements"),
        ):
            body = statement("lost") if method == "POST" else None
            answer = Client(service.url, key).once(method, path, body)
            assert answer.told == (503, "unavailable"), (method, path)
            assert why in answer.json["detail"]
        assert Client(service.url).once("GET", "/healthz").status == 200


def all_opened(service: Service, file: Path) -> bool:
    return [str(file) in opened(pid) for pid in service.workers()] == [True] * WORKERS


def well(service: Service, key: str) -> None:
    client = Client(service.url, key)
    assert client.once("GET", "/readyz").status == 200
    assert client.once("POST", "statements", statement("well")).status == 201
    assert client.once("GET", SHARED).status == 200


def strike(
    tmp_path: Path, file: Path, blow: Callable[[], object], why: str, *, returns: bool = False
) -> Writers:
    """Do something to the file amid writes; `kept` remains another name of the same file.

    Gives the writers, with the service stopped; where it `returns`, the service goes on before.
    """
    url = f"sqlite:///{file}"
    key = prepared(url)
    kept = tmp_path / "kept.sqlite"
    os.link(file, kept)
    with Service(tmp_path, url) as service:
        with Writers(service.url, key) as writers:
            writers.go_on(BETWEEN)
            eventually(lambda: all_opened(service, file), "that all workers are there")
            blow()
            refuses(service, key, why)
            writers.refusals(20)
            if returns:
                os.link(kept, file)
                writers.go_on(BETWEEN)
        if not returns:
            refuses(service, key, why)
        assert service.stop() == 0
    return writers


def test_a_file_that_is_deleted_is_noticed(tmp_path: Path, file: Path) -> None:
    writers = strike(tmp_path, file, file.unlink, "is gone")
    kept = tmp_path / "kept.sqlite"
    # Nothing was made in its place.
    assert not file.exists()
    assert writers.check(f"sqlite:///{kept}") <= writers.unsettled
    kept.rename(file)
    key = prepared(f"sqlite:///{file}")
    with Service(tmp_path, f"sqlite:///{file}") as service:
        well(service, key)


def test_a_file_that_comes_back_is_taken_up_again(tmp_path: Path, file: Path) -> None:
    writers = strike(tmp_path, file, file.unlink, "is gone", returns=True)
    writers.check(f"sqlite:///{file}")
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_file_in_its_place_stays_as_it_is(tmp_path: Path, file: Path) -> None:
    """As when a backup is put there, before the restart that the refusal asks for or after it."""
    backup = tmp_path / "backup.sqlite"
    key = prepared(f"sqlite:///{backup}")
    whole = backup.read_bytes()
    writers = strike(tmp_path, file, lambda: backup.replace(file), "was replaced")
    # What was acknowledged before stands in the old file, whose name is another now.
    writers.check(f"sqlite:///{tmp_path / 'kept.sqlite'}")
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == whole
    with Service(tmp_path, f"sqlite:///{file}") as service:
        well(service, key)
        service.stop()
    assert verified(f"sqlite:///{file}") == {"well": 1}


def test_a_log_that_is_deleted_takes_nothing_along(tmp_path: Path, file: Path) -> None:
    log = file.with_name(f"{file.name}-wal")
    writers = strike(tmp_path, file, log.unlink, "The log beside the database file is gone")
    writers.check(f"sqlite:///{file}")
    key = prepared(f"sqlite:///{file}")
    with Service(tmp_path, f"sqlite:///{file}") as service:
        well(service, key)
