"""The seed: one article as a record, answered, tied to its source, and nothing of its prose."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from api.cli import main
from api.exchange.documents import read_yaml
from tests.conftest import HERE, SEEDS
from tests.reading import CALLS, SEED, ids, read, walk

SOURCE = "blinken-lavrov-frank-discussions"
TEXTS = sorted((HERE / "records" / "texts").glob("*.txt"))
LONG_ENOUGH = 40  # Shorter spans ("Lavrov", "Blinken said") are nobody's prose.


@pytest.fixture(scope="module")
def seed() -> dict[str, Any]:
    [path] = SEEDS
    return read_yaml(path.read_text(encoding="utf-8"))


def spans(seed: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for statement in seed["statements"] for span in statement["evidence"]]


# The question that Readout is for.

BLINKEN = {"id": "antony-blinken", "name": "Antony Blinken", "country": "US"}
LAVROV = {"id": "sergey-lavrov", "name": "Sergey Lavrov", "country": "RU"}
RUSSIA = {"id": "russia", "name": "Russia", "country": "RU"}
UNITED_STATES = {"id": "united-states", "name": "United States", "country": "US"}
AT = {
    "id": SOURCE,
    "title": "Blinken, Lavrov hold 'frank' discussions",
    "publisher": None,
    "url": None,
}


def test_all_positions_stated_on_the_grain_deal(client: FlaskClient) -> None:
    blinken, lavrov = read(client, "/v1/topics/grain-deal/positions")["data"]
    assert blinken["call"] == {
        "id": SEED,
        "title": "Phone call between Antony Blinken and Sergey Lavrov",
        "held_on": "2022-07-29",
    }
    by_whom = ("speakers", "addressees", "targets", "setting", "form", "act", "self_reported")
    assert {name: blinken[name] for name in by_whom} == {
        "speakers": [BLINKEN],
        "addressees": [LAVROV],
        "targets": [LAVROV, RUSSIA],
        "setting": "on-call",
        "form": "indirect",
        "act": "demand",
        "self_reported": True,
    }
    assert {name: lavrov[name] for name in by_whom} == {
        "speakers": [LAVROV],
        "addressees": [BLINKEN],
        "targets": [UNITED_STATES],
        "setting": "on-call",
        "form": "indirect",
        "act": "accusation",
        "self_reported": True,
    }
    assert blinken["account"] == {
        "id": f"{SEED}-us-remarks",
        "sides": [{"id": "united-states", "name": "United States"}],
        "genre": "press-remarks",
        "given_by": {"id": "antony-blinken", "name": "Antony Blinken"},
    }
    assert lavrov["account"] == {
        "id": f"{SEED}-russian-readout",
        "sides": [{"id": "russia", "name": "Russia"}],
        "genre": "readout",
        "given_by": {"id": "russian-foreign-ministry", "name": "Russian Foreign Ministry"},
    }
    assert [topic["id"] for topic in lavrov["topics"]] == [
        "grain-deal",
        "food-security",
        "sanctions",
    ]
    assert [span["source"] for span in lavrov["evidence"]] == [AT, AT, AT]
    assert [(span["start"], span["end"]) for span in blinken["evidence"]] == [(892, 995)]
    [quoted] = [span["quote"] for span in lavrov["evidence"] if span["quote"]]
    assert quoted.startswith("the US promises to provide appropriate exemptions")
    for one in (blinken, lavrov):
        assert one["position"] is True
        assert one["said_on"] == "2022-07-29"
        assert one["quote"] is None
        assert one["summary"].endswith(".")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/topics/grain-deal/positions",
        "/v1/topics/black-sea-grain-initiative/positions",
        "/v1/topics/istanbul-agreements/positions",
        "/v1/statements?topic=grain-deal&position=true",
        "/v1/statements?topic=ukraine-grain-deal&position=true&call=blinken-lavrov-2022-07-29",
    ],
)
def test_every_way_to_ask_gives_the_same(client: FlaskClient, path: str) -> None:
    assert ids(read(client, path)) == [f"{SEED}-06", f"{SEED}-15"]


def test_every_statement_stands_with_its_act_and_setting(client: FlaskClient) -> None:
    found = {
        one["id"].removeprefix(f"{SEED}-"): f"{one['setting']} {one['form']} {one['act']}"
        for one in walk(client, f"/v1/calls/{SEED}/statements?sort=id")
    }
    assert found == {
        "01": "on-call direct demand",
        "02": "about-call direct characterisation",
        "03": "about-call indirect announcement",
        "04": "about-call direct assessment",
        "05": "about-call direct assessment",
        "06": "on-call indirect demand",
        "07": "on-call indirect demand",
        "08": "on-call direct rejection",
        "09": "on-call direct warning",
        "10": "about-call direct assessment",
        "11": "off-call mixed accusation",
        "12": "off-call mixed accusation",
        "13": "off-call direct appeal",
        "14": "off-call direct appeal",
        "15": "on-call indirect accusation",
        "16": "on-call indirect briefing",
        "17": "on-call indirect accusation",
        "18": "on-call indirect accusation",
        "19": "on-call indirect discussion",
        "20": "on-call indirect commitment",
        "21": "on-call direct warning",
    }


def test_tellings_and_their_dates(client: FlaskClient) -> None:
    found = {
        one["id"].removeprefix(f"{SEED}-"): (
            *(side["id"] for side in one["sides"]),
            one["genre"],
            one["given_on"],
            one["coverage"],
        )
        for one in walk(client, f"/v1/calls/{SEED}/accounts")
    }
    assert found == {
        "us-remarks": ("united-states", "press-remarks", "2022-07-29", "part"),
        "us-plan": ("united-states", "press-remarks", "2022-07-27", "part"),
        "russian-readout": ("russia", "readout", None, "part"),
    }


def test_topics_are_neutral_and_each_has_a_scope_note(
    client: FlaskClient, seed: dict[str, Any]
) -> None:
    named = {topic["id"]: topic for topic in walk(client, "/v1/topics")}
    expected = {
        "grain-deal": "food-security", "food-security": None, "sanctions": None, "taiwan": None,
        "detained-americans": None, "war-in-ukraine": None, "annexation": "war-in-ukraine",
        "arms-supplies": "war-in-ukraine", "war-aims": "war-in-ukraine",
    }  # fmt: skip
    assert {one["id"]: one["broader"] for one in seed["topics"]} == expected
    for name in expected:
        assert named[name]["description"]
        assert "special military operation" not in str(named[name]).lower()
    assert "Black Sea Grain Initiative" in named["grain-deal"]["aliases"]


def test_what_the_article_does_not_say_is_null(client: FlaskClient) -> None:
    call = read(client, f"/v1/calls/{SEED}")
    assert (call["held_on"], call["held_on_basis"]) == ("2022-07-29", "external")
    assert call["notes"]
    assert call["initiated_by"] == []
    source = read(client, f"/v1/sources/{SOURCE}")
    for name in ("publisher", "url", "published_on", "text"):
        assert source[name] is None
    assert (source["rights"], source["characters"]) == ("quote", 4178)
    assert source["sha256"] == "5307c1284859558382e5d17e9ccab67d8c6331eb2fb601d46912d302d5523a17"


# Nothing of the article's own text.


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from strings(inner)
        case list():
            for inner in value:
                yield from strings(inner)


def test_no_prose_of_the_article_is_repeated(seed: dict[str, Any]) -> None:
    shown = {span["quote"] for span in spans(seed)}
    withheld = {
        (span["end"] - span["start"], span["digest"])
        for span in spans(seed)
        if span["quote"] is None and span["end"] - span["start"] >= LONG_ENOUGH
    }
    assert len(withheld) > 10
    for text in {*strings(seed)} - shown:
        for length, digest in withheld:
            for start in range(len(text) - length + 1):
                window = text[start : start + length]
                assert sha256(window.encode()).hexdigest() != digest, window


def test_only_words_in_quotation_marks_are_shown(seed: dict[str, Any]) -> None:
    for statement in seed["statements"]:
        quotes = [span["quote"] for span in statement["evidence"] if span["quote"]]
        if statement["quote"]:
            for fragment in statement["quote"].split(" … "):
                assert any(fragment in quote for quote in quotes), fragment
        assert statement["summary"] not in quotes
        own = re.sub('"[^"]*"', "", statement["summary"])
        assert not any(quote in own for quote in quotes)


# verify-source.


def verify(database_url: str, *arguments: str | Path) -> Result:
    command = ["verify-source", *map(str, arguments)]
    return CliRunner().invoke(main, command, env={"READOUT_DATABASE_URL": database_url})


def test_a_text_that_fits_its_spans_is_verified(database_url: str) -> None:
    for path in TEXTS:
        result = verify(database_url, path)
        assert (result.exit_code, result.stderr) == (0, ""), path
        assert re.fullmatch(rf"{path.stem}: (\d+) of \1 spans hold\.\n", result.stdout)
        assert verify(database_url, path, "--source", path.stem).stdout == result.stdout


def test_each_span_that_fails_is_named(
    database_url: str, seed: dict[str, Any], tmp_path: Path
) -> None:
    known = [" "] * 4178
    for span in spans(seed):
        if span["quote"]:
            known[span["start"] : span["end"]] = span["quote"]
    path = tmp_path / "article.txt"
    path.write_text("".join(known), encoding="utf-8")
    result = verify(database_url, path, "--source", SOURCE)
    assert result.exit_code == 1
    withheld = {
        f"statements/{statement['id']} evidence {place}"
        for statement in seed["statements"]
        for place, span in enumerate(statement["evidence"])
        if span["quote"] is None
    }
    named = {line.partition(":")[0] for line in result.stderr.splitlines()}
    assert named == {*withheld, f"sources/{SOURCE} sha256"}
    every = len(spans(seed))
    assert f"{every - len(withheld)} of {every} spans hold" in result.stdout


def test_one_wrong_character_is_found(database_url: str, tmp_path: Path) -> None:
    text = (HERE / "records/texts/malta-memorandum-2031.txt").read_text(encoding="utf-8")
    path = tmp_path / "memorandum.txt"
    path.write_text(text.replace("kettle", "Kettle"), encoding="utf-8")
    result = verify(database_url, path)
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "sources/malta-memorandum-2031 sha256",
        "statements/ferry-2031-04 evidence 0",
    ]


@pytest.mark.parametrize("text", [b"", b"Nothing of the kind.", b"\xff\xfe"])
def test_a_text_of_something_else_fails(database_url: str, tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "other.txt"
    path.write_bytes(text)
    result = verify(database_url, path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("readout: ")
    assert verify(database_url, TEXTS[0], "--source", "nothing").exit_code == 1
    assert verify(database_url, tmp_path / "missing.txt").exit_code == 2


def test_the_seed_is_the_first_of_the_calls(client: FlaskClient) -> None:
    assert read(client, "/v1/calls?sort=held_on")["data"][0]["id"] == SEED == CALLS[0]
