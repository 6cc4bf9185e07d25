"""Putting a call record: the call, its accounts and its statements become exactly what it says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api import ledger
from api.store.rows import Draft
from api.unit import Clash, Invalid, Unit
from schemas.base import Written
from schemas.problem import Fault

SHARED = ("participants", "topics", "sources")
HANGING = ("accounts", "statements")
GONE = {"retract": "retracted", "redact": "redacted"}
NO_DRAFTS: Mapping[tuple[str, str], Draft] = {}


class Retracted(Exception):
    """The call was retracted or redacted: bringing it back takes more than an import."""

    def __init__(self, gone: ledger.Revision) -> None:
        super().__init__(f"was {GONE[gone.action]} at {gone.at}: {gone.reason}")
        self.gone = gone


class MayNotRetract(Exception):
    """The record leaves out what stands, and whoever puts it may not retract."""


def gather(unit: Unit, documents: Sequence[Mapping[str, Any]]) -> None:
    """Look up together how all records of some call records stand."""
    unit.gather("calls", [document["call"]["id"] for document in documents])
    for kind in (*SHARED, *HANGING):
        unit.gather(kind, [one["id"] for document in documents for one in document[kind]])


def import_record(
    unit: Unit,
    document: Mapping[str, Any],
    *,
    replace: bool = False,
    update_shared: bool = False,
    drafts: Mapping[tuple[str, str], Draft] = NO_DRAFTS,
) -> str:
    """Put a call record, of a call that stands already only where it may be replaced."""
    call = document["call"]["id"]
    if unit.find("calls", call) is None and unit.number("calls", call):
        gone = ledger.last(unit.connection, "calls", call)
        if gone is not None:
            raise Retracted(gone)
    fate = put_record(unit, document, update_shared=update_shared, drafts=drafts)
    if fate == "replaced" and not replace:
        detail = f"'{call}' stands and differs; existing=replace changes it."
        raise Clash([Fault("/call/id", detail)])
    return fate


def put_record(
    unit: Unit,
    document: Mapping[str, Any],
    *,
    update_shared: bool = False,
    may_retract: bool = True,
    drafts: Mapping[tuple[str, str], Draft] = NO_DRAFTS,
) -> str:
    """Put what the schema CallRecord loaded; returns the fate: `created, unchanged, replaced`.

    Shared participants, topics and sources are created if new and left if equal; one that differs
    is a clash, unless `update_shared`. What the call had and the document has no longer is
    retracted, unless that may not be.
    """
    call = document["call"]
    gather(unit, [document])
    stood = unit.find("calls", call["id"]) is not None
    fates: set[str] = set()
    _check_bounds(unit, document)
    clashes = []
    stage: list[tuple[str, str, Written]] = []
    for kind in SHARED:
        for at, written in _listed(document, kind):
            held = unit.find(kind, written["id"])
            if held is None or update_shared:
                stage.append((kind, at, written))
            elif unit.written(kind, written["id"]) != written:
                detail = f"Differs from '{written['id']}' as it stands; shared=update changes it."
                clashes.append(Fault(at, detail))
    if clashes:
        raise Clash(clashes)
    _put_all(unit, [*stage, ("calls", "/call", call)], drafts, fates)
    for kind in HANGING:
        _put_all(unit, [(kind, at, one) for at, one in _listed(document, kind)], drafts, fates)
    gone = list(_left_out(unit, document)) if stood else []
    if gone and not may_retract:
        raise MayNotRetract(", ".join(f"{kind}/{record_id}" for kind, record_id in gone))
    for kind, record_id in gone:
        unit.retract(kind, record_id)
    if not stood:
        return "created"
    return "replaced" if gone or fates - {"unchanged"} else "unchanged"


def _put_all(
    unit: Unit,
    stage: list[tuple[str, str, Written]],
    drafts: Mapping[tuple[str, str], Draft],
    fates: set[str],
) -> None:
    """Put records that do not name one another, and tell all that is wrong with them."""
    faults: list[Fault] = []
    clashes: list[Fault] = []
    for kind, at, written in stage:
        try:
            fate = unit.put(kind, written, at, drafts.get((kind, written["id"])))
        except Invalid as error:
            faults += error.faults
        except Clash as error:
            clashes += error.faults
        else:
            if kind not in SHARED:
                fates.add(fate)
    if faults:
        raise Invalid(faults)
    if clashes:
        raise Clash(clashes)


def _listed(document: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Written]]:
    """The records of a kind with their pointers, broader topics first."""
    if kind != "topics":
        yield from ((f"/{kind}/{place}", one) for place, one in enumerate(document[kind]))
        return
    waiting = {one["id"]: (f"/{kind}/{place}", one) for place, one in enumerate(document[kind])}
    while waiting:
        ready = [name for name, (_, one) in waiting.items() if one.get("broader") not in waiting]
        for name in ready or list(waiting):  # A cycle is told as a broader topic that is missing.
            yield waiting.pop(name)


def _check_bounds(unit: Unit, document: Mapping[str, Any]) -> None:
    """Refuse what reaches into another call: a call record holds what hangs on its own."""
    call = document["call"]["id"]
    own = {account["id"] for account in document["accounts"]}
    faults = [
        Fault(f"/accounts/{place}/call", f"Must be the call of the record, '{call}'.")
        for place, account in enumerate(document["accounts"])
        if account["call"] != call
    ]
    faults += [
        Fault(f"/statements/{place}/account", "Must be an account of the record.")
        for place, statement in enumerate(document["statements"])
        if statement["account"] not in own
    ]
    if faults:
        raise Invalid(faults)
    clashes = []
    for kind in HANGING:
        for place, written in enumerate(document[kind]):
            held = unit.find(kind, written["id"])
            if held is not None and held["call"]["id"] != call:
                detail = f"'{written['id']}' belongs to the call '{held['call']['id']}'."
                clashes.append(Fault(f"/{kind}/{place}/id", detail))
    if clashes:
        raise Clash(clashes)


def _left_out(unit: Unit, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the call has and the document has not, statements before their accounts."""
    stand = unit.hanging_on(document["call"]["id"])
    for kind in reversed(HANGING):
        kept = {written["id"] for written in document[kind]}
        for record_id in stand[kind]:
            if record_id not in kept:
                yield kind, record_id
