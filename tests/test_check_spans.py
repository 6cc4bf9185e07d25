"""`readout check` and `readout spans`: what a coder gets told, and where it stands."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from api.cli import main
from api.exchange.documents import parse_yaml
from schemas.source import digest
from tests.call_records import TEXT, a_record
from tests.conftest import HERE, RECORDS

TEXTS = sorted(HERE.glob("records/texts/*.txt"))


def run(*arguments: str | Path) -> Result:
    # It must need no database.
    env = {"READOUT_DATABASE_URL": "sqlite:////nowhere/readout.sqlite"}
    return CliRunner().invoke(main, [str(one) for one in arguments], env=env)


@pytest.fixture
def record() -> dict[str, Any]:
    return a_record("coded")


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Result]:
    """Check a record, written as YAML unless it is text already."""

    def check(record: Any, *arguments: str | Path) -> Result:
        file = tmp_path / "call.yaml"
        if isinstance(record, str):
            file.write_text(record, encoding="utf-8", newline="")
        else:
            with file.open("w", encoding="utf-8") as opened:
                YAML(typ="safe", pure=True).dump(record, opened)
        return run("check", file, *arguments)

    return check


def faults(done: Result) -> list[str]:
    """The faults told, without the file."""
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if "call.yaml:" in line]
    return [line.partition("call.yaml:")[2] for line in lines]


def pointers(done: Result) -> list[str]:
    return sorted(one.split(": ")[1] for one in faults(done))


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_the_records_here_hold(file: Path) -> None:
    sources = {one["id"]: one for one in parse_yaml(file.read_text())["sources"]}
    given = [f"{one.stem}={one}" for one in TEXTS if one.stem in sources]
    done = run("check", file, *(word for one in given for word in ("--text", one)))
    assert done.exit_code == 0, done.output
    if given:
        assert "0 without a text" in done.stdout


def test_a_record_in_json_holds(check: Callable[..., Result], record: dict[str, Any]) -> None:
    for indent in (None, 2, "\t"):
        for plain in (False, True):  # With and without escapes of two for one character.
            done = check(json.dumps(record, indent=indent, ensure_ascii=plain))
            assert done.exit_code == 0, done.output
    assert "spans" in done.stdout


def at(text: str, needle: str, after: str = "") -> str:
    """The line and column of something in a text."""
    before = text[: text.index(needle, text.index(after))].split("\n")
    return f"{len(before)}:{len(before[-1]) + 1}"


def test_every_fault_has_its_line_and_column(
    check: Callable[..., Result], record: dict[str, Any]
) -> None:
    record["statements"][0]["act"] = "shouting"
    del record["statements"][0]["summary"]
    record["call"]["mood"] = "icy"
    text = json.dumps(record, indent=2, ensure_ascii=False)
    done = check(text)
    mood, summary, act = faults(done)
    assert mood == at(text, '"mood"') + ": /call/mood: Unknown member."
    # What is missing is told where the object begins that lacks it.
    assert summary == at(text, "{", '"statements"') + ": /statements/0/summary: Required."
    assert act.startswith(at(text, '"act"') + ": /statements/0/act: Must be one of: ")
    assert done.stderr.endswith("has 3 faults.\n")


def test_a_place_in_yaml_counts_characters(check: Callable[..., Result]) -> None:
    text = "# 🌊\r\ncall: {title: 🌊🌊, mood: 1}\r\ntopics:\r\n  - id: A\r\n    label:\r\n"
    told = faults(check("\ufeff" + text))
    assert "2:19: /call/mood: Unknown member." in told
    assert [one for one in told if one.startswith("4:5: /topics/0/id: Must be lower-case")]
    assert "5:5: /topics/0/label: Must not be null." in told


def test_faults_of_several_kinds_come_at_once(
    check: Callable[..., Result], record: dict[str, Any]
) -> None:
    more = copy.deepcopy(record["statements"][0]) | {"id": "coded-statement-3"}
    record["statements"].append(more)
    record["topics"][0]["broader"] = "nowhere"
    record["call"]["participants"][0]["side"] = "coded-minister"
    record["accounts"][0]["given_by"] = "nobody"
    done = check(record)
    assert pointers(done) == [
        "/accounts/0/given_by",
        "/call/participants/0/side",
        "/topics/0/broader",
    ]
    # The account names the call, too, and each statement the account.
    assert "4 records that name faulty ones could not be checked yet." in done.stderr


def test_faults_of_evidence(check: Callable[..., Result], record: dict[str, Any]) -> None:
    first, second = record["statements"]
    first["evidence"][0]["digest"] = digest("others")
    first["topics"] = ["nothing"]
    second["evidence"][0]["end"] += 1
    second["quote"] = "Shut it by May"
    assert pointers(check(record)) == ["/statements/0/topics/0", *pointers_of_the_second()]
    first["topics"] = []
    assert "/statements/0/evidence/0/digest" in pointers(check(record))


def pointers_of_the_second() -> list[str]:
    at = "/statements/1"
    return [f"{at}/evidence/0/digest", f"{at}/evidence/0/quote", f"{at}/quote"]


def test_what_clashes_within_a_record(check: Callable[..., Result], record: dict[str, Any]) -> None:
    record["participants"][1]["aliases"] = ["coded Alfa"]
    assert "/participants/1/id" in pointers(check(record))


UNREADABLE = [
    ("call: [1,\n", "2:1: Expected the node content"),
    ("call: 1\ncall: 2\n", "2:1: Found duplicate key"),
    ('{"call": 1,\n "call": "\\ud83c\\udf0a"}', "2:2: Found duplicate key"),
    ("call:\n\ttitle: x\n", "2:1: Found character '\\t'"),
    ("call: a\x01\n", "1:8: The character U+0001"),
    ("a: 1\n--- 2\n", "2:1: But found another document"),
    ("a: *b\n", "1:4: Found undefined alias"),
    ("a: !b c\n", "1:4: Could not determine a constructor"),
    ("a: !!int b\n", "1:1: Invalid literal"),
    ("[" * 1000, "1:1: Nested too deeply."),
]


@pytest.mark.parametrize(("text", "told"), UNREADABLE, ids=lambda one: ascii(one[:12]))
def test_what_is_no_yaml_is_told_with_its_place(
    check: Callable[..., Result], text: str, told: str
) -> None:
    [fault] = faults(check(text))
    assert fault.startswith(told)


@pytest.mark.parametrize(
    "text", ["", "1", "[]", "call:", "~: 1", "[a]: 1", "a: &b [*b]", "{1: {}}"]
)
def test_what_is_no_call_record_is_told(check: Callable[..., Result], text: str) -> None:
    assert faults(check(text))


def test_what_is_not_utf_8_is_told(tmp_path: Path) -> None:
    file = tmp_path / "call.yaml"
    file.write_bytes(b"title: caf\xe9")
    for done in (run("check", file), run("spans", file, "caf")):
        assert done.exit_code == 1
        assert done.stderr == f"readout: {file} is not UTF-8 (at byte 10).\n"


@pytest.fixture
def text(tmp_path: Path, record: dict[str, Any]) -> Path:
    """The text of the record's source, which the record then has not."""
    file = tmp_path / "bulletin.txt"
    file.write_text(TEXT, encoding="utf-8", newline="")
    record["sources"][0] |= {"text": None, "rights": "quote"}
    return file


