"""Give schemathesis' writing requests what OpenAPI cannot say that they need.

Only requests meant to be right are mended, and no check is loosened: a request that is meant to be
wrong goes out as it was made, but for the version that a change is made of.
"""

import os
import traceback
from typing import Any

import requests
import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from schemas.fields import MAX_ITEMS
from tests.spec.mending import Body, Ground, mended, mended_record, mended_text, numbers
from tests.spec.possible import possible_length

URL = os.environ["READOUT_SPEC_URL"]
READING = ("GET", "HEAD", "OPTIONS")

session = requests.Session()
session.trust_env = False  # Looking for proxies would take longer than asking.
session.headers["Authorization"] = f"Bearer {os.environ['READOUT_SPEC_KEY']}"
ground = Ground(session, URL)
used: set[str] = set()


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Forget how long a list may be: those of 500 take minutes to make up.

    tests/test_bad_members.py sends them, and longer ones.
    """
    waiting: list[Any] = [raw_schema["components"]["schemas"]]
    while waiting:
        match waiting.pop():
            case dict(part):
                if part.get("maxItems") == MAX_ITEMS:
                    del part["maxItems"]
                waiting += part.values()
            case list(parts):
                waiting += parts


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """Is the URL short enough?"""
    return possible_length(case.as_transport_kwargs())


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Mend a request as late as can be, since what stands decides what is right."""
    try:
        if case.method not in READING:
            prepare(case)
            ground.touched |= touches_ground(case)
    except Exception:  # noqa: BLE001 - schemathesis would think the request flaky, and pass.
        traceback.print_exc()
        os._exit(1)


def prepare(case: Case[Any]) -> None:
    """Make a request what it is meant to be: right, or wrong in what it is meant to be wrong in."""
    name_version(case)
    # Asked now, since that header may be all that was meant to be wrong.
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    use_once(case)
    mend_reason(case)
    if isinstance(case.body, dict):
        if ground.restored():
            name_version(case)
        record = case.path_parameters.get("id")
        kind = case.path.split("/")[2]
        if kind == "records" or case.path.endswith("/record"):
            case.body = mended_record(ground, case.body, record or importable(case, case.body))
        else:
            case.body = mended(ground, kind, case.body, record, patch=case.method == "PATCH")


def importable(case: Case[Any], body: Body) -> str:
    """The id of a call that may be imported: none that is gone, and one that stands to replace."""
    call: str = body["call"]["id"]
    gone = session.head(f"{URL}/v1/calls/{call}").status_code == requests.codes.gone
    return call if case.query.get("existing") == "replace" and not gone else f"new-{next(numbers)}"


def touches_ground(case: Case[Any]) -> bool:
    """May it change what made-up bodies name?"""
    match case.path, case.body:
        case "/v1/records", {"call": {"id": record}}:
            return bool(record == ground.call)
    return str(case.path_parameters.get("id")).startswith(ground.tag)


def name_version(case: Case[Any]) -> None:
    """`If-Match` is needed where something stands or stood, and wrong where nothing did."""
    if case.method == "POST":
        return
    case.headers.pop("If-Match", None)
    if tag := session.head(URL + case.formatted_path).headers.get("ETag"):
        case.headers["If-Match"] = tag
        if case.headers.get("If-None-Match") == "*":
            del case.headers["If-None-Match"]


def use_once(case: Case[Any]) -> None:
    """An `Idempotency-Key` goes with one body alone; in quotation marks it is the same."""
    if key := case.headers.get("Idempotency-Key"):
        if key.strip('"') in used:
            del case.headers["Idempotency-Key"]
        used.add(key.strip('"'))


def mend_reason(case: Case[Any]) -> None:
    """Text takes no NUL, nor what Python alone calls blank."""
    if reason := case.query.get("reason"):
        case.query["reason"] = mended_text(reason, "Some")
