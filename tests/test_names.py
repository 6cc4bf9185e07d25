"""Ids and aliases as one namespace: found after a write, gone after another, and clashes."""

from typing import Any

import pytest

from tests.call_records import a_record
from tests.writing import Writer, faults, told

KINDS = {"topics": "label", "participants": "name"}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def named(kind: str, name: str, *aliases: str) -> dict[str, Any]:
    """A record of a kind as it is written."""
    made: dict[str, Any] = {KINDS[kind]: name, "aliases": list(aliases)}
    return made | ({"kind": "state"} if kind == "participants" else {})


def found(writer: Writer, kind: str, slug: str) -> str | None:
    """The id of the record that a path finds; None where it finds none."""
    answer = writer.get(f"{kind}/{slug}")
    if answer.status_code != 200:
        assert told(answer) == (404, "not-found")
        return None
    assert answer.json
    name: str = answer.json["id"]
    elsewhere = answer.headers.get("Content-Location")
    assert elsewhere == (None if name == slug else f"/v1/{kind}/{name}")
    return name


# An alias, and the slug that finds it; None where none does.
SLUGS = {
    "Names Initiative": "names-initiative",
    "names  --  Blanks\tand_lines ": "names-blanks-and-lines",
    "Námes Ñandú (2022)": "names-nandu-2022",
    "ＮＡＭＥＳ　wide": "names-wide",
    "names №5 ½": "names-no5-1-2",
    "names “quoted”": "names-quoted",
    "names-as-they-are": "names-as-they-are",
    "Names Łódź": None,
    "names дело": None,
    "名": None,
    "…": None,
    "none": None,
    "NONE!": None,
    "names " + "x" * 74: "names-" + "x" * 74,
    "names " + "x" * 75: None,
}


def test_an_alias_finds_from_the_write_that_brings_it_to_that_which_takes_it(
    writer: Writer, kind: str
) -> None:
    path = f"{kind}/names-all"
    slugs = [slug for slug in SLUGS.values() if slug]
    assert writer.put(path, named(kind, "Names all")).status_code == 201
    assert {slug: found(writer, kind, slug) for slug in slugs} == dict.fromkeys(slugs)
    for change in (writer.put, writer.patch):
        assert change(path, named(kind, "Names all", *SLUGS)).status_code == 200
        assert writer.read(path)["aliases"] == list(SLUGS)
        assert {found(writer, kind, slug) for slug in slugs} == {"names-all"}
        for dead in ("none", "ldz", "odz", "lodz", "names-odz", "names-lodz", "names"):
            assert found(writer, kind, dead) is None
        assert change(path, named(kind, "Names all")).status_code == 200
        assert {slug: found(writer, kind, slug) for slug in slugs} == dict.fromkeys(slugs)
    assert writer.delete(path).status_code == 204


def test_an_alias_finds_in_filters_and_below_the_record(writer: Writer) -> None:
    record = a_record("sluiced")
    record["topics"][0]["aliases"] = ["The Sluiced Gate"]
    record["participants"][3]["aliases"] = ["Sluiced Madam"]
    writer.put("calls/sluiced-call/record", record)
    both = ["sluiced-statement-1", "sluiced-statement-2"]
    for asked in (
        "statements?topic=the-sluiced-gate",
        "statements?speaker=sluiced-madam",
        "statements?topic_all=the-sluiced-gate,sluiced-lock&speaker=sluiced-minister",
        "topics/the-sluiced-gate/positions",
        "participants/sluiced-madam/positions",
    ):
        assert [one["id"] for one in writer.read(asked)["data"]] == both, asked
    writer.patch("topics/sluiced-lock", {"aliases": []})
    answer = writer.get("statements?topic=the-sluiced-gate")
    assert (told(answer), faults(answer)) == ((404, "unknown-id"), ["topic"])
    assert told(writer.get("topics/the-sluiced-gate/positions")) == (404, "not-found")


def test_writes_name_ids_only(writer: Writer, kind: str) -> None:
    path = f"{kind}/names-ids"
    writer.put(path, named(kind, "Names ids", "Names ids alias"))
    alias = f"{kind}/names-ids-alias"
    assert found(writer, kind, "names-ids-alias") == "names-ids"
    tag = {"If-Match": writer.get(path).headers["ETag"]}
    for headers in ({}, {"If-None-Match": "*"}):
        answer = writer.send("PUT", alias, named(kind, "Other"), headers)
        assert (told(answer), faults(answer)) == ((409, "conflict"), ["/id"])
        assert "names-ids" in answer.text
    # It is no record of its own, so that nothing can be matched.
    assert told(writer.send("PUT", alias, named(kind, "Other"), tag)) == (412, "stale")
    assert told(writer.send("PATCH", alias, {}, tag)) == (404, "not-found")
    assert told(writer.send("DELETE", f"{alias}?reason=x", None, tag)) == (404, "not-found")
    assert writer.read(path)["revision"] == 1


def test_a_reference_by_alias_is_unknown(writer: Writer) -> None:
    for kind in KINDS:
        writer.put(f"{kind}/names-cited", named(kind, "Names cited", "Names cited alias"))
    call = {"title": "Names", "participants": [{"participant": "names-cited-alias"}]}
    answer = writer.post("calls", call)
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/participants/0/participant"])
    answer = writer.post("topics", {"label": "Names below", "broader": "names-cited-alias"})
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/broader"])


