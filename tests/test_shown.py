"""What is shown of a record elsewhere, and what follows from it, is up to date after a change.

The records that show it have not changed themselves: they keep their revision and `updated_at`.
That every table holds what follows from the log is looked at as well, once all tests are through.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.call_records import a_record
from tests.writing import Writer, faults, told

STATEMENTS = ("statement-1", "statement-2")
_tags = (f"shown{number}" for number in itertools.count())


@pytest.fixture
def tag(writer: Writer) -> str:
    """The tag of a call record that is the test's own."""
    tag = next(_tags)
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    return tag


@contextmanager
def unchanged(writer: Writer, *paths: str) -> Iterator[None]:
    """Records that keep their revision and times, while what is read of each differs."""
    before = {path: writer.read(path) for path in paths}
    tags = {path: writer.get(path).headers["ETag"] for path in paths}
    yield
    for path in paths:
        now = writer.read(path)
        assert now != before[path], path
        for member in ("revision", "created_at", "updated_at"):
            assert now[member] == before[path][member]
        # The bytes differ, so the tag does; its number does not, so a write goes on.
        tag = writer.get(path).headers["ETag"]
        assert tag != tags[path]
        assert tag.split("-")[0] == tags[path].split("-")[0]
        put = writer.put(path, now, {"If-Match": tags[path]})
        assert (put.status_code, put.json) == (200, now)


def ids(writer: Writer, asked: str) -> list[str]:
    """The ids that a list gives, without what tells the records of one test from another's."""
    return [one["id"].partition("-")[2] for one in writer.read(asked)["data"]]


def facet(writer: Writer, asked: str, name: str) -> dict[str, tuple[str, int]]:
    """The values of a facet with their labels and counts."""
    counted = writer.read(f"{asked}&facets={name}&limit=0")["facets"][name]
    return {one["id"]: (one["label"], one["count"]) for one in counted}


def test_a_participant_by_another_name(writer: Writer, tag: str) -> None:
    minister, alpha = f"{tag}-minister", f"{tag}-alpha"
    shows = (f"calls/{tag}-call", f"accounts/{tag}-account", f"statements/{tag}-statement-1")
    with unchanged(writer, *shows):
        assert writer.patch(f"participants/{minister}", {"name": f"{tag} Née"}).status_code == 200
        assert writer.patch(f"participants/{alpha}", {"name": f"{tag} Åland"}).status_code == 200
    call, account, statement = (writer.read(path) for path in shows)
    person, side = {"id": minister, "name": f"{tag} Née"}, {"id": alpha, "name": f"{tag} Åland"}
    assert call["initiated_by"] == [side]
    assert (call["participants"][0]["participant"], call["participants"][0]["side"]) == (
        person,
        side,
    )
    assert (account["sides"], account["given_by"]) == ([side], person)
    assert statement["speakers"] == [person | {"country": "NO"}]
    assert statement["account"]["sides"] == [side]
    assert statement["account"]["given_by"] == person
    asked = f"statements?call={tag}-call"
    assert facet(writer, asked, "speaker") == {minister: (person["name"], 2)}
    assert facet(writer, asked, "side") == {alpha: (side["name"], 2)}
    comparison = writer.read(f"calls/{tag}-call/comparison")
    assert comparison["sides"][0]["name"] == side["name"]
    [listed, _] = writer.read(f"participants/{minister}/positions")["data"]
    assert listed == statement
    assert ids(writer, f"participants?q={tag}+n%C3%A9e") == ["minister"]
    assert ids(writer, f"participants?q={tag}+minister") == []


