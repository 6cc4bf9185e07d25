"""Writing records of each kind: POST, PUT, PATCH, DELETE, and what becomes of what was sent."""

import json
import re
from typing import Any
from uuid import UUID

import pytest

from schemas.record import WRITTEN
from tests.call_records import a_record
from tests.writing import Writer, content, faults, told

TAG = "writing"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# A member of each kind that can be changed by itself, and what to.
CHANGES: dict[str, tuple[str, Any]] = {
    "participants": ("description", "Changed."),
    "topics": ("description", "Changed."),
    "sources": ("obtained_from", "A clipping"),
    "calls": ("notes", "Changed."),
    "accounts": ("coverage", "part"),
    "statements": ("attribution", "the minister"),
}


@pytest.fixture(scope="module", autouse=True)
def record(writer: Writer) -> None:
    """A call record for the tests of this module to name."""
    assert writer.put(f"calls/{TAG}-call/record", a_record(TAG)).status_code == 201


def new(kind: str, name: str) -> dict[str, Any]:
    """A record of a kind as POST takes it, with a name of its own."""
    record = a_record(TAG)
    document = record["call"] if kind == "calls" else record[kind][0]
    document |= {one: name for one in ("name", "label", "title") if one in document}
    if "aliases" in document:
        document["aliases"] = []
    del document["id"]
    return document  # type: ignore[no-any-return]


