"""The schemas are strict where marshmallow is lax, and tell where each fault is."""

from hashlib import sha256
from typing import Any

import orjson
import pytest
from marshmallow import ValidationError

from schemas.problem import faults
from schemas.record import WRITTEN, CallRecord
from tests.least import ATTENDANCE, DIGEST, INSIDE, LEAST, SPAN, STAGE, at_fault
from tests.reading import KINDS

REQUIRED = {
    "calls": ["title"],
    "participants": ["kind", "name"],
    "topics": ["label"],
    "sources": ["rights", "title"],
    "accounts": ["call", "genre"],
    "statements": ["account", "act", "evidence", "form", "setting", "summary"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_required_is_neither_missing_nor_null_nor_blank(kind: str) -> None:
    for name in ("id", *REQUIRED[kind]):
        without = {k: v for k, v in LEAST[kind].items() if k != name}
        with pytest.raises(ValidationError) as error:
            WRITTEN[kind].load(without)
        assert [fault.pointer for fault in faults(error.value.messages)] == [f"/{name}"]
        for wrong in (None, "", " ", "\t\n", "\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}"):
            assert at_fault(kind, **{name: wrong}) == [f"/{name}"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_null_is_told_from_what_has_a_default(kind: str) -> None:
    for name, field in WRITTEN[kind].load_fields.items():
        if name != "text":  # Without it a source needs its length and digest.
            assert at_fault(kind, **{name: None}) == ([] if field.allow_none else [f"/{name}"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [None, [], "text", 5, True, [LEAST]])
def test_a_record_is_an_object(kind: str, wrong: Any) -> None:
    with pytest.raises(ValidationError) as error:
        WRITTEN[kind].load(wrong)
    assert [fault.pointer for fault in faults(error.value.messages)] == [""]


LONG = "x" * 10_001
NO_TEXT: list[Any] = [5, 5.0, True, [], {}, ["x"], "a\0b", "\ud800", "a\udc00", LONG, b"x"]
TEXTS = [
    ("calls", "title"), ("calls", "notes"), ("participants", "name"), ("topics", "description"),
    ("sources", "publisher"), ("sources", "obtained_from"), ("statements", "attribution"),
    ("statements", "summary"), ("statements", "quote"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), TEXTS)
@pytest.mark.parametrize("wrong", NO_TEXT, ids=lambda value: repr(value)[:10])
def test_text_is_text(kind: str, name: str, wrong: Any) -> None:
    assert at_fault(kind, **{name: wrong}) == [f"/{name}"]


def test_text_is_kept_as_it_was_sent() -> None:
    for text in (
        "\r\n a\t",
        "e\u0301",
        "é",
        "\ufeff",
        "🙂" * 10_000,
        "\x01",
        "\uffff",
        "</script>",
    ):
        loaded = WRITTEN["calls"].load(
            {**LEAST["calls"], "notes": text, "title": f"x{text}"[:9999]}
        )
        assert loaded["notes"] == text


NAN = float("nan")
# Where marshmallow's own fields would let something through, or make something else of it.
LAX: list[tuple[str, str, list[Any]]] = [
    ("statements", "/evidence/0/start", ["0", 0.5, "00", True, None, -1, 2**53, 1e300, NAN]),
    ("statements", "/evidence/0/end", ["4", 4.5, 0, True, [], float("inf"), 10**400, NAN]),
    ("statements", "/evidence/0/digest", [DIGEST.upper(), DIGEST + "\n", DIGEST[1:], "g" * 64, 5]),
    ("statements", "/evidence/0/source", ["Paper", "paper\n", "-paper", "none", "a" * 81]),
    ("statements", "/said_on", ["20220729", "2022-W30", "2022-07-29T10:00", "2022-7-29", "２０２２",
                                "2022-07-29\n", "2022-02-30", "0000", "", 2022, "2023/2022"]),
    ("statements", "/setting", ["On-call", "on-call ", "on_call", "", 1, None, "on-call\n", ["x"]]),
    ("statements", "/speakers", ["somebody", None, {}, {"id": "x"}, 5, ["a"] * 2, ["a", "b", "a"]]),
    ("statements", "/evidence", [[], {}, SPAN, None, "x", [SPAN, SPAN]]),
    ("participants", "/country", ["us", "UK", "USA", "XX", "US\n", "", 1, "EU", "CSH"]),
    ("participants", "/kind", ["Person", "party", None, 1]),
    ("participants", "/aliases", ["x", [None], [""], ["a", "a"], [" "], [["a"]], {"a": 1}]),
    ("sources", "/url", ["example.org", "ftp://example.org", "https://", "//example.org", "x:y",
                         "https://example.org/ x", "https://example.org\n", "javascript:x", 5, ""]),
    ("sources", "/language", ["plain English", "", "en_GB", "e", "en-", "en\n", 5, "toolongtag"]),
    ("sources", "/characters", [3, 5, "4", 4.5, 0, -4, True]),
    ("sources", "/sha256", [sha256(b"word").hexdigest(), DIGEST.upper(), "x", DIGEST + " "]),
    ("sources", "/text", ["", 5, "\ud800", "a\0", [], "x" * (1024 * 1024 + 1)]),
    ("calls", "/held_on", ["29 July 2022", "2022-13", "2022-07-29Z", 20220729, "2022-21", "Y2022"]),
    ("calls", "/status", ["held\n", "HELD", "", None, "postponed"]),
    ("calls", "/participants/0/role", ["host", None, "", 1]),
    ("calls", "/lifecycle/0/on", ["yesterday", "20220729", 5]),
    ("calls", "/related/0/call", ["None", "none", "", None, {"id": "x"}]),
    ("accounts", "/coverage", ["all", None, True]),
    ("topics", "/broader", ["A-topic", "none", "", 5, ["x"]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "pointer", "wrong"), LAX, ids=lambda value: str(value)[:30])
def test_nothing_is_made_to_fit(kind: str, pointer: str, wrong: list[Any]) -> None:
    name, *inside = pointer[1:].split("/")
    for value in wrong:
        member = [{**INSIDE[name], inside[-1]: value}] if inside else value
        found = at_fault(kind, **{name: member})
        assert found, value
        assert all(one.startswith(f"/{name}") for one in found), value


def test_an_integer_may_be_written_with_a_point() -> None:
    span = {**SPAN, "start": 0.0, "end": 4.0}
    loaded = WRITTEN["statements"].load({**LEAST["statements"], "evidence": [span]})
    assert orjson.dumps(loaded["evidence"][0]["end"]) == b"4"


def test_lists_hold_up_to_500() -> None:
    many = [f"p-{n}" for n in range(501)]
    assert at_fault("statements", speakers=many[:500]) == []
    assert at_fault("statements", speakers=many) == ["/speakers"]
    statements = [{**LEAST["statements"], "id": one} for one in many]
    record = CallRecord().load({"call": LEAST["calls"], "statements": statements})
    assert len(record["statements"]) == 501


@pytest.mark.parametrize(
    ("kind", "members", "pointers"),
    [
        ("calls", {"held_on_basis": "external"}, ["/notes"]),
        ("calls", {"held_on_basis": "external", "notes": " "}, ["/notes"]),
        ("calls", {"held_on_basis": "external", "notes": "A calendar."}, []),
        ("calls", {"participants": [ATTENDANCE, ATTENDANCE]}, ["/participants/1"]),
        ("calls", {"lifecycle": [STAGE, STAGE]}, []),
        ("statements", {"quote": "Word"}, ["/quote"]),
        ("statements", {"form": "mixed", "quote": "Word"}, []),
        ("statements", {"evidence": [{**SPAN, "start": 4}]}, ["/evidence/0/end"]),
        ("sources", {"rights": "quote"}, ["/text"]),
        ("sources", {"rights": "none", "text": None}, ["/characters", "/sha256"]),
        ("sources", {"text": None, "characters": 4, "sha256": DIGEST, "rights": "none"}, []),
        ("sources", {"rights": "x", "title": "", "url": "?"}, ["/rights", "/title", "/url"]),
    ],
)  # fmt: skip
def test_members_that_go_together(kind: str, members: dict[str, Any], pointers: list[str]) -> None:
    assert at_fault(kind, **members) == pointers
