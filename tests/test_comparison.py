"""The comparison of a call's accounts: who speaks of what, who is silent, who published nothing.

The tables give what is expected of the invented calls, a line a topic, a column a side: the numbers
of the statements, or the state. They were worked out apart from the service.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.reading import CALLS, FERRY, LANTERN, REVIEW, SEED, WEATHER, at_fault, ids, read, walk

SHORT = {"-": "not_recorded", "silent": "silent", "none": "no_account"}
TABLES = {
    (LANTERN, "on-call"): """
      topic           iceland        malta meridian-sea-council oman              singapore null
      fisheries       06,07          none  -                    22                -         -
      herring-quota   06,07          none  -                    silent            -         -
      lantern-accord  02,03,10,12    none  -                    10,12             24        -
      lighthouses     02,03,10,11,12 none  16                   10,11,12,17,18,19 24        31
      maritime-safety 02,03,10,11,12 none  16                   10,11,12,17,18,19 23,24,25  29,31
      stranded-crews  04,05          none  -                    silent            -         -
      tide-tables     -              none  -                    21                -         -
      weather-data    silent         none  -                    20                -         31
      null            01             none  14,15                -                 -         -
    """,
    (LANTERN, "about-call"): """
      topic          iceland malta meridian-sea-council oman singapore null
      lantern-accord -       none  -                    -    26        -
      tide-tables    08      none  -                    -    -         -
      null           09      none  -                    -    -         33
    """,
    (LANTERN, "off-call"): """
      topic          iceland malta meridian-sea-council oman   singapore null
      lantern-accord 13      none  -                    13     -         -
      stranded-crews -       none  -                    silent -         30
      null           -       none  -                    -      27,28     32
    """,
    (FERRY, "on-call"): """
      topic         iceland icelandic-lighthouse-service malta          meridian-sea-council null
      ferry-fares   none    silent                       05             none                 16
      ferry-service none    -                            02,03,04,05,06 none                 16
      lighthouses   none    silent                       03             none                 silent
      null          none    -                            07             none                 -
    """,
    (FERRY, "about-call"): """
      topic iceland icelandic-lighthouse-service malta meridian-sea-council null
      null  none    08,11,09,12,10               01    none                 15,14
    """,
    (FERRY, "off-call"): """
      topic         iceland icelandic-lighthouse-service malta meridian-sea-council null
      ferry-service none    13                           -     none                 -
    """,
    (WEATHER, "on-call"): """
      topic        malta    singapore
      weather-data 02,03,05 08
      null         06       -
    """,
    (WEATHER, "about-call"): """
      topic malta singapore
      null  01    -
    """,
    (WEATHER, "off-call"): """
      topic        malta singapore
      lighthouses  04    -
      weather-data -     07,09,10
    """,
    (SEED, "on-call"): """
      topic              russia         united-states
      annexation         -              07,08,09
      arms-supplies      21             -
      detained-americans -              01
      food-security      15,16,17,18,19 06
      grain-deal         15,16          06
      sanctions          15,17          -
      war-aims           20             -
    """,
    (SEED, "about-call"): """
      topic              russia united-states
      annexation         -      10
      detained-americans -      03,04,05
      null               -      02
    """,
    (SEED, "off-call"): """
      topic      russia united-states
      annexation -      11,12
      taiwan     -      13,14
      war-aims   -      12
    """,
    (REVIEW, "on-call"): "topic meridian-sea-council oman",
    (REVIEW, "off-call"): "topic meridian-sea-council oman",
}


def compared(client: FlaskClient, call: str, setting: str = "on-call") -> Any:
    return read(client, f"/v1/calls/{call}/comparison", {"setting": setting})


def name_of(record: Any) -> str:
    return str(record["id"]) if record and record["id"] else "null"


@pytest.mark.parametrize(("call", "setting"), TABLES)
def test_the_states_and_statements_of_every_cell(
    client: FlaskClient, call: str, setting: str
) -> None:
    head, *lines = [line.split() for line in TABLES[call, setting].strip().splitlines()]
    found = compared(client, call, setting)
    assert ["topic", *(name_of(side) for side in found["sides"])] == head
    assert [name_of(row["topic"]) for row in found["topics"]] == [line[0] for line in lines]
    for row, line in zip(found["topics"], lines, strict=True):
        assert [cell["side"] or "null" for cell in row["cells"]] == head[1:]
        for cell, expected in zip(row["cells"], line[1:], strict=True):
            numbers = [one.rsplit("-", 1)[1] for one in ids(cell["statements"])]
            if expected in SHORT:
                assert (cell["state"], numbers) == (SHORT[expected], []), (line[0], cell["side"])
            else:
                assert (cell["state"], sorted(numbers)) == (
                    "speaks",
                    sorted(expected.split(",")),
                ), (line[0], cell["side"])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("setting", ["on-call", "about-call", "off-call"])
def test_statements_and_accounts_stand_there_in_full_and_in_order(
    client: FlaskClient, call: str, setting: str
) -> None:
    found = compared(client, call, setting)
    said = walk(client, f"/v1/calls/{call}/statements", {"setting": setting})
    told = {one["id"]: one for one in walk(client, f"/v1/calls/{call}/accounts")}
    assert list(found) == ["call", "sides", "topics"]
    assert found["call"] == read(client, f"/v1/calls/{call}")
    assert {one["id"] for side in found["sides"] for one in side["accounts"]} == told.keys()
    for side in found["sides"]:
        assert list(side) == ["id", "name", "accounts"]
        for account in side["accounts"]:
            assert account == told[account["id"]]
            sides = [one["id"] for one in account["sides"]]
            assert side["id"] in sides or (side["id"] is None and not sides)
    for row in found["topics"]:
        assert list(row) == ["topic", "cells"]
        for cell in row["cells"]:
            assert list(cell) == ["side", "state", "statements"]
            assert cell["statements"] == [
                one for one in said if one["id"] in ids(cell["statements"])
            ]


def test_the_setting_is_on_call_unless_asked_otherwise(client: FlaskClient) -> None:
    path = f"/v1/calls/{LANTERN}/comparison"
    assert read(client, path) == compared(client, LANTERN, "on-call")
    for setting in ("", "none", "on-call,off-call", "On-Call"):
        assert at_fault(client, path, {"setting": setting}) == ["setting"]
    assert at_fault(client, f"{path}?setting=on-call&setting=on-call") == ["setting"]


def test_a_row_has_the_topic_with_its_label_and_the_null_topic_comes_last(
    client: FlaskClient,
) -> None:
    topics = [row["topic"] for row in compared(client, LANTERN)["topics"]]
    assert topics[0] == {"id": "fisheries", "label": "Fisheries"}
    assert topics[-1] is None
    assert None not in topics[:-1]


def test_third_parties_stand_under_a_side_of_null(client: FlaskClient) -> None:
    side = compared(client, LANTERN)["sides"][-1]
    assert (side["id"], side["name"]) == (None, None)
    assert ids(side["accounts"]) == ["lantern-gazette-report"]


def test_an_account_of_several_sides_stands_under_each(client: FlaskClient) -> None:
    under = {
        side["id"]: [one for one in ids(side["accounts"]) if "joint" in one]
        for side in compared(client, LANTERN)["sides"]
    }
    joint = ["lantern-joint-statement"]
    assert under == {side: joint if side in ("iceland", "oman") else [] for side in under}


def states(client: FlaskClient, call: str, setting: str, topic: str | None) -> dict[Any, str]:
    [row] = [
        row
        for row in compared(client, call, setting)["topics"]
        if (row["topic"] or {"id": None})["id"] == topic
    ]
    return {cell["side"]: cell["state"] for cell in row["cells"]}


def test_what_was_said_in_another_setting_breaks_the_silence(client: FlaskClient) -> None:
    # Iceland's accounts are whole, and say nothing of the tide tables on the call; but about it.
    assert states(client, LANTERN, "on-call", "tide-tables")["iceland"] == "not_recorded"
    assert states(client, LANTERN, "on-call", "weather-data")["iceland"] == "silent"
    # What the Service's note says of the ferry it says off the call.
    found = states(client, FERRY, "on-call", "ferry-service")
    assert found["icelandic-lighthouse-service"] == "not_recorded"
    assert found["iceland"] == "no_account"


def test_an_account_that_is_not_whole_is_silent_on_nothing(client: FlaskClient) -> None:
    for setting in ("on-call", "about-call", "off-call"):
        for call, side in ((LANTERN, "singapore"), (SEED, "russia"), (LANTERN, None)):
            for row in compared(client, call, setting)["topics"]:
                assert {c["state"] for c in row["cells"] if c["side"] == side} != {"silent"}


def test_nobody_is_silent_on_what_carries_no_topic(client: FlaskClient) -> None:
    for call in (LANTERN, FERRY, WEATHER):
        for setting in ("on-call", "about-call", "off-call"):
            found = compared(client, call, setting)["topics"]
            for row in found:
                if row["topic"] is None:
                    assert "silent" not in {cell["state"] for cell in row["cells"]}
