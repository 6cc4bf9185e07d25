"""Taking records back: what reads say then, what stands in the way, and how one is restored."""

import itertools
from typing import Any

import pytest

from schemas.record import WRITTEN
from tests.call_records import a_record
from tests.writing import Writer, content, faults, told

_tags = (f"gone{number}" for number in itertools.count())
GONE = (410, "retracted")


@pytest.fixture
def tag(writer: Writer) -> str:
    """The tag of a call record that is the test's own."""
    tag = next(_tags)
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    return tag


def document(tag: str, kind: str) -> dict[str, Any]:
    record = a_record(tag)
    made: dict[str, Any] = record["call"] if kind == "calls" else record[kind][0]
    made |= {one: f"{tag} {kind}" for one in ("name", "label", "title") if one in made}
    made |= {one: [] for one in ("aliases",) if one in made}
    return {k: v for k, v in made.items() if k != "id"}


@pytest.mark.parametrize("kind", WRITTEN)
def test_reads_tell_when_and_why(writer: Writer, tag: str, kind: str) -> None:
    path = f"{kind}/{tag}-mine"
    writer.put(path, document(tag, kind))
    seen = writer.read(path)
    assert f"{tag}-mine" in [one["id"] for one in writer.read(f"{kind}?limit=200")["data"]]
    assert writer.delete(f"{path}?reason=Gab%20es%20nie%20%F0%9F%8C%8A").status_code == 204

    answers = [writer.get(path), writer.get(f"{path}?fields=id"), writer.send("HEAD", path)]
    if kind == "calls":
        answers += [writer.get(f"{path}/{below}") for below in ("record", "comparison", "accounts")]
    if kind in ("topics", "participants"):
        answers.append(writer.get(f"{path}/positions"))
    [_, last] = writer.read(f"{path}/revisions")["data"]
    for answer in answers:
        assert answer.status_code == 410
        assert answer.headers["ETag"].startswith('"2-')
        if answer.request.method == "HEAD":
            continue
        assert told(answer) == GONE
        detail = content(answer)["detail"]
        assert "Gab es nie 🌊" in detail
        assert last["at"] in detail
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    assert told(writer.send("PATCH", path, {}, {"If-Match": '"2-x"'})) == GONE
    assert told(writer.send("DELETE", f"{path}?reason=x", None, {"If-Match": '"2-x"'})) == GONE
    assert told(writer.send("PUT", path, document(tag, kind))) == GONE
    assert told(writer.send("PUT", path, document(tag, kind), {"If-None-Match": "*"})) == GONE

    assert f"{tag}-mine" not in [one["id"] for one in writer.read(f"{kind}?limit=200")["data"]]
    assert (last["action"], last["actor"][:5], last["reason"]) == (
        "retract",
        "desk-",
        "Gab es nie 🌊",
    )
    assert last["record"]["id"] == f"{tag}-mine"
    first = writer.read(f"{path}/revisions/1")
    assert (first["action"], first["at"]) == ("create", seen["created_at"])


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_put_with_the_tag_of_the_410_restores(writer: Writer, tag: str, kind: str) -> None:
    path = f"{kind}/{tag}-mine"
    sent = document(tag, kind)
    made = content(writer.put(path, sent))
    writer.delete(path)
    here = {"If-Match": writer.get(path).headers["ETag"]}
    for match in ('"1-x"', "*", 'W/"2-x"', '"3-x"'):
        assert told(writer.send("PUT", path, sent, {"If-Match": match})) == (412, "stale")
    assert told(writer.send("PUT", path, sent, {"If-None-Match": "*", **here})) == (412, "stale")
    answer = writer.send("PUT", f"{path}?reason=Was%20right", sent, here)
    assert (answer.status_code, answer.headers.get("Location")) == (200, None)
    back = content(answer)
    assert (back["revision"], back["created_at"]) == (3, made["created_at"])
    assert back["updated_at"] > made["updated_at"]
    assert {**back, "revision": 1, "updated_at": made["updated_at"]} == made
    assert writer.read(path) == back
    assert f"{tag}-mine" in [one["id"] for one in writer.read(f"{kind}?limit=200")["data"]]
    history = writer.read(f"{path}/revisions")["data"]
    assert [(one["action"], one["reason"]) for one in history] == [
        ("create", None),
        ("retract", "Coded twice"),
        ("restore", "Was right"),
    ]
    assert told(writer.send("PUT", path, sent, here)) == (412, "stale")