def own(writer: Writer, kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """Make a record of a kind; its path, and how it is read."""
    path = f"{kind}/{TAG}-{name}-{kind}"
    answer = writer.put(path, new(kind, f"{name} {kind}"))
    assert answer.status_code == 201, answer.text
    return path, writer.read(path)


@pytest.mark.parametrize("kind", WRITTEN)
def test_post_makes_a_record_under_an_id_of_the_server(writer: Writer, kind: str) -> None:
    sent = new(kind, f"Posted {kind}")
    answer = writer.post(kind, sent)
    assert answer.status_code == 201
    made = content(answer)["id"]
    assert UUID(made).version == 7
    assert answer.headers["Location"] == f"/v1/{kind}/{made}"
    read = writer.get(f"{kind}/{made}")
    assert read.data == answer.data
    assert read.headers["ETag"] == answer.headers["ETag"]
    assert answer.headers["ETag"].startswith('"1-')
    assert content(answer)["revision"] == 1
    assert content(answer)["created_at"] == content(answer)["updated_at"]
    assert STAMP.fullmatch(content(answer)["created_at"])
    assert writer.post(kind, sent).status_code == (409 if {"aliases"} & sent.keys() else 201)


@pytest.mark.parametrize("kind", WRITTEN)
def test_put_makes_and_replaces_patch_changes_delete_retracts(writer: Writer, kind: str) -> None:
    path = f"{kind}/{TAG}-life-{kind}"
    sent = new(kind, f"Life of {kind}")
    made = writer.put(path, sent)
    assert (made.status_code, made.headers["Location"]) == (201, f"/v1/{path}")
    assert made.json == writer.read(path)

    member, value = CHANGES[kind]
    replaced = writer.put(path, sent | {member: value})
    assert (replaced.status_code, replaced.headers.get("Location")) == (200, None)
    patched = writer.patch(path, {member: sent[member]})
    assert patched.status_code == 200
    for number, answer, now in ((2, replaced, value), (3, patched, sent[member])):
        read = content(answer)
        assert answer.headers["ETag"].startswith(f'"{number}-')
        assert (read["revision"], read[member]) == (number, now)
        assert read["created_at"] == content(made)["created_at"] < read["updated_at"]
    assert patched.data == writer.get(path).data
    assert patched.headers["ETag"] == writer.get(path).headers["ETag"]
    same = ("revision", "updated_at")
    assert {k: v for k, v in content(patched).items() if k not in same} == {
        k: v for k, v in content(made).items() if k not in same
    }

    gone = writer.delete(path)
    assert (gone.status_code, gone.data) == (204, b"")
    assert "Content-Type" not in gone.headers
    assert told(writer.get(path)) == (410, "retracted")

    history = writer.read(f"{path}/revisions")["data"]
    actions = [(one["action"], one["revision"], one["reason"]) for one in history]
    assert actions == [
        ("create", 1, None),
        ("update", 2, None),
        ("update", 3, None),
        ("retract", 4, "Coded twice"),
    ]


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_get_gave_can_be_put_back(writer: Writer, kind: str) -> None:
    before = writer.read("changes/checkpoint")
    found = writer.read(f"{kind}?limit=200")["data"]
    assert len(found) > 5
    for one in found:
        path = f"{kind}/{one['id']}"
        got = writer.get(path)
        seen = {"If-Match": got.headers["ETag"]}
        put = writer.put(path, got.text, seen)
        assert put.status_code == 200, put.text
        assert (put.data, put.headers["ETag"]) == (got.data, got.headers["ETag"])
        assert writer.patch(path, got.text, seen).data == got.data
        if kind != "sources":  # What a list leaves out of them would be taken for null.
            assert put.json == one
    assert writer.read("changes/checkpoint") == before


REQUIRED: dict[str, dict[str, Any]] = {
    "participants": {"name": "Least", "kind": "person"},
    "topics": {"label": "Least"},
    "sources": {"title": "Least", "rights": "none", "characters": 5, "sha256": "0" * 64},
    "calls": {"title": "Least"},
    "accounts": {"call": f"{TAG}-call", "genre": "readout"},
    "statements": {
        name: a_record(TAG)["statements"][0][name]
        for name in ("account", "setting", "form", "act", "summary", "evidence")
    },
}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "participants": {"country": None, "aliases": [], "description": None},
    "topics": {"aliases": [], "broader": None, "description": None},
    "sources": {
        "publisher": None, "url": None, "obtained_from": None, "published_on": None,
        "language": None, "kind": "other", "text": None,
    },
    "calls": {
        "status": "held", "held_on": None, "held_on_basis": None, "medium": "unknown",
        "initiated_by": [], "participants": [], "lifecycle": [], "related": [], "notes": None,
    },
    "accounts": {
        "sides": [], "given_by": None, "given_on": None, "coverage": "part", "sources": [],
    },
    "statements": {
        "speakers": [], "attribution": None, "addressees": [], "targets": [], "topics": [],
        "said_on": "2031-05-02", "quote": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_member_left_out_of_put_is_null_empty_or_its_default(writer: Writer, kind: str) -> None:
    members = {*REQUIRED[kind], *LEFT_OUT[kind], "id"}
    assert members == set(WRITTEN[kind].load_fields)
    path, full = own(writer, kind, "left")
    if kind == "sources":  # A text stays what it is.
        REQUIRED[kind] = {name: full[name] for name in ("title", "rights", "characters", "sha256")}
    answer = writer.put(path, REQUIRED[kind])
    assert answer.status_code == 200, answer.text
    assert {name: content(answer)[name] for name in LEFT_OUT[kind]} == LEFT_OUT[kind]
    if kind in ("participants", "topics"):
        assert writer.delete(path).status_code == 204  # The name is free for the next.
    assert writer.put(f"{path}-new", REQUIRED[kind]).status_code == 201
    read = writer.read(f"{path}-new")
    assert {name: read[name] for name in LEFT_OUT[kind]} == LEFT_OUT[kind]


@pytest.mark.parametrize("kind", WRITTEN)
def test_null_in_a_patch_gives_what_leaving_out_gives(writer: Writer, kind: str) -> None:
    path, _ = own(writer, kind, "nulls")
    answer = writer.patch(path, dict.fromkeys(LEFT_OUT[kind]))
    assert answer.status_code == 200, answer.text
    expected = LEFT_OUT[kind] | ({"said_on": None} if kind == "statements" else {})
    assert {name: content(answer)[name] for name in expected} == expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_empty_patch_changes_nothing(writer: Writer, kind: str) -> None:
    path, read = own(writer, kind, "empty")
    answer = writer.patch(path, {}, {"Content-Type": "application/merge-patch+json"})
    assert (answer.status_code, answer.json) == (200, read)


@pytest.mark.parametrize("kind", WRITTEN)
def test_required_members_cannot_be_patched_away(writer: Writer, kind: str) -> None:
    path, _ = own(writer, kind, "required")
    required = [name for name, field in WRITTEN[kind].load_fields.items() if field.required]
    wanted = sorted(f"/{name}" for name in required if name != "id")
    answer = writer.patch(path, dict.fromkeys(required))
    assert (told(answer), faults(answer)) == ((422, "invalid"), wanted)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("value", [None, "odd", {"deep": [{"er": {}}]}])
def test_what_the_server_sets_or_derives_is_ignored(writer: Writer, kind: str, value: Any) -> None:
    path = f"{kind}/{TAG}-derived-{kind}"
    sent = new(kind, f"Derived {kind}")
    derived = dict.fromkeys(("revision", "created_at", "updated_at"), value)
    if kind == "statements":
        derived |= dict.fromkeys(("call", "position", "self_reported"), value)
    writer.put(path, sent)
    before = writer.get(path)
    for answer in (writer.put(path, sent | derived), writer.patch(path, derived)):
        assert (answer.status_code, answer.data) == (200, before.data)
    # What is derived of one kind is unknown to another.
    if kind != "statements":
        answer = writer.put(path, sent | {"position": True, "self_reported": None})
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/position", "/self_reported"])


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_id_in_the_body_is_that_of_the_path(writer: Writer, kind: str) -> None:
    path, read = own(writer, kind, "ids")
    wrong: Any
    for wrong in (f"{TAG}-other", "", None, 5, [], {"id": read["id"]}):
        for answer in (
            writer.put(path, read | {"id": wrong}),
            writer.post(kind, {**read, "id": wrong}),
        ):
            assert (told(answer), faults(answer)) == ((422, "invalid"), ["/id"])
        if wrong is not None:  # In a patch null takes it away, which leaves it to the path.
            answer = writer.patch(path, {"id": wrong})
            assert (told(answer), faults(answer)) == ((422, "invalid"), ["/id"])
    assert writer.patch(path, {"id": None}).json == read
    assert writer.patch(path, {"id": read["id"]}).json == read
    assert writer.put(path, {k: v for k, v in read.items() if k != "id"}).json == read


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_id_has_up_to_eighty_characters(writer: Writer, kind: str) -> None:
    longest = f"{TAG}-{kind}".ljust(80, "x")
    assert writer.put(f"{kind}/{longest}", new(kind, f"Longest {kind}")).status_code == 201
    assert writer.read(f"{kind}/{longest}")["id"] == longest


def test_the_key_and_the_reason_stand_in_the_log(writer: Writer) -> None:
    path = "topics/writing-reasons"
    writer.put(path, new("topics", "Reasons"))
    for method, body in (("PUT", new("topics", "Reasons two")), ("PATCH", {"label": "Reasons"})):
        tag = writer.get(path).headers["ETag"]
        asked = f"{path}?reason=Was%20wrong:%20%F0%9F%8C%8A"
        assert writer.send(method, asked, body, {"If-Match": tag}).status_code == 200
    history = writer.read(f"{path}/revisions")["data"]
    assert [one["reason"] for one in history] == [None, "Was wrong: 🌊", "Was wrong: 🌊"]
    assert len({one["actor"] for one in history}) == 1
    assert history[0]["actor"].startswith("desk-")


def test_post_takes_no_reason(writer: Writer) -> None:
    answer = writer.post("topics?reason=x", {"label": "Reasoned"})
    assert (told(answer), faults(answer)) == ((400, "invalid-parameter"), ["reason"])


def test_a_body_may_be_pretty(writer: Writer) -> None:
    body = json.dumps(new("topics", "Pretty"), indent=4, ensure_ascii=False)
    answer = writer.post("topics", f"\r\n\t {body} \r\n")
    assert answer.status_code == 201