def test_a_participant_of_another_country(writer: Writer, tag: str) -> None:
    """Speakers by country, and whether it is their own side that tells."""
    record = a_record(tag)
    record["call"]["participants"] = record["call"]["participants"][1:]
    writer.put(f"calls/{tag}-call/record", record)
    path, asked = f"statements/{tag}-statement-1", f"statements?call={tag}-call"
    calls = f"calls?participant={tag}-envoy"
    assert writer.read(path)["self_reported"] is True  # By country: Norway's, in Alpha's telling.
    for country, reported, norwegian in (
        ("SE", False, []),
        (None, None, []),
        ("NO", True, STATEMENTS),
    ):
        with unchanged(writer, path):
            answer = writer.patch(f"participants/{tag}-minister", {"country": country})
            assert answer.status_code == 200
        assert writer.read(path)["self_reported"] is reported
        assert writer.read(path)["speakers"][0]["country"] == country
        assert ids(writer, f"{asked}&country=NO") == list(norwegian)
        assert ids(writer, f"{asked}&country=NO&speaker={tag}-minister") == list(norwegian)
        assert ids(writer, f"{asked}&self_reported=true") == list(norwegian)
        counted = {country: (country, 2)} if country else {}
        assert facet(writer, asked, "country") == counted
    # The sides' countries count as well.
    assert writer.patch(f"participants/{tag}-beta", {"country": "NO"}).status_code == 200
    assert writer.read(path)["self_reported"] is None
    assert ids(writer, f"{asked}&target_country=NO") == list(STATEMENTS)
    assert writer.patch(f"participants/{tag}-alpha", {"country": "DK"}).status_code == 200
    assert writer.read(path)["self_reported"] is False
    assert ids(writer, f"{calls}&country=SE") == ["call"]
    assert writer.patch(f"participants/{tag}-envoy", {"country": "FI"}).status_code == 200
    assert ids(writer, f"{calls}&country=SE") == []
    assert ids(writer, f"{calls}&country=FI") == ["call"]


def test_a_topic_by_another_label(writer: Writer, tag: str) -> None:
    path, asked = f"statements/{tag}-statement-1", f"statements?call={tag}-call"
    assert ids(writer, f"{asked}&q={tag}+lock") == list(STATEMENTS)
    assert ids(writer, f"{asked}&q=weir") == []
    with unchanged(writer, path):
        answer = writer.patch(f"topics/{tag}-lock", {"label": f"{tag} Weir"})
        assert answer.status_code == 200
    label = {"id": f"{tag}-lock", "label": f"{tag} Weir"}
    assert writer.read(path)["topics"] == [label]
    assert ids(writer, f"{asked}&q=weir") == list(STATEMENTS)
    assert ids(writer, f'{asked}&q="{tag}+lock"') == []
    assert facet(writer, asked, "topic") == {f"{tag}-lock": (f"{tag} Weir", 2)}
    assert writer.read(f"calls/{tag}-call/comparison")["topics"][0]["topic"] == label
    [hit, _] = writer.read(f"{asked}&q=weir")["data"]
    assert hit["topics"] == [label]


def test_a_topic_that_moves(writer: Writer, tag: str) -> None:
    asked = f"statements?topic={tag}-locks"
    assert ids(writer, asked) == list(STATEMENTS)
    assert writer.patch(f"topics/{tag}-lock", {"broader": None}).status_code == 200
    assert ids(writer, asked) == []
    assert ids(writer, f"topics/{tag}-locks/positions") == []
    assert writer.patch(f"topics/{tag}-lock", {"broader": f"{tag}-locks"}).status_code == 200
    assert ids(writer, f"topics/{tag}-locks/positions") == list(STATEMENTS)
    assert ids(writer, f"topics?broader={tag}-locks") == ["lock"]
    assert ids(writer, f"calls?topic={tag}-locks") == ["call"]


def test_a_source_by_another_title(writer: Writer, tag: str) -> None:
    change = {"title": f"{tag} gazette", "publisher": None, "url": "http://example.net/g"}
    shows = (f"accounts/{tag}-account", f"statements/{tag}-statement-1")
    with unchanged(writer, *shows):
        assert writer.patch(f"sources/{tag}-source", change).status_code == 200
    account, statement = (writer.read(path) for path in shows)
    assert account["sources"] == [{"id": f"{tag}-source", **change}]
    assert statement["evidence"][0]["source"] == {"id": f"{tag}-source", **change}
    assert ids(writer, f"sources?q={tag}+gazette") == ["source"]
    assert ids(writer, f"statements?source={tag}-source") == list(STATEMENTS)