def test_an_id_is_not_to_be_had_again(writer: Writer, tag: str) -> None:
    record = a_record(tag)
    writer.delete(f"calls/{tag}-call")
    answer = writer.send("PUT", f"calls/{tag}-call", {"title": "Another"})
    assert told(answer) == GONE
    assert told(writer.post("records", record)) == GONE
    assert told(writer.send("PUT", f"calls/{tag}-call/record", record)) == GONE
    assert told(writer.get(f"calls/{tag}-call")) == GONE


@pytest.mark.parametrize("reason", ["", "?reason=", "?reason=%20%09", "?reason=a&reason=b",
                                    "?reason=%00", "?reason=%FF", "?why=x"])  # fmt: skip
def test_to_retract_takes_one_reason(writer: Writer, tag: str, reason: str) -> None:
    path = f"statements/{tag}-statement-1"
    tags = {"If-Match": writer.get(path).headers["ETag"]}
    answer = writer.send("DELETE", f"{path}{reason}", None, tags)
    assert answer.status_code == 400
    if not reason:
        assert content(answer)["errors"] == [{"parameter": "reason", "detail": "Required."}]
    assert writer.get(path).status_code == 200


# What is cited

CITED = {
    "participants/{}-alpha": ["calls/{}-call", "accounts/{}-account"],
    "participants/{}-envoy": ["calls/{}-call"],
    "participants/{}-minister": [
        "calls/{}-call",
        "accounts/{}-account",
        "statements/{}-statement-1",
    ],
    "topics/{}-lock": ["statements/{}-statement-1", "statements/{}-statement-2"],
    "topics/{}-locks": ["topics/{}-lock"],
    "sources/{}-source": ["calls/{}-call", "accounts/{}-account", "statements/{}-statement-1"],
    "accounts/{}-account": ["statements/{}-statement-1", "statements/{}-statement-2"],
}


@pytest.mark.parametrize("path", CITED)
def test_what_others_cite_stays(writer: Writer, tag: str, path: str) -> None:
    answer = writer.delete(path.format(tag))
    assert told(answer) == (409, "conflict")
    for citing in CITED[path]:
        assert citing.format(tag) in content(answer)["errors"][0]["detail"]
    assert writer.get(path.format(tag)).status_code == 200


def test_no_more_than_twenty_are_named(writer: Writer, tag: str) -> None:
    path = f"topics/{tag}-many"
    writer.put(path, {"label": f"{tag} many"})
    for number in range(25):
        narrow = {"label": f"{tag} narrow {number}", "broader": f"{tag}-many"}
        assert writer.put(f"topics/{tag}-narrow-{number:02}", narrow).status_code == 201
    [error] = content(writer.delete(path))["errors"]
    assert error["pointer"] == ""
    assert "25" in error["detail"]
    assert error["detail"].count(f"topics/{tag}-narrow-") == 20


def test_once_nobody_cites_it_it_goes(writer: Writer, tag: str) -> None:
    order = (
        "statements/{}-statement-1", "statements/{}-statement-2", "accounts/{}-account",
        "calls/{}-call", "sources/{}-source", "topics/{}-lock", "topics/{}-locks",
        *(f"participants/{{}}-{name}" for name in ("alpha", "beta", "envoy", "minister")),
    )  # fmt: skip
    for path in order:
        assert writer.delete(path.format(tag)).status_code == 204, path