def test_spans_are_read_in_the_text_given(
    check: Callable[..., Result], record: dict[str, Any], text: Path
) -> None:
    assert "0 spans checked in their texts, 2 without" in check(record).stdout
    for given in (f"{text}", f"coded-source={text}"):
        assert "2 spans checked in their texts, 0 without" in check(record, "--text", given).stdout
    span = record["statements"][0]["evidence"][0]
    span |= {"start": span["start"] + 1, "end": span["end"] + 1}
    assert check(record).exit_code == 0
    assert pointers(check(record, "--text", text)) == ["/statements/0/evidence/0/digest"]


def test_a_text_that_is_another_is_told(
    check: Callable[..., Result], record: dict[str, Any], text: Path
) -> None:
    text.write_text("Another text.", encoding="utf-8")
    [none] = faults(check(record, "--text", text))
    assert f"it has 13 characters, sha256 {digest('Another text.')}" in none
    told = pointers(check(record, "--text", f"coded-source={text}"))
    assert {"/sources/0/characters", "/sources/0/sha256"} < set(told)
    assert pointers(check(record, "--text", f"coded-call={text}")) == ["/sources"]


def test_the_measures_of_a_text_are_told_where_they_lack(
    check: Callable[..., Result], record: dict[str, Any], text: Path
) -> None:
    record["sources"][0] |= {"characters": None, "sha256": None}
    told = faults(check(record, "--text", f"coded-source={text}"))
    assert [one.partition("Required where ")[2] for one in told] == [
        f"the text is not given. The text given has {right}." for right in (len(TEXT), digest(TEXT))
    ]


def test_texts_that_cannot_be(check: Callable[..., Result], record: dict[str, Any]) -> None:
    assert check(record, "--text", "nowhere.txt").exit_code == 1
    assert check(record, "--text", "coded-source=nowhere.txt").exit_code == 1


def test_the_spans_printed_are_evidence(
    check: Callable[..., Result], record: dict[str, Any], text: Path
) -> None:
    done = run("spans", text, "“Open it by May,” she said, “or we dredge alone.”")
    assert (done.exit_code, done.stderr) == (0, "")
    [span] = parse_yaml(done.stdout)
    evidence = record["statements"][1]["evidence"]
    assert [{"source": "coded-source"} | span] == evidence


def test_white_space_may_differ(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    held = '🌊 to\r\n\topen\u00a0the "lock"\u2028now'
    file.write_text(held, encoding="utf-8", newline="")
    done = run("spans", file, '  to open the "lock" now ')
    assert len(done.stdout.splitlines()) == 4
    [span] = parse_yaml(done.stdout)
    assert span["quote"] == held[span["start"] : span["end"]] == held[2:]
    assert span["digest"] == digest(span["quote"])


def test_words_that_stand_there_more_than_once(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("no, no, no.", encoding="utf-8")
    done = run("spans", file, "no, no")
    assert done.exit_code == 0
    assert [one["start"] for one in parse_yaml(done.stdout)] == [0, 4]
    assert done.stderr == "The words stand there 2 times: choose one.\n"


def test_words_that_do_not_stand_there(text: Path) -> None:
    for words in ("open the loch", "OPEN", "open.the"):
        done = run("spans", text, words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "do not stand in" in done.stderr
    assert run("spans", text, " ").exit_code == 2