CLASHES: dict[str, tuple[str, dict[str, Any], str]] = {
    "an alias with an id": ("clash-x", {"aliases": ["Clash One"]}, "/aliases"),
    "an alias with an alias": ("clash-x", {"aliases": ["x", "CLASH — ALIÁS"]}, "/aliases"),
    "an id with an alias": ("clash-alias", {}, "/id"),
    "a name with a name": ("clash-x", {"called": "Clash Ône"}, "/called"),
    "a name in other code points": ("clash-x", {"called": "Clash O\u0302ne"}, "/called"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_a_clash_is_told(writer: Writer, kind: str, case: str) -> None:
    name, members, pointer = CLASHES[case]
    called = KINDS[kind]
    writer.put(f"{kind}/clash-one", named(kind, "Clash Ône", "Clash Alias"))
    sent = named(kind, members.get("called", "Clash Other"), *members.get("aliases", ()))
    before = writer.read("changes/checkpoint")
    answers = [writer.send("PUT", f"{kind}/{name}", sent)]
    if name == "clash-x":
        answers.append(writer.post(kind, sent))
    assert writer.read("changes/checkpoint") == before
    writer.put(f"{kind}/clash-two", named(kind, "Clash Two"))
    if name == "clash-x":
        patch = {called: members["called"]} if "called" in members else members
        answers.append(writer.patch(f"{kind}/clash-two", patch))
    for answer in answers:
        assert told(answer) == (409, "conflict")
        assert answer.json
        assert "'clash-one'" in answer.json["errors"][0]["detail"]
        assert faults(answer)[0] in (pointer.replace("called", called), "/id")


def test_a_clash_inside_one_call_record_is_told_alike(writer: Writer) -> None:
    for kind, called in KINDS.items():
        for change in ({"aliases": ["Inside Other"]}, {called: "inside same"}):
            record = a_record("inside")
            extra = record[kind][0] | {"id": "inside-other", called: "inside same", "aliases": []}
            record[kind] += [extra]
            record[kind][1] |= change
            answer = writer.send("PUT", "calls/inside-call/record", record)
            assert told(answer) == (409, "conflict")
            assert faults(answer)[0].startswith(f"/{kind}/")
    assert told(writer.get("calls/inside-call")) == (404, "not-found")


def test_a_record_does_not_clash_with_itself(writer: Writer, kind: str) -> None:
    path = f"{kind}/names-self"
    aliases = ("Names Self", "names self", "NAMES—SELF", "Other self", "Öther Self")
    assert writer.put(path, named(kind, "Names self", *aliases)).status_code == 201
    assert found(writer, kind, "other-self") == "names-self"
    assert writer.put(path, named(kind, "Names self", aliases[3])).status_code == 200
    assert found(writer, kind, "other-self") == "names-self"


def test_aliases_without_a_slug_do_not_clash(writer: Writer, kind: str) -> None:
    for number in (1, 2):
        sent = named(kind, f"Slugless {number}", "Сделка", "名", "…")
        assert writer.put(f"{kind}/slugless-{number}", sent).status_code == 201


def test_names_may_differ_in_case_alone(writer: Writer, kind: str) -> None:
    for number, name in enumerate(("Case alone", "case alone", "Case alone ")):
        assert writer.put(f"{kind}/case-{number}", named(kind, name)).status_code == 201


def test_names_move_from_one_record_to_another(writer: Writer, kind: str) -> None:
    writer.put(f"{kind}/moving-a", named(kind, "Moving A", "Moving Name"))
    writer.put(f"{kind}/moving-b", named(kind, "Moving B"))
    assert told(writer.patch(f"{kind}/moving-b", {"aliases": ["Moving Name"]}))[0] == 409
    writer.patch(f"{kind}/moving-a", {"aliases": []})
    assert writer.patch(f"{kind}/moving-b", {"aliases": ["Moving Name"]}).status_code == 200
    assert found(writer, kind, "moving-name") == "moving-b"
    assert writer.delete(f"{kind}/moving-b").status_code == 204
    assert found(writer, kind, "moving-name") is None
    assert writer.patch(f"{kind}/moving-a", {"aliases": ["Moving Name"]}).status_code == 200
    # What was taken meanwhile keeps the record from coming back as it was …
    back = named(kind, "Moving B", "Moving Name")
    assert told(writer.put(f"{kind}/moving-b", back)) == (409, "conflict")
    assert writer.put(f"{kind}/moving-b", named(kind, "Moving B")).status_code == 200
    # … and the id of a record that was retracted is not to be had, by whatever way.
    writer.delete(f"{kind}/moving-b")
    answer = writer.patch(f"{kind}/moving-a", {"aliases": ["Moving B"]})
    assert (told(answer), faults(answer)) == ((409, "conflict"), ["/aliases"])
    assert told(writer.get(f"{kind}/moving-b")) == (410, "retracted")


def test_kinds_have_names_of_their_own(writer: Writer) -> None:
    for kind in KINDS:
        assert (
            writer.put(f"{kind}/names-apart", named(kind, "Apart", "Apart too")).status_code == 201
        )
        assert found(writer, kind, "apart-too") == "names-apart"
    assert writer.put("calls/names-apart", {"title": "Apart"}).status_code == 201
    assert told(writer.get("calls/apart-too")) == (404, "not-found")
