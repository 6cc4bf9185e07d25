"""The schemas: what was read loads again, and a view shows what the contract says."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from schemas.base import Plain, as_written, viewed
from schemas.problem import faults
from schemas.record import VIEWS, WRITTEN, CallRecord
from tests.least import ATTENDANCE, DIGEST, INSIDE, LEAST, SPAN, at_fault
from tests.reading import KINDS, View, everything, read

# What was read loads again.


def test_what_get_gave_loads_as_it_was_written(client: FlaskClient) -> None:
    for kind, held in everything(client).items():
        schema = WRITTEN[kind]
        for record in held:
            view = read(client, f"/v1/{kind}/{record}")
            written = as_written(schema, view)
            assert schema.load(view) == written
            assert schema.load(written) == written
            assert orjson.loads(orjson.dumps(written)) == written
            assert written.keys() == schema.load_fields.keys()


def test_the_view_follows_from_what_is_written(client: FlaskClient) -> None:
    held = everything(client)

    def look(kind: str, record: str) -> View:
        return held[kind][record]

    for kind, views in held.items():
        for view in views.values():
            set_by_server = {name: view[name] for name in view if name not in LEFT_TO_WRITERS[kind]}
            if kind == "statements":
                set_by_server["call"] = view["call"]["id"]
            written = as_written(WRITTEN[kind], view)
            found = viewed(VIEWS[kind], {**written, **set_by_server}, look)
            assert {name: found[name] for name in view} == view
            assert list(found) == list(VIEWS[kind].fields)


LEFT_TO_WRITERS = {kind: schema.load_fields for kind, schema in WRITTEN.items()}
SHOWN = {
    ("calls", "initiated_by"): ("participants", "id name"),
    ("accounts", "call"): ("calls", "id title held_on"),
    ("accounts", "sides"): ("participants", "id name"),
    ("accounts", "given_by"): ("participants", "id name"),
    ("accounts", "sources"): ("sources", "id title publisher url"),
    ("statements", "call"): ("calls", "id title held_on"),
    ("statements", "account"): ("accounts", "id sides genre given_by"),
    ("statements", "speakers"): ("participants", "id name country"),
    ("statements", "addressees"): ("participants", "id name country"),
    ("statements", "targets"): ("participants", "id name country"),
    ("statements", "topics"): ("topics", "id label"),
}


def test_what_a_record_shows_of_others_is_as_it_stands_there(client: FlaskClient) -> None:
    held = everything(client)

    def check(shown: View | None, kind: str, members: str) -> None:
        if shown is not None:
            named = held[kind][shown["id"]]
            assert shown == {name: named[name] for name in members.split()}
            assert list(shown) == members.split()

    for (owner, member), (kind, members) in SHOWN.items():
        for view in held[owner].values():
            for one in view[member] if isinstance(view[member], list) else [view[member]]:
                check(one, kind, members)
    for call in held["calls"].values():
        for one in call["participants"]:
            assert list(one) == ["participant", "office", "side", "role"]
            check(one["participant"], "participants", "id name")
            check(one["side"], "participants", "id name")
        for stage in call["lifecycle"]:
            assert stage["source"] is None or stage["source"] in held["sources"]
    for statement in held["statements"].values():
        for span in statement["evidence"]:
            assert list(span) == ["source", "start", "end", "quote", "digest"]
            check(span["source"], "sources", "id title publisher url")


def test_defaults_are_filled_in() -> None:
    loaded = {kind: WRITTEN[kind].load(least) for kind, least in LEAST.items()}
    assert loaded["calls"] == {
        "id": "a-call", "title": "A call", "status": "held", "held_on": None, "notes": None,
        "held_on_basis": None, "medium": "unknown", "initiated_by": [], "participants": [],
        "lifecycle": [], "related": [],
    }  # fmt: skip
    assert loaded["accounts"]["coverage"] == "part"
    assert (loaded["sources"]["kind"], loaded["sources"]["characters"]) == ("other", 4)
    assert loaded["sources"]["sha256"] == DIGEST
    assert loaded["statements"]["evidence"][0]["quote"] is None
    assert "said_on" not in loaded["statements"]  # Left out and null are two things.
    call = WRITTEN["calls"].load({**LEAST["calls"], "participants": [ATTENDANCE]})
    assert call["participants"] == [
        {"participant": "somebody", "office": None, "side": None, "role": "principal"}
    ]


def test_references_may_be_given_as_they_are_read() -> None:
    whole = {"id": "told", "genre": "x", "sides": 5, "anything": None}
    loaded = WRITTEN["statements"].load(
        {
            **LEAST["statements"],
            "account": whole,
            "speakers": [{"id": "somebody", "name": "?"}],
            "evidence": [{**SPAN, "source": {"id": "paper"}}],
        }
    )
    assert (loaded["account"], loaded["speakers"]) == ("told", ["somebody"])
    assert loaded["evidence"][0]["source"] == "paper"
    wrongs: list[Any] = [{}, {"name": "x"}, {"id": None}, {"id": "None"}, {"id": {"id": "x"}}, []]
    for wrong in (*wrongs, 1):
        assert at_fault("statements", account=wrong) == ["/account"]
        assert at_fault("statements", topics=[wrong]) == ["/topics/0"]


def test_what_the_server_sets_is_ignored_and_nothing_else() -> None:
    told = {"revision": "x", "created_at": 5, "updated_at": None}
    for kind in KINDS:
        assert at_fault(kind, **told) == []
        assert at_fault(kind, highlight={}, Id="x") == ["/Id", "/highlight"]
    assert at_fault("statements", call=5, position="maybe", self_reported=[]) == []
    assert at_fault("accounts", position=True) == ["/position"]
    assert at_fault("calls", participants=[{**ATTENDANCE, "name": "x"}]) == ["/participants/0/name"]
    assert at_fault("statements", evidence=[{**SPAN, "a/b~c": 1}]) == ["/evidence/0/a~1b~0c"]
    with pytest.raises(ValidationError):
        CallRecord().load({"call": LEAST["calls"], "revision": 1})


# Anything at all.

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(kind: str) -> Iterator[tuple[str, str | None]]:
    for name in WRITTEN[kind].load_fields:
        yield name, None
        for inside in INSIDE.get(name, {}):
            yield name, inside


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_our_way_of_loading_is_marshmallows_own(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    sent = dict(LEAST[kind])
    for name, inside in data.draw(st.lists(st.sampled_from(list(paths(kind))), max_size=3)):
        value = data.draw(values)
        sent[name] = [{**INSIDE[name], inside: value}] if inside else value
    sent |= data.draw(st.dictionaries(st.sampled_from(["Id", "revision", "x"]), values))
    for left_out in data.draw(st.sets(st.sampled_from(list(LEAST[kind])), max_size=2)):
        del sent[left_out]

    def outcome() -> Any:
        try:
            return WRITTEN[kind].load(sent)
        except ValidationError as error:
            return error.messages, error.valid_data

    ours = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plain, "_deserialize", Schema._deserialize)
        assert outcome() == ours


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_is_sent_is_refused_or_loads_again_as_it_is(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    name, inside = data.draw(st.sampled_from(list(paths(kind))))
    value = data.draw(values)
    sent = {**LEAST[kind], name: [{**INSIDE[name], inside: value}] if inside else value}
    told = WRITTEN[kind].validate(sent)
    if told:
        assert list(faults(told))
        return
    loaded = WRITTEN[kind].load(sent)
    assert WRITTEN[kind].load(loaded) == loaded
    assert orjson.loads(orjson.dumps(loaded)) == loaded
    given = loaded[name][0][inside] if inside else loaded[name]
    assert value is None or type(given) is type(value) or isinstance(value, dict | float)