def test_a_call_takes_its_accounts_and_statements_along(writer: Writer, tag: str) -> None:
    paths = [f"calls/{tag}-call", f"accounts/{tag}-account",
             f"statements/{tag}-statement-1", f"statements/{tag}-statement-2"]  # fmt: skip
    before = writer.read("changes/checkpoint")["seq"]
    assert writer.delete(f"{paths[0]}?reason=Never%20held").status_code == 204
    for path in paths:
        answer = writer.get(path)
        assert told(answer) == GONE
        assert "Never held" in content(answer)["detail"]
    logged = writer.read(f"changes?after={before}")["data"]
    assert {f"{one['kind']}/{one['id']}" for one in logged} == set(paths)
    assert {(one["action"], one["reason"]) for one in logged} == {("retract", "Never held")}
    # What cites is logged before what it cites, so that who follows can do likewise.
    assert [one["kind"] for one in logged] == ["statements", "statements", "accounts", "calls"]
    for asked in (
        f"statements?speaker={tag}-minister",
        f"accounts?side={tag}-alpha",
        f"topics/{tag}-lock/positions",
        f"statements?q={tag}",
        f"calls?q={tag}",
    ):
        assert writer.read(asked)["data"] == []
    unknown = writer.get(f"statements?call={tag}-call")
    assert (told(unknown), faults(unknown)) == ((404, "unknown-id"), ["call"])
    for kind in ("participants", "topics", "sources"):
        assert writer.get(f"{kind}/{a_record(tag)[kind][0]['id']}").status_code == 200


def test_a_call_comes_back_alone_or_with_its_record(writer: Writer, tag: str) -> None:
    record = writer.read(f"calls/{tag}-call/record")
    call = writer.read(f"calls/{tag}-call")
    writer.delete(f"calls/{tag}-call")
    assert writer.put(f"calls/{tag}-call", call).status_code == 200
    assert writer.read(f"calls/{tag}-call/accounts")["data"] == []
    for path in (f"accounts/{tag}-account", f"statements/{tag}-statement-1"):
        assert told(writer.get(path)) == GONE
    answer = writer.put(f"calls/{tag}-call/record", record)
    assert (answer.status_code, answer.json) == (200, record)
    writer.delete(f"calls/{tag}-call")
    for match in ('"1-x"', "*"):
        stale = writer.send("PUT", f"calls/{tag}-call/record", record, {"If-Match": match})
        assert told(stale) == (412, "stale")
    answer = writer.put(f"calls/{tag}-call/record", record)
    assert (answer.status_code, answer.json) == (200, record)
    assert [one["action"] for one in writer.read(f"calls/{tag}-call/revisions")["data"]] == [
        "create", "retract", "restore", "retract", "restore",
    ]  # fmt: skip
    assert writer.read(f"statements/{tag}-statement-1")["revision"] == 5


def test_another_call_may_go_though_it_is_related(writer: Writer, tag: str) -> None:
    related = {"title": tag, "related": [{"call": f"{tag}-call", "relation": "follows"}]}
    assert writer.put(f"calls/{tag}-after", related).status_code == 201
    assert writer.delete(f"calls/{tag}-call").status_code == 204
    assert writer.read(f"calls/{tag}-after")["related"] == related["related"]


def test_a_record_that_is_gone_cannot_be_named(writer: Writer, tag: str) -> None:
    writer.put(f"topics/{tag}-away", {"label": f"{tag} away"})
    writer.delete(f"topics/{tag}-away")
    answer = writer.post("topics", {"label": f"{tag} below", "broader": f"{tag}-away"})
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/broader"])
    writer.delete(f"calls/{tag}-call")
    answer = writer.post("accounts", {"call": f"{tag}-call", "genre": "readout"})
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/call"])
    # Nor can what hung on it come back before it.
    answer = writer.put(f"statements/{tag}-statement-1", a_record(tag)["statements"][0])
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/account"])


def test_the_text_of_a_source_does_not_come_back_as_another(writer: Writer, tag: str) -> None:
    path = f"sources/{tag}-text"
    document = {"title": tag, "rights": "open", "text": "As it was."}
    writer.put(path, document)
    assert faults(writer.put(path, document | {"text": "Quite otherwise."})) == [
        "/characters",
        "/sha256",
    ]
    writer.delete(path)
    answer = writer.put(path, document | {"text": "Quite otherwise."})
    assert told(answer) == (422, "invalid")
    assert writer.put(path, document).status_code == 200
