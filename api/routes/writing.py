"""The routes that write records of a kind: POST, PUT, PATCH, DELETE."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uuid_utils
from flask import Response
from marshmallow import ValidationError
from sqlalchemy import Connection

from api.routes.found import represented, standing_of
from api.routes.gate import key_at_hand
from api.rules import missing
from api.store import idempotency
from api.store.engine import Database, Full, Unavailable
from api.store.records import Records
from api.unit import Clash, Invalid, Rejected, Unit
from api.web import bodies, preconditions
from api.web.answers import accepted, answer
from api.web.at_hand import request
from api.web.problems import ProblemError
from api.web.requests import query, query_schema
from schemas.base import Written
from schemas.fields import Text
from schemas.instants import timestamp
from schemas.problem import Fault, faults
from schemas.query import Single
from schemas.record import WRITTEN

WHY = "Why, for the log."
REASON = query_schema({"reason": Single(Text(required=True), WHY)})
NEEDED_REASON = query_schema({"reason": Single(Text(required=True), WHY, required=True)})
NO_QUERY = query_schema({})
KEPT_FOR = timedelta(hours=24)
OTHER_ID = "Must be the id of the path, '{}'."
_IDEMPOTENCY_KEY = re.compile(r'([!#-~][!-~]{0,254})|"([!-~]{1,255})"')


@contextmanager
def told() -> Iterator[None]:
    """Tell what the unit of work finds wrong as a problem."""
    try:
        yield
    except Rejected as error:
        raise rejected(error) from None


def rejected(error: Rejected) -> ProblemError:
    """The problem that tells what is wrong with records: 409 for a clash, else 422."""
    kind = "conflict" if isinstance(error, Clash) else "invalid"
    errors = [fault._asdict() for fault in error.faults]
    return ProblemError(kind, str(error)[:1000], errors)


def refused(error: Unavailable) -> ProblemError:
    """The problem that tells that the database cannot serve now."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    kind = "no-room" if isinstance(error, Full) else "unavailable"
    return ProblemError(kind, error.reason, headers=headers)


def loaded(database: Database, kind: str, document: Any, record: str, wrong_id: str) -> Written:
    """A record as it is written, under an id, checked by its schema.

    `wrong_id` is what is said where the document has another id. Where something is wrong, what the
    rest of it names is looked up as well, so that all faults are told at once.
    """
    found: list[Fault] = []
    if isinstance(document, Mapping):
        if document.get("id", record) != record:
            found.append(Fault("/id", wrong_id))
        document = {**document, "id": record}
    try:
        written: Written = WRITTEN[kind].load(document)
    except ValidationError as error:
        found += faults(error.messages)
        right: Any = error.valid_data
        with database.read() as connection:
            found += missing(Unit(connection, ""), kind, right if isinstance(right, dict) else {})
        raise Invalid(found) from None
    if found:
        raise Invalid(found)
    return written


