"""What becomes of values that were written: text, dates that default, references, topics."""

from typing import Any

import pytest

from schemas.source import digest
from tests.call_records import a_record
from tests.writing import Writer, content, faults, told

TAG = "values"


@pytest.fixture(scope="module", autouse=True)
def record(writer: Writer) -> None:
    """A call record for the tests of this module to name."""
    assert writer.put(f"calls/{TAG}-call/record", a_record(TAG)).status_code == 201


def statement(**members: Any) -> dict[str, Any]:
    made: dict[str, Any] = a_record(TAG)["statements"][0] | members
    del made["id"]
    return made


# Text stays as it was sent

TEXTS = (
    "Zo\u0308e in two code points (NFD) and Zoë in one (NFC)",
    "\u1100\u1161\u11a8 \uac01 \u2126 \ufb01 \u212b",
    "🌊🏳️‍🌈👩🏽‍⚖️ 𠮷野丸 \U0010ffff \U000f0000",
    "line\r\nfeeds\rof\nevery\u2028kind\u2029and\u0085so",
    "  blanks around and a tab behind \t",
    " \u00a0\u3000\ufeffno blank\u200b\u200d",
    "\x01\x02\x1b[31m\x7f\x80\x9f",
    "\ufffe\uffff\ufffd\ud7ff\ue000",
    "مجلس \u202bبحر\u202c الميريديان",
    "\\ \" ' / \\u0041 \\n </script> & %00 {} [] null",
    "'; DROP TABLE topics; --",
    "=cmd|' /C calc'!A0",
    "x" * 10_000,
    "𠮷" * 10_000,
    "".join(digest(f"{number}") for number in range(156)),  # No database can make it shorter.
)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:25])
def test_text_is_kept_byte_for_byte(writer: Writer, text: str) -> None:
    topic = {"label": f"Texts {text}"[:10_000], "aliases": [text], "description": text}
    person = {"name": f"Texts {text}"[:10_000], "kind": "person", "aliases": [text]}
    call = {"title": text, "notes": text, "lifecycle": [{"stage": "held", "note": text}]}
    source = {"title": text, "publisher": text, "rights": "open", "text": text * 3}
    said = statement(summary=text, attribution=text)
    sent: dict[str, dict[str, Any]] = {
        "topics": topic,
        "participants": person,
        "calls": call,
        "sources": source,
        "statements": said,
    }
    for kind, document in sent.items():
        made = writer.post(kind, document)
        assert made.status_code == 201, made.text
        path = f"{kind}/{content(made)['id']}"
        for read in (content(made), writer.read(path)):
            for member, value in document.items():
                if value == text or member in ("label", "name", "aliases", "text"):
                    assert read[member] == value
        [logged] = writer.read(f"{path}/revisions")["data"]
        assert {name: logged["record"][name] for name in document} == document | (
            {"lifecycle": logged["record"]["lifecycle"]} if kind == "calls" else {}
        )
        if kind == "calls":
            assert writer.read(path)["lifecycle"][0]["note"] == text
        assert writer.delete(path).status_code == 204


def test_text_that_differs_in_its_form_alone_is_a_change(writer: Writer) -> None:
    path = "topics/values-form"
    for number, label in enumerate(("Zoë", "Zoe\u0308", "Zoë ", " Zoë"), 1):
        answer = writer.put(path, {"label": label})
        assert (content(answer)["label"], content(answer)["revision"]) == (label, number)


# When it was said

CASES = {
    # setting and said_on as sent, and what is stored
    "on-call, left out": ("on-call", (), "2031-05-02"),
    "about-call, left out": ("about-call", (), "2031-05-03"),
    "off-call, left out": ("off-call", (), "2031-05-03"),
    "on-call, null": ("on-call", (None,), None),
    "off-call, null": ("off-call", (None,), None),
    "on-call, given": ("on-call", ("1974-XX",), "1974-XX"),
}


