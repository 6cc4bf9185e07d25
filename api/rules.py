"""What a record must keep to beyond its schema: the rules that need other records to be checked."""

from collections.abc import Iterator
from typing import Protocol
from unicodedata import normalize

from sqlalchemy import Connection, select

from api import ledger
from api.evidence import check_statement
from api.store.kinds import KINDS
from api.store.names import find
from schemas.base import View, Written, references
from schemas.problem import Fault
from schemas.record import WRITTEN


class Standing(Protocol):
    """The records as they stand: what the rules look at. A Unit is one."""

    def find(self, kind: str, record_id: str) -> View | None:
        """A record as it is read, or None."""

    def look(self, kind: str, record_id: str) -> View:
        """A record as it is read, which must be there."""

    def text_of(self, source: str) -> str | None:
        """The text of a source, where it is held."""


class Named(Standing, Protocol):
    """The same with the names that records are found by."""

    connection: Connection

    def waiting(self, kind: str, name: str) -> str | None:
        """The id of a record that is about to be written, by a slug or by what `called` gives."""


def default_said_on(standing: Standing, written: Written) -> None:
    """Set what a statement leaves out: when it was said is the day of the call or of the telling.

    It is set once; null is another thing, and stays.
    """
    if "said_on" not in written:
        account = standing.find("accounts", written["account"])
        on_call = written["setting"] == "on-call"
        day = account and (account["call"]["held_on"] if on_call else account["given_on"])
        written["said_on"] = day


def faults_of(standing: Standing, kind: str, written: Written) -> list[Fault]:
    """All that is wrong with a record, given the others."""
    if unknown := list(missing(standing, kind, written)):
        return unknown
    match kind:
        case "topics":
            return list(_cycle(standing, written))
        case "sources":
            return list(another_text(standing.find("sources", written["id"]), written))
        case "calls":
            return list(_sides_of_call(standing, written))
        case "accounts":
            return list(_no_sides(standing, written["sides"], "/sides"))
        case "statements":
            account = standing.look("accounts", written["account"])
            return list(check_statement(written, account, standing.look, standing.text_of))
    return []


def missing(standing: Standing, kind: str, written: Written) -> Iterator[Fault]:
    """References to what does not exist."""
    for pointer, target, wanted in references(WRITTEN[kind], written):
        itself = kind == target and wanted == written.get("id")
        if not itself and standing.find(target, wanted) is None:
            yield Fault(pointer, f"There is no {target.removesuffix('s')} '{wanted}'.")


def _cycle(standing: Standing, written: Written) -> Iterator[Fault]:
    broader = written["broader"]
    while broader is not None:
        if broader == written["id"]:
            yield Fault("/broader", "Must not lead back to the topic itself.")
            return
        broader = standing.look("topics", broader)["broader"]


def another_text(stood: View | None, written: Written) -> Iterator[Fault]:
    """Whether a source would get another text than it has, or had before it was retracted."""
    for name in ("characters", "sha256"):
        if stood is not None and stood[name] != written[name]:
            yield Fault(f"/{name}", "Must stay: a new version of a text is a new source.")


def _sides_of_call(standing: Standing, written: Written) -> Iterator[Fault]:
    yield from _no_sides(standing, written["initiated_by"], "/initiated_by")
    for place, one in enumerate(written["participants"]):
        if one["side"] is not None:
            yield from _no_side(standing, one["side"], f"/participants/{place}/side")


def _no_sides(standing: Standing, sides: list[str], at: str) -> Iterator[Fault]:
    for place, side in enumerate(sides):
        yield from _no_side(standing, side, f"{at}/{place}")


def _no_side(standing: Standing, side: str, pointer: str) -> Iterator[Fault]:
    if standing.look("participants", side)["kind"] == "person":
        yield Fault(pointer, f"A side is a state or organisation; '{side}' is a person.")


CALLED = {"participants": "name", "topics": "label"}


def called(kind: str, written: Written) -> str | None:
    """What a record is called, after a mark that no slug has; None where that need not differ."""
    return "=" + normalize("NFC", written[CALLED[kind]]) if kind in CALLED else None


def name_clashes(standing: Named, kind: str, written: Written) -> Iterator[Fault]:
    """Other records of the kind that one of its names finds, or that are called the same."""
    name = called(kind, written)
    if name is None:
        return
    records, own = KINDS[kind], (None, written["id"])
    slugs = records.derive(written, standing.look).names
    held = find(standing.connection, kind, slugs)
    others = [held.get(slug) or standing.waiting(kind, slug) for slug in slugs]
    for other in dict.fromkeys(others):
        if other not in own:
            yield Fault("/id", f"A name of it, id or alias, already finds '{other}'.")
    for slug in slugs:
        if slug not in (written["id"], *held) and ledger.last(standing.connection, kind, slug):
            yield Fault("/aliases", f"'{slug}' is the id of a record that was retracted.")
    member = CALLED[kind]
    same = select(records.table.c.id).where(records.table.c[member] == name[1:])
    twins = standing.connection.scalars(same.order_by(records.table.c.id)).all()
    for twin in dict.fromkeys([*twins, standing.waiting(kind, name)]):
        if twin not in own:
            yield Fault(
                f"/{member}",
                f"'{twin}' is called the same; if it is another, let the {member} tell them apart.",
            )
