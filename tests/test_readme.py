"""The documents keep what they promise: what is to be typed works, what is listed is there."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from werkzeug import Client, Response

from api.cli import main
from api.exchange.documents import read_yaml
from api.settings import described
from api.web.logs import Surroundings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = sorted(ROOT.glob("*.md"))
HOST = "http://127.0.0.1:8000"
SEED = ROOT / "seeds" / "blinken-lavrov-2022-07-29.yaml"


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)


CURLS = [
    line
    for block in blocks(README, "sh")
    for line in block.splitlines()
    if re.match(r"\s*curl ", line)
]


class Got(NamedTuple):
    """What a curl gave: status, headers where it printed them, and the body."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.json["data"]]


class Shell:
    """Where the README's curls are typed: in an empty folder, at the live server."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        (folder / ".curlrc").write_text('silent\nshow-error\nwrite-out = "%{stderr}%{http_code}"\n')

    def run(self, line: str) -> Got:
        done = subprocess.run(
            ["sh", "-c", line.replace(HOST, self.url)],
            cwd=self.folder,
            env=os.environ | {"CURL_HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        body = done.stdout
        if to := re.search(r"--output (\S+)", line):
            assert body == ""
            body = (self.folder / to[1]).read_text()
        headers = {}
        if "--include" in line:
            head, _, body = body.partition("\n\n")
            headers = dict(each.lower().split(": ", 1) for each in head.splitlines()[1:])
        return Got(int(done.stderr), headers, body)


@pytest.fixture
def shell(live: str, tmp_path: Path) -> Shell:
    if not shutil.which("curl"):
        pytest.skip("there is no curl here")
    return Shell(live.rstrip("/"), tmp_path)


def the_answer_shown(got: Got, again: Callable[[], Got]) -> None:
    assert got.json == json.loads(blocks(README, "json")[0])


def positions_of_one_side(got: Got, again: Callable[[], Got]) -> None:
    sides = [one["account"]["sides"] for one in got.json["data"]]
    assert sides == [[{"id": "russia", "name": "Russia"}]]


def where_lavrov_stands(got: Got, again: Callable[[], Got]) -> None:
    assert got.json["data"]
    for one in got.json["data"]:
        assert [who["id"] for who in one["speakers"]] == ["sergey-lavrov"]
        assert {"sanctions", "grain-deal"} & {topic["id"] for topic in one["topics"]}
        assert one["position"]


def words_and_places(got: Got, again: Callable[[], Got]) -> None:
    shown = [span["quote"] for span in got.json["evidence"] if span["quote"]]
    assert got.json["quote"] == " … ".join(shown)


def tellings_side_by_side(got: Got, again: Callable[[], Got]) -> None:
    assert [side["id"] for side in got.json["sides"]] == ["russia", "united-states"]
    states = {row["topic"]["id"]: [c["state"] for c in row["cells"]] for row in got.json["topics"]}
    assert states["grain-deal"] == ["speaks", "speaks"]
    assert states["annexation"] == ["not_recorded", "speaks"]


def marked_words(got: Got, again: Callable[[], Got]) -> None:
    assert got.json["data"]
    for one in got.json["data"]:
        marked = " ".join(one["highlight"].values()).lower()
        assert "<mark>food supplies</mark>" in marked
        assert "<mark>sanctions</mark>" in marked
        assert "istanbul" not in one["summary"].lower()


def pressure_on_russia(got: Got, again: Callable[[], Got]) -> None:
    assert {one["act"] for one in got.json["data"]} == {"demand", "warning"}
    for one in got.json["data"]:
        assert "RU" in [target["country"] for target in one["targets"]]
        assert one["said_on"].startswith("2022-07")


def counts_alone(got: Got, again: Callable[[], Got]) -> None:
    assert got.json["data"] == []
    assert list(got.json["facets"]) == ["topic", "act", "speaker"]
    assert {"id": "grain-deal", "label": "Grain deal", "count": 3} in got.json["facets"]["topic"]


def a_whole_call(got: Got, again: Callable[[], Got]) -> None:
    seed = read_yaml(SEED.read_text())
    assert list(got.json) == list(seed)
    for kind in ("participants", "topics", "sources", "accounts", "statements"):
        assert {one["id"] for one in got.json[kind]} == {one["id"] for one in seed[kind]}


def a_table_of_positions(got: Got, again: Callable[[], Got]) -> None:
    header, *rows = got.body.splitlines()
    assert header.startswith("id,call,account,speakers,")
    assert len(rows) == 14
    assert all(",true," in row for row in rows)


def everything_whole(got: Got, again: Callable[[], Got]) -> None:
    *lines, last = got.body.splitlines(keepends=True)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert json.loads(last) == {"end": True, "count": len(lines), "sha256": digest}
    assert [json.loads(line)["call"]["id"] for line in lines] == ["blinken-lavrov-2022-07-29"]


def a_page_of_five(got: Got, again: Callable[[], Got]) -> None:
    page = got.json["page"]
    assert len(got.ids) == page["limit"] == 5
    assert page["total"] == 21
    link = re.fullmatch('<(.+)>; rel="next"', got.headers["link"])
    assert link
    assert link[1].endswith(f"cursor={page['next']}".lower())


def nothing_the_second_time(got: Got, again: Callable[[], Got]) -> None:
    assert len(got.ids) == 2
    second = again()
    assert second.status == 304
    assert second.body == got.body


def what_would_be_right(got: Got, again: Callable[[], Got]) -> None:
    assert "did you mean 'grain-deal'" in got.json["errors"][0]["detail"]


CHECKS: dict[str, tuple[int, Callable[[Got, Callable[[], Got]], None]]] = {
    "grain-deal/positions?fields=": (200, the_answer_shown),
    "grain-deal/positions?side=russia": (200, positions_of_one_side),
    "participants/lavrov/positions": (200, where_lavrov_stands),
    "statements/blinken-lavrov": (200, words_and_places),
    "/comparison": (200, tellings_side_by_side),
    "q=": (200, marked_words),
    "act=demand,warning": (200, pressure_on_russia),
    "facets=": (200, counts_alone),
    "/record'": (200, a_whole_call),
    "format=csv": (200, a_table_of_positions),
    "/v1/records": (200, everything_whole),
    "--include": (200, a_page_of_five),
    "--etag-compare": (200, nothing_the_second_time),
    "topic=grain-dael": (404, what_would_be_right),
}


@pytest.mark.parametrize("line", CURLS)
def test_every_curl_gives_what_its_line_promises(line: str, shell: Shell) -> None:
    [(status, check)] = [check for part, check in CHECKS.items() if part in line]
    got = shell.run(line)
    assert got.status == status
    assert got.body
    check(got, lambda: shell.run(line))


def test_each_check_has_its_curl() -> None:
    assert len(CURLS) == len(CHECKS)
    assert [part for part in CHECKS if not any(part in line for line in CURLS)] == []


def test_the_next_page_begins_where_this_one_ends(shell: Shell) -> None:
    line = f"curl '{HOST}/v1/statements?limit=5&fields=id"
    first = shell.run(f"{line}'")
    following = shell.run(f"{line}&cursor={first.json['page']['next']}'")
    everything = shell.run(f"curl '{HOST}/v1/statements?fields=id'")
    assert first.ids + following.ids == everything.ids[:10]


def positions_counted(output: str) -> dict[str, list[str]]:
    rows = [line.split() for line in output.splitlines() if line.strip()]
    return {name: counts for name, *counts in rows}


def check_analysis(output: str) -> None:
    counted = positions_counted(output)
    assert counted["grain-deal"] == ["1", "1"]
    assert counted["annexation"] == ["5", "0"]


def six_lines(language: str, live: str) -> str:
    [block] = blocks(README, language)
    assert len([line for line in block.splitlines() if line]) == 6
    return block.replace(HOST, live.rstrip("/"))


def test_the_lines_of_pandas_count_positions(live: str) -> None:
    if not importlib.util.find_spec("pandas"):
        pytest.skip("there is no pandas here; it is no dependency")
    program = [sys.executable, "-c", six_lines("python", live)]
    check_analysis(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def test_the_lines_of_r_count_positions(live: str) -> None:
    if not shutil.which("Rscript"):
        pytest.skip("there is no R here; it is no dependency")
    program = ["Rscript", "-e", six_lines("r", live)]
    check_analysis(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def rows(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"| `{start}")]


def test_the_table_of_settings_is_the_settings() -> None:
    told = [f"| `{name}` | `{default}` | {meaning} |" for name, default, meaning in described()]
    assert rows(README, "READOUT_") == told


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """All commands, those of groups by their full names."""
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}")
    else:
        yield name, command


def row_of(name: str, command: click.Command) -> str:
    pieces = command.collect_usage_pieces(click.Context(command))
    usage = " ".join([name, *(piece for piece in pieces if piece != "[OPTIONS]")])
    options = [
        f"`{option}`"
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    ]
    first = " ".join((command.help or "").split("\n\n")[0].split())
    return f"| `{usage}` | {', '.join(options)} | {first} |"


def test_the_table_of_commands_is_the_command_line() -> None:
    there = sorted(row_of(*one) for one in commands(main, "readout"))
    assert rows(README, "readout ") == there


def test_every_metric_named_is_exposed(live: str) -> None:
    with urllib.request.urlopen(f"{live}/metrics") as answer:
        exposed = answer.read().decode()
    named = re.findall(r"`(readout_\w+)`", README)
    assert named
    assert [name for name in named if name not in exposed] == []


def test_a_line_of_the_log_is_as_shown(capfd: pytest.CaptureFixture[str]) -> None:
    Client(Surroundings(Response("ok"))).get("/readyz")
    shown = json.loads(blocks(README, "json")[-1])
    assert list(json.loads(capfd.readouterr().err)) == list(shown)


def test_the_number_of_places_in_the_seed_is_right() -> None:
    places = sum(len(one["evidence"]) for one in read_yaml(SEED.read_text())["statements"])
    assert f"all {places} places of the seed" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_named_is_there(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    code = " ".join(re.findall(r"```.*?```|`[^`]+`", page.read_text(), re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= set(targets)


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted(ROOT.glob("docs/*.md"))], ids=lambda page: page.name
)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w-]", "", t.lower().replace(" ", "-")) for t in titles]


def test_the_examples_of_coding_are_coded_so() -> None:
    seed = {one["id"][-2:]: one for one in read_yaml(SEED.read_text())["statements"]}
    examples = re.findall(
        r"^\| `…-(\d\d)` \| (.+?) \| (.+?) \| (.+?) \|", CONTRIBUTING, re.MULTILINE
    )
    assert examples
    for number, *codes in examples:
        assert codes == [f"`{seed[number][name]}`" for name in ("setting", "form", "act")], number
    assert set(re.findall(r"`…-(\d\d)`", CONTRIBUTING)) <= set(seed)