@pytest.mark.parametrize("case", CASES)
def test_said_on_is_the_day_of_the_call_or_of_the_telling(writer: Writer, case: str) -> None:
    setting, given, expected = CASES[case]
    sent = statement(setting=setting)
    del sent["said_on"]
    if given:
        sent["said_on"] = given[0]
    posted = writer.post("statements", sent)
    assert content(posted)["said_on"] == expected
    path = f"statements/{TAG}-said-{list(CASES).index(case)}"
    for _ in range(2):  # Made, and replaced by the same.
        put = writer.put(path, sent)
        assert (content(put)["said_on"], content(put)["revision"]) == (expected, 1)
    writer.put(path, sent | {"said_on": "1999"})
    put = writer.put(path, sent)
    assert (content(put)["said_on"], content(put)["revision"]) == (expected, 3)
    for null in (None, "1999-12", None):
        patched = writer.patch(path, {"said_on": null})
        assert content(patched)["said_on"] == null
    patched = writer.patch(path, {"setting": "off-call", "attribution": case})
    assert content(patched)["said_on"] is None


@pytest.mark.parametrize("case", CASES)
def test_said_on_in_a_call_record_defaults_alike(writer: Writer, case: str) -> None:
    setting, given, expected = CASES[case]
    tag = f"said{list(CASES).index(case)}"
    record = a_record(tag)
    record["statements"][0]["setting"] = setting
    del record["statements"][0]["said_on"]
    if given:
        record["statements"][0]["said_on"] = given[0]
    assert writer.put(f"calls/{tag}-call/record", record).status_code == 201
    assert writer.read(f"statements/{tag}-statement-1")["said_on"] == expected
    # The day is that of then: it does not follow the call.
    moved = record | {"call": record["call"] | {"held_on": "2031-05-01"}}
    del moved["statements"][0]
    assert writer.patch(f"calls/{tag}-call", {"held_on": "2031-05-01"}).status_code == 200
    assert writer.read(f"statements/{tag}-statement-1")["said_on"] == expected


def test_without_a_day_to_go_by_said_on_is_null(writer: Writer) -> None:
    record = a_record("dayless")
    record["call"]["held_on"] = record["accounts"][0]["given_on"] = None
    for one, setting in zip(record["statements"], ("on-call", "about-call"), strict=True):
        one["setting"] = setting
        del one["said_on"]
    writer.put("calls/dayless-call/record", record)
    for one in record["statements"]:
        assert writer.read(f"statements/{one['id']}")["said_on"] is None


# References

ID: dict[str, Any] = {"no-such": 1, "name": None, "deep": {"er": []}}
AS_OBJECTS: dict[str, dict[str, Any]] = {
    "topics": {"label": "Objects", "broader": {"id": f"{TAG}-locks", **ID}},
    "calls": {
        "title": "Objects",
        "initiated_by": [{"id": f"{TAG}-alpha", **ID}, f"{TAG}-beta"],
        "participants": [
            {"participant": {"id": f"{TAG}-envoy", **ID}, "side": {"id": f"{TAG}-beta"}}
        ],
        "lifecycle": [{"stage": "held", "source": {"id": f"{TAG}-source", **ID}}],
    },
    "accounts": {
        "call": {"id": f"{TAG}-call", **ID},
        "genre": "readout",
        "sides": [{"id": f"{TAG}-alpha", **ID}],
        "given_by": {"id": f"{TAG}-envoy"},
        "sources": [{"id": f"{TAG}-source"}],
    },
    "statements": statement(
        account={"id": f"{TAG}-account", **ID},
        speakers=[{"id": f"{TAG}-envoy", **ID}],
        topics=[{"id": f"{TAG}-locks", "label": 5}],
        evidence=[
            span | {"source": {"id": span["source"], "rights": "none", **ID}}
            for span in statement()["evidence"]
        ],
    ),
}


