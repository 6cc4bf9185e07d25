"""Statements, and the positions that they state on a topic or by a participant."""

from collections.abc import Callable

from flask import Response

from api.routes.found import found_by
from api.routes.lists import Lists
from api.routes.resource import (
    LIST_HEADERS,
    LIST_PROBLEMS,
    content_location,
    forms_of_list,
    list_of,
    resource,
)
from api.routes.words import Words
from api.store.calls import CALLS
from api.store.engine import Database
from api.store.kinds import KINDS
from api.store.participants import PARTICIPANTS
from api.store.records import Records
from api.store.statements import STATEMENTS
from api.store.topics import TOPICS
from api.store.value import Value
from api.web.operations import Api, Operation

PAGE = list_of(STATEMENTS)

WORDS = Words(
    "a statement",
    "statements",
    "Use this to ask across calls: who said what, to whom, on which topic, in whose telling."
    " Filters"
    " of one parameter mean *or*, different parameters mean *and*. In order of time, or of"
    " relevance"
    " with `q`.",
    "Use this for one statement with its speakers, telling and evidence.",
    "blinken-lavrov-2022-07-29-06",
    {},
)


def add(api: Api, database: Database) -> None:
    """Register the routes of statements."""
    _positions(
        api,
        database,
        "listTopicPositions",
        TOPICS,
        "topic",
        ("The id of a topic, or the slug of an alias of it.", "grain-deal"),
        "All positions stated on a topic",
        "Use this for the question that Readout is for: every position stated on a topic and on"
        " what"
        " is narrower, by whom, to whom, in whose telling, and exactly where it is written. The"
        " same"
        " as `/v1/statements` with `topic` and `position=true`, in order of time also with `q`.",
    )
    resource(api, database, STATEMENTS, WORDS, PAGE)
    _positions(
        api,
        database,
        "listParticipantPositions",
        PARTICIPANTS,
        "speaker",
        ("The id of a participant, or the slug of an alias.", "sergey-lavrov"),
        "All positions stated by a participant",
        "Use this to see where somebody stands and how that moved from call to call. The same as"
        " `/v1/statements` with `speaker` and `position=true`, in order of time also with `q`.",
    )
    under_call(
        api,
        database,
        STATEMENTS,
        "listCallStatements",
        "All statements of a call",
        "Use this to read a call through: everything recorded of it, in every telling.",
    )


def _positions(
    api: Api,
    database: Database,
    operation: str,
    records: Records,
    filter_name: str,
    path: tuple[str, str],
    summary: str,
    description: str,
) -> None:
    fixed = {filter_name: "the one in the path", "position": "true"}
    positions = Lists(database, STATEMENTS, fixed, sort="said_on")
    under(
        api,
        records,
        positions,
        f"/v1/{records.kind}/{{id}}/positions",
        Operation(
            id=operation,
            tag="statements",
            summary=summary,
            description=description,
            answers=forms_of_list(STATEMENTS, PAGE),
            query=positions.schema,
            path_examples={"id": path},
            example=lambda seed: seed.positions(filter_name, path[1]),
            problems=("not-found", "retracted", *LIST_PROBLEMS),
            headers=(*LIST_HEADERS, "Content-Location"),
        ),
        lambda found: {filter_name: Value((found,)), "position": Value((True,))},
    )


def under_call(
    api: Api, database: Database, records: Records, operation: str, summary: str, description: str
) -> None:
    """Register the list of what hangs on a call."""
    listed = Lists(database, records, {"call": "the one in the path"})
    under(
        api,
        CALLS,
        listed,
        f"/v1/calls/{{id}}/{records.kind}",
        Operation(
            id=operation,
            tag="calls",
            summary=summary,
            description=description,
            answers=forms_of_list(records, list_of(KINDS[records.kind])),
            query=listed.schema,
            path_examples={"id": ("The id of a call.", "blinken-lavrov-2022-07-29")},
            example=lambda seed: seed.page(records.kind),
            problems=("not-found", "retracted", *LIST_PROBLEMS),
            headers=LIST_HEADERS,
        ),
        lambda found: {"call": Value((found,))},
    )


def under(
    api: Api,
    records: Records,
    listed: Lists,
    path: str,
    operation: Operation,
    fixed: Callable[[str], dict[str, Value]],
) -> None:
    """Register a list that hangs on the record in the path."""
    start, rest = path.split("{id}")

    @api.route(path, operation)
    def list_under(record: str) -> Response:
        with listed.database.read() as connection:
            found, _ = found_by(records, connection, record)
        response = listed.answer(fixed(found))
        response.headers.extend(content_location(start, record, found, rest))
        return response
