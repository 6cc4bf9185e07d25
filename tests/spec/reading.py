"""Keep out of schemathesis' requests what OpenAPI cannot say is wrong with them.

Only of requests meant to be right are parameters taken, and no check is loosened: a request that is
meant to be wrong, an odd cursor among them, goes out as it was made.
"""

from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from tests.spec.possible import possible_date, possible_instant, possible_length

DATES = ("held_from", "held_to", "said_from", "said_to")
UNSTREAMED = ("count", "facets")  # They do not go with CSV and NDJSON …
LONGEST_PAGE = 200  # … and a higher limit goes with these alone.


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """Is the URL short enough?"""
    return possible_length(case.as_transport_kwargs())


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Take away parameters that make a request wrong though each fits its schema."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    query = case.query
    query.pop("cursor", None)  # None that is made up can be right.
    for name in DATES:
        if not possible_date(query.get(name, "2022")):
            del query[name]
    if not possible_instant(query.get("updated_since", "2022-07-29T00:00:00Z")):
        del query["updated_since"]
    if query.get("format", "json") != "json":
        for name in UNSTREAMED:
            query.pop(name, None)
    elif int(query.get("limit", 0)) > LONGEST_PAGE:
        del query["limit"]
    if query.get("sort") == "relevance" and "q" not in query:
        del query["sort"]
    return case
