"""Putting a call record: the call, its accounts and its statements become exactly what it says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from api import ledger
from api.rules import missing
from api.store.rows import Draft
from api.unit import Clash, Invalid, Rejected, Unit
from schemas.base import Written, references
from schemas.json_text import canonical
from schemas.problem import Fault
from schemas.record import WRITTEN

SHARED = ("participants", "topics", "sources")
HANGING = ("accounts", "statements")
Placed = tuple[str, str, Written]  # its kind, its pointer, and the record
GONE = {"retract": "retracted", "redact": "redacted"}


class Retracted(Exception):
    """The call was retracted or redacted: bringing it back takes more than an import."""

    def __init__(self, gone: ledger.Revision) -> None:
        super().__init__(f"was {GONE[gone.action]} at {gone.at}: {gone.reason}")
        self.gone = gone


class MayNotRetract(Exception):
    """The record leaves out what stands, and whoever puts it may not retract."""


def put_new(
    unit: Unit, shared: Mapping[str, Any], drafts: Sequence[Draft], *, update_shared: bool = False
) -> bool:
    """Put a call record by its drafts, where none of what they are of ever stood; whether it is so.

    A source may stand as the record has it. `shared` are the participants and topics that it lists.
    """
    new: list[Draft] = []
    for one in drafts:
        if not unit.number(one.kind, one.id):
            new.append(one)
        elif not _stands(unit, one):
            return False
    if not new:
        return False
    _put_all(unit, _shared(unit, shared, update_shared))
    for one in new:
        unit.create(one)
    return True


def _stands(unit: Unit, one: Draft) -> bool:
    """Is it a shared record, and just as the draft has it?"""
    if one.kind not in SHARED or unit.find(one.kind, one.id) is None:
        return False
    return canonical(unit.written(one.kind, one.id)) == one.written


def import_record(
    unit: Unit, document: Mapping[str, Any], *, replace: bool = False, update_shared: bool = False
) -> str:
    """Put a call record, of a call that stands already only where it may be replaced."""
    call = document["call"]["id"]
    if unit.find("calls", call) is None and unit.number("calls", call):
        gone = ledger.last(unit.connection, "calls", call)
        if gone is not None:
            raise Retracted(gone)
    fate = put_record(unit, document, update_shared=update_shared)
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
) -> str:
    """Put what the schema CallRecord loaded; returns the fate: `created, unchanged, replaced`.

    Shared participants, topics and sources are created if new and left if equal; one that differs
    is a clash, unless `update_shared`. What the call had and the document has no longer is
    retracted, unless that may not be.
    """
    call = document["call"]
    unit.gather("calls", [call["id"]])
    for kind in (*SHARED, *HANGING):
        unit.gather(kind, [one["id"] for one in document[kind]])
    stood = unit.find("calls", call["id"]) is not None
    _check_bounds(unit, document)
    own = [("calls", "/call", call), *_listed(document, HANGING)]
    fates = _put_all(unit, [*_shared(unit, document, update_shared), *own])
    gone = list(_left_out(unit, document)) if stood else []
    if gone and not may_retract:
        raise MayNotRetract(", ".join(f"{kind}/{record_id}" for kind, record_id in gone))
    for kind, record_id in gone:
        unit.retract(kind, record_id)
    if not stood:
        return "created"
    return "replaced" if gone or fates - {"unchanged"} else "unchanged"


def _shared(unit: Unit, document: Mapping[str, Any], update_shared: bool) -> list[Placed]:
    """The shared records to put; one that stands and differs is a clash, unless it may change."""
    new: list[Placed] = []
    clashes = []
    for kind, at, written in _listed(document, [kind for kind in SHARED if kind in document]):
        held = unit.find(kind, written["id"])
        if held is None or update_shared:
            new.append((kind, at, written))
        elif unit.written(kind, written["id"]) != written:
            detail = f"Differs from '{written['id']}' as it stands; shared=update changes it."
            clashes.append(Fault(at, detail))
    if clashes:
        raise Clash(clashes)
    return new


def _put_all(unit: Unit, placed: Iterable[Placed]) -> set[str]:
    """Put records, each after those that it names, and return the fates of what is not shared.

    All that is wrong with any is told. Of one that names a faulty one that is no more than what
    else it names in vain.
    """
    fates: set[str] = set()
    faults: list[Fault] = []
    clashes: list[Fault] = []
    faulty: set[tuple[str, str]] = set()
    unchecked = 0
    for kind, at, written in placed:
        named = {to: (of, one) for to, of, one in references(WRITTEN[kind], written)}
        if faulty.intersection(named.values()):
            vain = (one for one in missing(unit, kind, written) if named[one.pointer] not in faulty)
            faults += (Fault(at + one.pointer, one.detail) for one in vain)
            unchecked += 1
            faulty.add((kind, written["id"]))
            continue
        try:
            fate = unit.put(kind, written, at)
        except Rejected as error:
            (clashes if isinstance(error, Clash) else faults).extend(error.faults)
            faulty.add((kind, written["id"]))
        else:
            if kind not in SHARED:
                fates.add(fate)
    if faults:
        raise Invalid(faults, unchecked)
    if clashes:
        raise Clash(clashes, unchecked)
    return fates


def _listed(document: Mapping[str, Any], kinds: Iterable[str]) -> Iterator[Placed]:
    """The records of some kinds with their pointers, broader topics first."""
    for kind in kinds:
        waiting = {one["id"]: (f"/{kind}/{place}", one) for place, one in enumerate(document[kind])}
        while waiting:
            ready = [
                name for name, (_, one) in waiting.items() if one.get("broader") not in waiting
            ]
            # A cycle is told as a broader topic that is missing.
            for name in ready or list(waiting):
                yield (kind, *waiting.pop(name))


def out_of_bounds(document: Mapping[str, Any]) -> list[Fault]:
    """What reaches into another call: a call record holds what hangs on its own."""
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
    return faults


def _check_bounds(unit: Unit, document: Mapping[str, Any]) -> None:
    if faults := out_of_bounds(document):
        raise Invalid(faults)
    call = document["call"]["id"]
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