def test_a_call_of_another_title_and_day(writer: Writer, tag: str) -> None:
    change = {"title": f"{tag} call on the weir", "held_on": "2031-04"}
    shows = (f"accounts/{tag}-account", f"statements/{tag}-statement-1")
    with unchanged(writer, *shows):
        assert writer.patch(f"calls/{tag}-call", change).status_code == 200
    shown = {"id": f"{tag}-call", **change}
    assert [writer.read(path)["call"] for path in shows] == [shown, shown]
    assert facet(writer, f"statements?speaker={tag}-minister", "call") == {
        f"{tag}-call": (change["title"], 2)
    }
    by_day = f"calls?participant={tag}-minister&held_from=2031-04-30&held_to=2031-05-01"
    assert ids(writer, by_day) == ["call"]
    assert ids(writer, f"calls?side={tag}-alpha&held_from=2031-05-01") == []
    assert ids(writer, f"calls?q={tag}+weir") == ["call"]
    assert writer.read(shows[1])["said_on"] == "2031-05-02"  # It was stored once.


def test_a_call_of_other_participants(writer: Writer, tag: str) -> None:
    """Whose side the speaker is on follows from the call."""
    path = f"statements/{tag}-statement-1"
    attendance = a_record(tag)["call"]["participants"]
    expected = {f"{tag}-beta": False, None: True, f"{tag}-alpha": True}
    for side, reported in expected.items():
        attendance[0]["side"] = side
        answer = writer.patch(f"calls/{tag}-call", {"participants": attendance})
        assert answer.status_code == 200
        assert writer.read(path)["self_reported"] is reported
        told_by = f"statements?call={tag}-call&self_reported={str(reported).lower()}"
        assert ids(writer, told_by) == list(STATEMENTS)
        assert writer.read(path)["revision"] == 1
        assert ids(writer, f"calls?side={tag}-alpha") == (
            ["call"] if side == f"{tag}-alpha" else []
        )
    assert writer.patch(f"calls/{tag}-call", {"participants": []}).status_code == 200
    assert writer.read(path)["self_reported"] is True  # By country alone.
    assert ids(writer, f"calls?participant={tag}-minister") == []


def test_an_account_of_other_sides_and_genre(writer: Writer, tag: str) -> None:
    path, asked = f"statements/{tag}-statement-1", f"statements?call={tag}-call"
    account = f"accounts/{tag}-account"
    with unchanged(writer, path):
        change = {"sides": [f"{tag}-beta"], "genre": "briefing", "given_by": None}
        assert writer.patch(account, change).status_code == 200
    read = writer.read(path)
    assert read["account"] == {
        "id": f"{tag}-account",
        "sides": [{"id": f"{tag}-beta", "name": f"{tag} Beta"}],
        "genre": "briefing",
        "given_by": None,
    }
    assert read["self_reported"] is False
    assert ids(writer, f"{asked}&side={tag}-alpha") == []
    assert ids(writer, f"{asked}&side={tag}-beta") == list(STATEMENTS)
    assert ids(writer, f"{asked}&genre=readout") == []
    assert ids(writer, f"{asked}&genre=briefing") == list(STATEMENTS)
    assert facet(writer, asked, "genre") == {"briefing": ("briefing", 2)}
    assert ids(writer, f"calls?told_by={tag}-beta") == ["call"]
    assert ids(writer, f"calls?told_by={tag}-alpha") == []
    assert writer.patch(account, {"sides": []}).status_code == 200
    assert writer.read(path)["self_reported"] is False
    assert ids(writer, f"{asked}&side=none") == list(STATEMENTS)


def test_an_account_of_another_call(writer: Writer, tag: str) -> None:
    other = {"title": f"{tag} other call", "held_on": "2031-06-01"}
    assert writer.put(f"calls/{tag}-other", other).status_code == 201
    path = f"statements/{tag}-statement-1"
    with unchanged(writer, path):
        answer = writer.patch(f"accounts/{tag}-account", {"call": f"{tag}-other"})
        assert answer.status_code == 200
    assert writer.read(path)["call"] == {"id": f"{tag}-other", **other}
    for below in ("statements", "accounts"):
        assert ids(writer, f"calls/{tag}-call/{below}") == []
    assert ids(writer, f"calls/{tag}-other/statements") == list(STATEMENTS)
    assert ids(writer, f"statements?call={tag}-other&act=demand") == ["statement-1"]
    assert ids(writer, f"calls?told_by={tag}-alpha") == ["other"]
    assert ids(writer, f"calls?topic={tag}-lock&sort=-held_on") == ["other"]
    record = writer.read(f"calls/{tag}-other/record")
    assert [one["id"] for one in record["statements"]] == [f"{tag}-{one}" for one in STATEMENTS]
    assert writer.read(f"calls/{tag}-call/record")["accounts"] == []
    assert told(writer.delete(f"calls/{tag}-other", {"If-Match": '"9"'})) == (412, "stale")