def ids_alone(value: Any) -> Any:
    if isinstance(value, dict):
        return value["id"] if "id" in value else {k: ids_alone(v) for k, v in value.items()}
    return [ids_alone(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", AS_OBJECTS)
def test_an_object_with_an_id_is_taken_as_that_id(writer: Writer, kind: str) -> None:
    path = f"{kind}/{TAG}-objects"
    assert writer.put(path, AS_OBJECTS[kind]).status_code == 201
    stored = writer.read(path)
    assert writer.put(path, ids_alone(AS_OBJECTS[kind])).json == stored
    assert writer.patch(path, AS_OBJECTS[kind]).json == stored
    [logged] = writer.read(f"{path}/revisions")["data"]
    sent = ids_alone(AS_OBJECTS[kind])
    for name in ("broader", "initiated_by", "call", "sides", "given_by", "speakers", "topics"):
        if name in sent:
            assert logged["record"][name] == sent[name]


NOBODY = "values-nobody"
UNKNOWN: list[tuple[str, dict[str, Any], list[str]]] = [
    ("topics", {"label": "U", "broader": NOBODY}, ["/broader"]),
    (
        "calls",
        {
            "title": "U",
            "initiated_by": [f"{TAG}-alpha", NOBODY],
            "participants": [{"participant": NOBODY, "side": NOBODY}],
            "lifecycle": [{"stage": "held"}, {"stage": "held", "source": NOBODY}],
            "related": [{"call": NOBODY, "relation": "follows"}],
        },
        [
            "/initiated_by/1",
            "/lifecycle/1/source",
            "/participants/0/participant",
            "/participants/0/side",
        ],
    ),
    (
        "accounts",
        {"call": NOBODY, "genre": "readout", "sides": [NOBODY], "given_by": NOBODY,
         "sources": [f"{TAG}-source", NOBODY]},
        ["/call", "/given_by", "/sides/0", "/sources/1"],
    ),
    (
        "statements",
        statement(account=NOBODY, speakers=[NOBODY], addressees=[NOBODY], targets=[NOBODY],
                  topics=[f"{TAG}-lock", NOBODY],
                  evidence=[span | {"source": NOBODY} for span in statement()["evidence"]]),
        ["/account", "/addressees/0", "/evidence/0/source", "/speakers/0", "/targets/0",
         "/topics/1"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "document", "pointers"), UNKNOWN, ids=lambda v: str(v)[:10])
def test_what_is_named_must_be_there(
    writer: Writer, kind: str, document: dict[str, Any], pointers: list[str]
) -> None:
    for answer in (writer.post(kind, document), writer.put(f"{kind}/{TAG}-unknown", document)):
        assert (told(answer), faults(answer)) == ((422, "invalid"), pointers)
        assert NOBODY in answer.text
    assert told(writer.get(f"{kind}/{TAG}-unknown")) == (404, "not-found")


@pytest.mark.parametrize(
    ("kind", "document", "pointer"),
    [
        ("calls", {"title": "S", "initiated_by": [f"{TAG}-envoy"]}, "/initiated_by/0"),
        (
            "calls",
            {
                "title": "S",
                "participants": [{"participant": f"{TAG}-envoy", "side": f"{TAG}-envoy"}],
            },
            "/participants/0/side",
        ),
        (
            "accounts",
            {"call": f"{TAG}-call", "genre": "readout", "sides": [f"{TAG}-alpha", f"{TAG}-envoy"]},
            "/sides/1",
        ),
    ],
)
def test_a_side_is_a_state_or_an_organisation(
    writer: Writer, kind: str, document: dict[str, Any], pointer: str
) -> None:
    answer = writer.post(kind, document)
    assert (told(answer), faults(answer)) == ((422, "invalid"), [pointer])


def test_who_is_a_side_somewhere_cannot_become_a_person(writer: Writer) -> None:
    answer = writer.patch(f"participants/{TAG}-alpha", {"kind": "person"})
    assert told(answer) == (409, "conflict")
    assert f"{TAG}-call" in answer.text
    assert writer.patch(f"participants/{TAG}-alpha", {"kind": "organisation"}).status_code == 200


def test_topics_have_no_cycles(writer: Writer) -> None:
    for name, broader in (("a", None), ("b", "a"), ("c", "b"), ("d", "c")):
        document = {"label": f"Cycle {name}", "broader": broader and f"cycle-{broader}"}
        assert writer.put(f"topics/cycle-{name}", document).status_code == 201
    for narrow in ("a", "b", "c", "d"):
        answer = writer.patch("topics/cycle-a", {"broader": f"cycle-{narrow}"})
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/broader"])
    assert writer.patch("topics/cycle-b", {"broader": None}).status_code == 200
    assert writer.patch("topics/cycle-a", {"broader": "cycle-d"}).status_code == 200
    answer = writer.put("topics/cycle-new", {"label": "Itself", "broader": "cycle-new"})
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/broader"])


def test_a_date_from_elsewhere_is_explained(writer: Writer) -> None:
    for notes in (None, "", " \n"):
        answer = writer.post("calls", {"title": "E", "held_on_basis": "external", "notes": notes})
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/notes"])
