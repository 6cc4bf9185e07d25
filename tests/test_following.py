"""The script of docs/following.md, taken from the page: no change missed or repeated, both ends
being killed, stopped and started again meanwhile."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli import main
from tests.call_records import a_record
from tests.clients import Client
from tests.processes import Process, eventually
from tests.service import Service
from tests.writers import Writers, prepared

PAGE = Path(__file__).parents[1] / "docs" / "following.md"
SCRIPT, CURRENT = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
BETWEEN = 40  # writes from one blow to the next

pytestmark = [
    pytest.mark.skipif(not shutil.which(program), reason=f"there is no {program} here")
    for program in ("curl", "jq")
]


class Follower:
    """The script at work in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        folder.mkdir()
        (folder / "follow.sh").write_text(SCRIPT)
        self.start()

    def start(self) -> None:
        command = ["sh", "follow.sh", self.url]
        self.process = Process(command, self.folder / "follow.log", cwd=self.folder)

    def kill(self) -> None:
        self.process.kill()

    @property
    def last(self) -> int:
        file = self.folder / "last"
        return int(file.read_text() or 0) if file.exists() else 0

    def reaches(self, seq: int) -> None:
        eventually(lambda: self.last >= seq, f"change {seq} in the mirror")

    def mirror(self) -> list[dict[str, Any]]:
        lines = (self.folder / "changes.ndjson").read_bytes().splitlines()
        return [json.loads(line) for line in lines]


@contextmanager
def following(folder: Path, url: str) -> Iterator[Follower]:
    follower = Follower(folder, url)
    try:
        yield follower
    finally:
        follower.kill()


def changes(client: Client, after: int = 0) -> list[dict[str, Any]]:
    """What the service tells itself, in one answer."""
    *lines, end = client.get(f"changes?after={after}&format=ndjson").body.splitlines()
    assert json.loads(end)["end"] is True
    return [json.loads(line) for line in lines]


def head(client: Client) -> int:
    seq: int = client.get("changes/checkpoint").json["seq"]
    return seq


def test_nothing_is_missed_or_repeated_through_restarts_of_both_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'followed.sqlite'}"
    monkeypatch.setenv("READOUT_DATABASE_URL", database)
    key = prepared(database)
    with (
        Service(tmp_path, database) as service,
        following(tmp_path / "mirror", service.url) as follower,
        closing(Client(service.url, key)) as client,
    ):
        with Writers(service.url, key) as writers:
            for end, how in (
                (follower, follower.kill),
                (service, service.kill),
                (follower, follower.kill),
                (service, service.stop),
                (follower, follower.kill),
            ):
                writers.go_on(BETWEEN)
                how()
                if end is follower:
                    writers.go_on(BETWEEN)  # What is written while it is away.
                end.start()
            writers.go_on(BETWEEN)
            writers.go_on(BETWEEN)
        follower.reaches(head(client))
        mirrored = follower.mirror()
        assert [one["seq"] for one in mirrored] == list(range(1, head(client) + 1))
        assert mirrored == changes(client)

        # A record retracted, brought back, and another one redacted: the mirror follows.
        one, other = (f"statements/{each['id']}" for each in a_record("faults")["statements"])
        tag = {"If-Match": client.tag(other)}
        assert client.send("DELETE", f"{other}?reason=Twice", headers=tag).status == 204
        follower.reaches(head(client))
        redacted = CliRunner().invoke(main, ["redact", one, "--reason", "By order", "--yes"])
        assert redacted.exit_code == 0, redacted.output
        follower.reaches(head(client))
        follower.kill()
        assert follower.mirror() == changes(client)
        assert [one["record"] for one in follower.mirror() if one["action"] == "redact"] == [None]

        current(follower, client)
        checkpoints(follower)


def current(follower: Follower, client: Client) -> None:
    """What stands by the mirror is what stands at the service."""
    made = subprocess.run(
        ["sh", "-c", CURRENT], cwd=follower.folder, capture_output=True, text=True, check=True
    )
    assert made.stdout == ""
    stands = json.loads((follower.folder / "current.json").read_text())
    for kind, records in stands.items():
        listed = client.get(f"{kind}?format=ndjson&fields=id").body.splitlines()[:-1]
        assert records.keys() == {json.loads(line)["id"] for line in listed}
    one = next(iter(stands["statements"]))
    assert client.get(f"statements/{one}").json["summary"] == stands["statements"][one]["summary"]


def checkpoints(follower: Follower) -> None:
    """Every line is a checkpoint, by the command on the page."""
    [command] = re.findall(r"`(jq -c '\{seq.*?)`", PAGE.read_text())
    kept = subprocess.run(
        ["sh", "-c", command], cwd=follower.folder, capture_output=True, text=True, check=True
    ).stdout
    assert len(kept.splitlines()) == follower.last
    verified = CliRunner().invoke(main, ["verify", "--checkpoint", "-"], input=kept)
    assert verified.exit_code == 0, verified.output


def test_a_mirror_that_was_cut_is_not_gone_on_with(tmp_path: Path) -> None:
    with following(tmp_path / "mirror", "http://127.0.0.1:1") as follower:
        eventually(lambda: (follower.folder / "last").exists(), "a start")
        follower.kill()
        (follower.folder / "last").write_text("7\n")
        follower.start()
        assert follower.process.wait() == 1
        assert "was cut" in (follower.folder / "follow.log").read_text()
