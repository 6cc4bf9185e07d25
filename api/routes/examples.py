"""Examples for the document, made from the seed: what the served answers look like."""

from pathlib import Path
from typing import Any

from api.exchange.documents import read_yaml
from api.store.kinds import KINDS
from api.store.rows import prepare
from schemas.base import View, Written, as_written, references
from schemas.record import WRITTEN

SEED = Path(__file__).parents[2] / "seeds" / "blinken-lavrov-2022-07-29.yaml"
STAMP = "2026-01-01T00:00:00.000000Z"
SHOWN = 1  # of a list


class Seed:
    """The records of the seed as they are read."""

    def __init__(self) -> None:
        document = self._record = read_yaml(SEED.read_text(encoding="utf-8"))
        self._views: dict[tuple[str, str], View] = {}
        for kind in KINDS:
            written = [document["call"]] if kind == "calls" else document[kind]
            for one in written:
                if kind == "statements":
                    one.setdefault("said_on", self._said_on(one))
                stamps = {"revision": 1, "created_at": STAMP, "updated_at": STAMP}
                prepared = prepare(kind, one, stamps, self._look, "sqlite")
                self._views[kind, one["id"]] = prepared.view

    def _look(self, kind: str, record_id: str) -> View:
        return self._views[kind, record_id]

    def _said_on(self, statement: dict[str, Any]) -> Any:
        account = self._look("accounts", statement["account"])
        on_call = statement["setting"] == "on-call"
        return account["call"]["held_on"] if on_call else account["given_on"]

    def view(self, kind: str, record_id: str) -> View:
        """One record."""
        return self._look(kind, record_id)

    def written(self, kind: str, record_id: str) -> Written:
        """One record as it is written."""
        return as_written(WRITTEN[kind], self._look(kind, record_id))

    def record(self) -> dict[str, Any]:
        """The call record, with its first statement alone, and with all that it then names."""
        waiting = [("calls", self._record["call"]["id"])]
        waiting += [("statements", one["id"]) for one in self._record["statements"][:SHOWN]]
        named = set(waiting)
        while waiting:
            kind, record_id = waiting.pop()
            found = references(WRITTEN[kind], self.written(kind, record_id))
            new = {(of, one) for _, of, one in found} - named
            named |= new
            waiting += new
        return {
            kind: [one for one in part if (kind, one["id"]) in named]
            if isinstance(part, list)
            else part
            for kind, part in self._record.items()
        }

    def page(self, kind: str) -> dict[str, Any]:
        """The beginning of a list of the kind."""
        found = [view for (of, _), view in self._views.items() if of == kind]
        return self._page(found)

    def positions(self, filter_name: str, record_id: str) -> dict[str, Any]:
        """The beginning of the positions on a topic or of a speaker."""
        member = {"topic": "topics", "speaker": "speakers"}[filter_name]
        return self._page(
            [
                view
                for (kind, _), view in self._views.items()
                if kind == "statements"
                and view["position"]
                and record_id in [one["id"] for one in view[member]]
            ]
        )

    @staticmethod
    def _page(found: list[View]) -> dict[str, Any]:
        listed = [
            {name: value for name, value in view.items() if name != "text"}
            for view in found[:SHOWN]
        ]
        return {"data": listed, "page": {"limit": 50, "next": None}}