def test_what_moved_away_is_not_fetched_back_without_a_word(writer: Writer, tag: str) -> None:
    assert writer.put(f"calls/{tag}-other", {"title": f"{tag} other"}).status_code == 201
    record = writer.read(f"calls/{tag}-call/record")
    writer.patch(f"accounts/{tag}-account", {"call": f"{tag}-other"})
    answer = writer.put(f"calls/{tag}-call/record", record)
    assert (told(answer), faults(answer)) == (
        (409, "conflict"),
        ["/accounts/0/id", "/statements/0/id", "/statements/1/id"],
    )
    assert ids(writer, f"calls/{tag}-other/accounts") == ["account"]


def test_many_changes_in_one_write(writer: Writer, tag: str) -> None:
    record: dict[str, Any] = a_record(tag)
    for one in record["participants"]:
        one |= {"name": f"{one['name']} II", "country": "DK"}
    for one in record["topics"]:
        one["label"] += " II"
    record["sources"][0]["title"] += " II"
    record["call"] |= {"title": f"{tag} call II", "held_on": "2031"}
    record["accounts"][0] |= {"sides": [], "genre": "news-report"}
    answer = writer.put(f"calls/{tag}-call/record?shared=update", record)
    assert answer.status_code == 200, answer.text
    read = writer.read(f"statements/{tag}-statement-1")
    assert read["speakers"] == [
        {"id": f"{tag}-minister", "name": f"{tag} Minister II", "country": "DK"}
    ]
    assert read["topics"] == [{"id": f"{tag}-lock", "label": f"{tag} Lock II"}]
    assert read["evidence"][0]["source"]["title"] == f"{tag} bulletin II"
    assert read["call"] == {"id": f"{tag}-call", "title": f"{tag} call II", "held_on": "2031"}
    assert (read["account"]["sides"], read["account"]["genre"]) == ([], "news-report")
    assert (read["self_reported"], read["revision"]) == (False, 1)
    assert ids(writer, f"statements?call={tag}-call&q={tag}+II&country=DK") == list(STATEMENTS)


def test_a_call_is_found_by_what_its_statements_are_about(writer: Writer, tag: str) -> None:
    """As long as one of them is about a topic, whichever it is."""
    first, second = (f"statements/{tag}-{name}" for name in STATEMENTS)
    both, harbours, other = f"{tag}-wheat", f"{tag}-fish", f"{tag}-coal"
    for name in (both, harbours, other):
        assert writer.put(f"topics/{name}", {"id": name, "label": name}).status_code == 201

    def found() -> list[str]:
        return [name for name in (both, harbours, other) if ids(writer, f"calls?topic={name}")]

    steps: list[tuple[str, list[str], list[str]]] = [
        (first, [both, harbours], [both, harbours]),
        (second, [both], [both, harbours]),
        (first, [harbours], [both, harbours]),
        (first, [other], [both, other]),
        (second, [], [other]),
        (first, [], []),
        (second, [both, other], [both, other]),
    ]
    for path, topics, expected in steps:
        assert writer.patch(path, {"topics": topics}).status_code == 200
        assert found() == expected
    assert ids(writer, f"calls?participant={tag}-minister&topic=none") == []
    assert writer.delete(second).status_code == 204
    assert found() == []
    assert ids(writer, f"calls?participant={tag}-minister&topic=none") == ["call"]


def test_a_call_of_another_day_is_found_by_it(writer: Writer, tag: str) -> None:
    """Also where it is found by what hangs on it, in the order of days."""
    asked = [f"topic={tag}-lock", f"told_by={tag}-alpha", f"initiated_by={tag}-alpha"]
    for day in ("2031-05", "2027-02-03", None):
        assert writer.patch(f"calls/{tag}-call", {"held_on": day}).status_code == 200
        for one in asked:
            for sort in ("held_on", "-held_on", "id"):
                assert ids(writer, f"calls?{one}&sort={sort}") == ["call"]
            since = ids(writer, f"calls?{one}&held_from=2031-05-20")
            assert since == (["call"] if day == "2031-05" else [])
            until = ids(writer, f"calls?{one}&held_to=2027-02-03")
            assert until == (["call"] if day == "2027-02-03" else [])
