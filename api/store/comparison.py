"""Who says what on each topic of a call, who is silent, and who published nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from api.store.kinds import KINDS
from api.store.names import widened
from schemas.base import View

Side = str | None


@dataclass(frozen=True)
class Told:
    """A call with its accounts and statements."""

    call: View
    accounts: list[View]
    statements: list[View]


def _of_call(connection: Connection, kind: str, call: str) -> list[View]:
    table = KINDS[kind].table
    order = (
        [table.c.earliest.is_(None), table.c.earliest, table.c.latest]
        if kind == "statements"
        else []
    )
    found = select(table.c.view).where(table.c.call == call).order_by(*order, table.c.id)
    return [orjson.loads(view) for view in connection.scalars(found)]


def compare(connection: Connection, call: View, setting: str) -> dict[str, Any]:
    """The comparison of the accounts of a call, of what was said in one setting.

    A cell holds the statements of a side's accounts, whoever speaks, that carry the topic or a
    narrower one. It puts words side by side and judges nothing.
    """
    told = Told(
        call,
        _of_call(connection, "accounts", call["id"]),
        _of_call(connection, "statements", call["id"]),
    )
    sides = _sides(told)
    in_setting = [one for one in told.statements if one["setting"] == setting]
    topics = {topic["id"]: topic for one in in_setting for topic in one["topics"]}
    rows = [
        {"topic": topics[topic], "cells": _cells(told, sides, setting, set(narrower))}
        for topic, narrower in sorted(widened(connection, list(topics)).items())
    ]
    if any(not one["topics"] for one in in_setting):
        rows.append({"topic": None, "cells": _cells(told, sides, setting, None)})
    return {
        "call": call,
        "sides": [
            {"id": side, "name": name, "accounts": _accounts(told, side)}
            for side, name in sides.items()
        ],
        "topics": rows,
    }


def _sides(told: Told) -> dict[Side, str | None]:
    """The sides on the call or with an account of it by id; then, where told, third parties."""
    on_call = [one["side"] for one in told.call["participants"] if one["side"]]
    telling = [side for account in told.accounts for side in account["sides"]]
    names = {side["id"]: side["name"] for side in [*on_call, *telling]}
    sides: dict[Side, str | None] = {side: names[side] for side in sorted(names)}
    if any(not account["sides"] for account in told.accounts):
        sides[None] = None
    return sides


def _accounts(told: Told, side: Side) -> list[View]:
    return [account for account in told.accounts if _belongs(account, side)]


def _belongs(account: View, side: Side) -> bool:
    ids = [one["id"] for one in account["sides"]]
    return side in ids if side is not None else not ids


def _cells(
    told: Told, sides: Iterable[Side], setting: str, topics: set[str] | None
) -> list[dict[str, Any]]:
    """A row of cells; `topics` is None for what carries no topic."""
    about = [one for one in told.statements if _carries(one, topics)]
    cells = []
    for side in sides:
        accounts = {account["id"]: account for account in _accounts(told, side)}
        any_setting = [one for one in about if one["account"]["id"] in accounts]
        said = [one for one in any_setting if one["setting"] == setting]
        whole = all(account["coverage"] == "whole" for account in accounts.values())
        if not accounts:
            state = "no_account"
        elif said:
            state = "speaks"
        elif whole and not any_setting and topics is not None:
            state = "silent"
        else:
            state = "not_recorded"
        cells.append({"side": side, "state": state, "statements": said})
    return cells


def _carries(statement: View, topics: set[str] | None) -> bool:
    carried = {topic["id"] for topic in statement["topics"]}
    return not carried if topics is None else bool(carried & topics)