class Writes:
    """The writing routes of one kind of record."""

    def __init__(self, database: Database, records: Records) -> None:
        self.database = database
        self.records = records
        self.kind = records.kind
        self.most = (8 if self.kind == "sources" else 1) * bodies.MEBIBYTE

    def post(self) -> Response:
        """Make a record under an id of ours."""
        accepted([bodies.JSON])
        body = bodies.read([bodies.JSON], self.most)
        query(NO_QUERY)
        key = idempotency_key()
        document = bodies.parse(body)
        record = str(uuid_utils.uuid7())
        with told():
            written = loaded(
                self.database, self.kind, document, record, "Is made here; PUT takes one of yours."
            )
            with self.database.write() as connection:
                kept = self._kept(connection, key, body)
                if kept is not None:
                    return self._made(kept.id, kept.answer, replayed=True)
                view = self._put(self._unit(connection), written)
                self._keep(connection, key, body, record, view)
        return self._made(record, view)

    def put(self, record: str) -> Response:
        """Make a record what is sent."""
        accepted([bodies.JSON])
        with self.database.read() as connection:
            standing = standing_of(self.records, connection, record, may_be_new=True)
        body = bodies.read([bodies.JSON], self.most)
        preconditions.check(standing)
        reason = query(REASON).get("reason")
        document = bodies.parse(body)
        with told():
            written = loaded(self.database, self.kind, document, record, OTHER_ID.format(record))
            with self.database.write() as connection:
                standing = standing_of(self.records, connection, record, may_be_new=True)
                preconditions.check(standing)
                view = self._put(self._unit(connection, reason), written)
        return self._answer(view) if standing.number else self._made(record, view)

    def patch(self, record: str) -> Response:
        """Change members of a record (RFC 7396)."""
        accepted([bodies.JSON])
        with self.database.read() as connection:
            standing = standing_of(self.records, connection, record)
        body = bodies.read([bodies.MERGE_PATCH, bodies.JSON], self.most)
        preconditions.check(standing)
        reason = query(REASON).get("reason")
        patch = bodies.parse(body)
        with told(), self.database.write() as connection:
            preconditions.check(standing_of(self.records, connection, record))
            unit = self._unit(connection, reason)
            merged = merge(unit.written(self.kind, record), patch)
            if self.kind == "statements" and isinstance(merged, dict):
                merged.setdefault("said_on", None)  # Removed is null here, not left out.
            written = loaded(self.database, self.kind, merged, record, OTHER_ID.format(record))
            view = self._put(unit, written)
        return self._answer(view)

    def delete(self, record: str) -> Response:
        """Retract a record."""
        with self.database.read() as connection:
            preconditions.check(standing_of(self.records, connection, record))
        reason = query(NEEDED_REASON)["reason"]
        with told(), self.database.write() as connection:
            preconditions.check(standing_of(self.records, connection, record))
            unit = self._unit(connection, reason)
            unit.retract(self.kind, record)
            unit.commit()
        response = Response(status=204)
        del response.headers["Content-Type"]
        return response

    @staticmethod
    def _unit(connection: Connection, reason: str | None = None) -> Unit:
        return Unit(connection, key_at_hand().name, reason)

    def _put(self, unit: Unit, written: Written) -> str:
        unit.put(self.kind, written)
        unit.commit()
        return self._shown(unit.connection, written["id"])

    def _shown(self, connection: Connection, record: str) -> str:
        found = self.records.one(connection, record)
        if found is None:
            raise LookupError(f"{self.kind}/{record} was written and is not there")
        return represented(self.records, connection, *found)

    def _answer(self, view: str) -> Response:
        number = int(orjson.loads(view)["revision"])
        return answer(view.encode(), number=number)

    def _made(self, record: str, view: str, *, replayed: bool = False) -> Response:
        response = self._answer(view)
        response.status_code = 201
        response.headers["Location"] = f"/v1/{self.kind}/{record}"
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _kept(
        self, connection: Connection, key: str | None, body: bytes
    ) -> idempotency.Kept | None:
        if key is None:
            return None
        since = timestamp(datetime.now(UTC) - KEPT_FOR)
        actor = key_at_hand().prefix
        kept = idempotency.find(connection, actor, request.path, key, since)
        if kept is not None and kept.body_hash != hashlib.sha256(body).digest():
            raise ProblemError(
                "invalid", "This Idempotency-Key came with another body within the last 24 hours."
            )
        return kept

    def _keep(
        self, connection: Connection, key: str | None, body: bytes, record: str, view: str
    ) -> None:
        if key is None:
            return
        now = datetime.now(UTC)
        kept = idempotency.Kept(self.kind, record, view, hashlib.sha256(body).digest())
        idempotency.keep(
            connection,
            key_at_hand().prefix,
            request.path,
            key,
            kept,
            timestamp(now),
            timestamp(now - KEPT_FOR),
        )


def idempotency_key() -> str | None:
    """The Idempotency-Key of the request, bare or quoted."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    found = _IDEMPOTENCY_KEY.fullmatch(given)
    if found is None:
        raise ProblemError(
            "bad-request", "Idempotency-Key takes 1 to 255 visible ASCII characters."
        )
    return found[1] or found[2]


def merge(target: Written, patch: Any) -> Any:
    """A JSON Merge Patch applied (RFC 7396); no member of a written record is itself an object."""
    if not isinstance(patch, Mapping):
        return patch
    kept = {name: value for name, value in target.items() if name not in patch}
    return kept | {name: value for name, value in patch.items() if value is not None}
