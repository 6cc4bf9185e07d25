"""The routes that write records of a kind: POST, PUT, PATCH, DELETE."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uuid_utils
from flask import Response, request
from marshmallow import ValidationError
from sqlalchemy import Connection

from api.routes.found import gone_by, missing, represented, retracted
from api.routes.gate import key_at_hand
from api.store import idempotency
from api.store.engine import Database
from api.store.records import Records
from api.unit import Clash, Invalid, Rejected, Unit
from api.web import bodies, preconditions
from api.web.answers import answer
from api.web.problems import ProblemError
from api.web.requests import query, query_schema
from schemas.base import Written
from schemas.fields import Text, timestamp
from schemas.problem import Fault, faults
from schemas.query import Single
from schemas.record import WRITTEN

REASON = query_schema({"reason": Single(Text(), "Why, for the log.")})
NEEDED_REASON = query_schema({"reason": Single(Text(), "Why, for the log.", required=True)})
NO_QUERY = query_schema({})
KEPT_FOR = timedelta(hours=24)
_IDEMPOTENCY_KEY = re.compile(r'"[!-~]{1,255}"|[!-~]{1,255}')


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


def loaded(kind: str, document: Any) -> Written:
    """A record as it is written, checked by its schema."""
    try:
        written: Written = WRITTEN[kind].load(document)
    except ValidationError as error:
        raise Invalid(list(faults(error.messages))) from None
    return written


@dataclass(frozen=True)
class Standing:
    """How a record stands: its number, None where there is none; and whether it is gone."""

    number: int | None
    gone: bool = False


class Writes:
    """The writing routes of one kind of record."""

    def __init__(self, database: Database, records: Records) -> None:
        self.database = database
        self.records = records
        self.kind = records.kind
        self.most = (8 if self.kind == "sources" else 1) * bodies.MEBIBYTE

    def post(self) -> Response:
        """Make a record under an id of ours."""
        query(NO_QUERY)
        body, _ = bodies.read([bodies.JSON], self.most)
        key = idempotency_key()
        document = bodies.parse(body)
        with told():
            written = self._new(document)
            with self.database.write() as connection:
                kept = self._kept(connection, key, body)
                if kept is not None:
                    return self._made(kept.id, kept.answer, replayed=True)
                unit = self._unit(connection, None)
                unit.put(self.kind, written)
                unit.commit()
                view = self._shown(connection, written["id"])
                self._keep(connection, key, body, written["id"], view)
        return self._made(written["id"], view)

    def put(self, record: str) -> Response:
        """Make a record what is sent."""
        self._standing_now(record, may_be_new=True)
        body, _ = bodies.read([bodies.JSON], self.most)
        self._check_standing(self._standing_now(record, may_be_new=True))
        reason = query(REASON).get("reason")
        document = bodies.parse(body)
        with told():
            written = loaded(self.kind, self._under(document, record))
            with self.database.write() as connection:
                standing = self._standing(connection, record, may_be_new=True)
                self._check_standing(standing)
                unit = self._unit(connection, reason)
                unit.put(self.kind, written)
                unit.commit()
                view = self._shown(connection, record)
        if standing.number is None:
            return self._made(record, view)
        return self._answer(view)

    def patch(self, record: str) -> Response:
        """Change members of a record (RFC 7396)."""
        self._standing_now(record)
        body, _ = bodies.read([bodies.MERGE_PATCH, bodies.JSON], self.most)
        self._check_standing(self._standing_now(record))
        reason = query(REASON).get("reason")
        patch = bodies.parse(body)
        with told(), self.database.write() as connection:
            self._check_standing(self._standing(connection, record))
            unit = self._unit(connection, reason)
            merged = merge(unit.written(self.kind, record), patch)
            if self.kind == "statements" and isinstance(merged, dict):
                merged.setdefault("said_on", None)  # Removed is null here, not left out.
            unit.put(self.kind, loaded(self.kind, self._under(merged, record)))
            unit.commit()
            view = self._shown(connection, record)
        return self._answer(view)

    def delete(self, record: str) -> Response:
        """Retract a record."""
        self._check_standing(self._standing_now(record))
        reason = query(NEEDED_REASON)["reason"]
        with told(), self.database.write() as connection:
            self._check_standing(self._standing(connection, record))
            unit = self._unit(connection, reason)
            unit.retract(self.kind, record)
            unit.commit()
        return Response(status=204)

    def _standing_now(self, record: str, *, may_be_new: bool = False) -> Standing:
        with self.database.read() as connection:
            return self._standing(connection, record, may_be_new=may_be_new)

    def _standing(
        self, connection: Connection, record: str, *, may_be_new: bool = False
    ) -> Standing:
        """How the record of the path stands; 404 and 410 where that ends the request."""
        number = self.records.revision(connection, record)
        if number is not None:
            return Standing(number)
        gone = gone_by(self.records, connection, record)
        if gone is None:
            if may_be_new:
                return Standing(None)
            raise missing(self.records, record)
        if not may_be_new or "If-Match" not in request.headers:
            raise retracted(gone)
        return Standing(gone.revision, gone=True)

    @staticmethod
    def _check_standing(standing: Standing) -> None:
        preconditions.check(standing.number, gone=standing.gone)

    @staticmethod
    def _unit(connection: Connection, reason: str | None) -> Unit:
        return Unit(connection, key_at_hand().name, reason)

    def _new(self, document: Any) -> Written:
        if isinstance(document, Mapping):
            if "id" in document:
                raise Invalid([Fault("/id", "Is made by the server here; PUT takes one of yours.")])
            document = {**document, "id": str(uuid_utils.uuid7())}
        return loaded(self.kind, document)

    @staticmethod
    def _under(document: Any, record: str) -> Any:
        """The document with the path's id, which it must not contradict."""
        if not isinstance(document, Mapping):
            return document
        if document.get("id", record) != record:
            raise Invalid([Fault("/id", f"Must be the id of the path, '{record}'.")])
        return {**document, "id": record}

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
    if not _IDEMPOTENCY_KEY.fullmatch(given) or given in ('""', '"'):
        raise ProblemError(
            "bad-request", "Idempotency-Key takes 1 to 255 visible ASCII characters."
        )
    return (
        given[1:-1] if given.startswith('"') and given.endswith('"') and len(given) > 2 else given
    )


def merge(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch applied (RFC 7396, section 2)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged
