"""What every list of records does: filters, pages, counts, facets, and its other forms."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, unquote_plus

from flask import Response
from marshmallow import fields
from sqlalchemy import Connection

from api.store.engine import Database
from api.store.highlights import highlighted
from api.store.records import Records
from api.store.selects import BETWEEN, Ask
from api.store.value import Value
from api.web import cursors, serialize
from api.web.answers import CSV, JSON, NDJSON, accepted, answer, stream
from api.web.at_hand import request
from api.web.requests import invalid, query, query_schema
from schemas.fields import Text
from schemas.query import Choice, Parameter, Single, Truth, Whole

DEFAULT_LIMIT = 50
MOST_PER_PAGE = 200
FORMS = {"json": JSON, "ndjson": NDJSON, "csv": CSV}
IN_A_QUERY = "%&=+!$'()*,;:@/?"  # stay as they are, escapes among them (RFC 3986, section 3.4)
ONLY_PAGES = ("cursor", "count", "facets")


class Lists:
    """The list of a kind of record, or of those that a path picks out.

    `fixed` names the filters that the path gives, with what they hold there; `sort` is the default
    order where it is not the kind's own.
    """

    def __init__(
        self,
        database: Database,
        records: Records,
        fixed: Mapping[str, str] | None = None,
        sort: str | None = None,
    ) -> None:
        self.database = database
        self.records = records
        self.fixed = fixed or {}
        self.sort = sort
        filters = {k: v for k, v in records.filters.items() if k not in self.fixed}
        self.schema = query_schema(filters | self._paging())

    def _paging(self) -> dict[str, fields.Field[Any]]:
        records = self.records
        members = [name for name in records.schema.fields if name != "text"]
        default = self.sort or records.default_sort
        default += " (with `q`: relevance)" if records.ranks and not self.sort else ""
        paging: dict[str, fields.Field[Any]] = {
            "sort": Single(Choice(records.sorts), f"Order; the default is {default}."),
            "limit": Single(
                Whole(0, metadata={"default": DEFAULT_LIMIT}),
                f"Records a page, at most {MOST_PER_PAGE}; of NDJSON and CSV the rows, any number.",
            ),
            "cursor": Single(Text(), "Where to go on: `page.next` of the page before."),
            "count": Single(Truth(), "Whether to add the exact `page.total`."),
            "fields": Parameter(Choice(members), "Only these members of each record."),
            "format": Single(Choice(FORMS), "The form of the answer, in place of `Accept`."),
        }
        if records.counted:
            paging["facets"] = Parameter(
                Choice(records.counted), "Count the values of these over all that matches."
            )
        return paging

    def answer(self, connection_fixed: Mapping[str, Value] | None = None) -> Response:
        """The answer to the request at hand; the path's own filters hold `connection_fixed`."""
        asked = query(self.schema, self.fixed, self._faults)
        form = _form(asked)
        ask = self._ask(asked, connection_fixed or {})
        if form == JSON:
            with self.database.read() as connection:
                return self._page(connection, self._resolved(connection, ask), asked, ask)
        return self._stream(ask, asked, form)

    def _faults(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        """What is wrong with parameters that do not go together."""
        wrong: list[dict[str, str]] = []
        if asked.get("sort") == "relevance" and "q" not in asked:
            detail = "Relevance is an order of full text: give q as well."
            wrong.append({"parameter": "sort", "detail": detail})
        if _form(asked) == JSON:
            if asked.get("limit", 0) > MOST_PER_PAGE:
                detail = f"Must be a whole number from 0 to {MOST_PER_PAGE}."
                wrong.append({"parameter": "limit", "detail": detail})
        else:
            detail = "Goes with JSON pages alone, not with NDJSON or CSV."
            wrong += [{"parameter": one, "detail": detail} for one in ONLY_PAGES if one in asked]
        return wrong

    def _ask(self, asked: dict[str, Any], fixed: Mapping[str, Value]) -> Ask:
        filters = {name: asked[name] for name in self.records.filters if name in asked}
        filters |= fixed
        ranked = self.records.ranks and "q" in asked and not self.sort
        default = "relevance" if ranked else self.sort or self.records.default_sort
        sort = asked.get("sort", default)
        after = None
        if "cursor" in asked:
            try:
                after = cursors.decode(asked["cursor"], self._fingerprint(filters, sort), sort)
            except ValueError as error:
                raise invalid([{"parameter": "cursor", "detail": str(error)}]) from None
        return Ask(filters, sort, after)

    def _fingerprint(self, filters: Mapping[str, Value], sort: str) -> str:
        """What a cursor goes with: the sort and the filters, in whatever order their values are."""
        asked = [(name, sorted(map(repr, v.values)), v.none) for name, v in filters.items()]
        return cursors.fingerprint((self.records.kind, sorted(asked), sort))

    def _resolved(self, connection: Connection, ask: Ask) -> Ask:
        resolved, unknown = self.records.resolve(connection, ask)
        if unknown:
            errors = [
                {"parameter": parameter, "detail": _did_you_mean(name, nearest)}
                for parameter, names in unknown.items()
                for name, nearest in names.items()
            ]
            raise invalid(errors, "unknown-id")
        return resolved

    def _page(
        self, connection: Connection, ask: Ask, asked: dict[str, Any], given: Ask
    ) -> Response:
        limit = asked.get("limit", DEFAULT_LIMIT)
        page = self.records.page(connection, ask, limit)
        following = None
        if page.last is not None:
            following = cursors.encode(self._fingerprint(given.asked, given.sort), page.last)
        total = self.records.count(connection, ask) if asked.get("count") else None
        facets = None
        if "facets" in asked:
            facets = self.records.facets(connection, ask, asked["facets"])
        views = page.views
        if views and ("q" in ask.asked or "fields" in asked):
            each = self._views(views.decode().split(BETWEEN), ask, asked)
            views = BETWEEN.join(each).encode()
        body = serialize.page(views, limit, following, total, facets)
        return answer(body, headers=_next_link(following))

    def _stream(self, ask: Ask, asked: dict[str, Any], form: str) -> Response:
        limit = asked.get("limit")
        with ExitStack() as held:
            connection = held.enter_context(self.database.stream())
            ask = self._resolved(connection, ask)
            count = self.records.streamed(connection, ask)
            count = count if limit is None else min(count, limit)
            views = (row.view for row in self.records.rows(connection, ask, count))
            if form == NDJSON:
                chunks = serialize.ndjson(self._views(views, ask, asked))
            else:
                chosen = serialize.columns(self.records.schema, asked.get("fields"), ("text",))
                chunks = serialize.table(views, chosen)
            response = stream(chunks, form, [("Readout-Count", str(count))])
            response.call_on_close(held.pop_all().close)
        return response

    def _views(self, views: Iterable[str], ask: Ask, asked: dict[str, Any]) -> Iterator[str]:
        words = ask.asked.get("q") if self.records.ranks else None
        for view in views:
            shown = view
            if words is not None:
                shown = serialize.with_member(view, "highlight", highlighted(view, words.values[0]))
            if "fields" in asked:
                shown = serialize.narrowed(shown, [*asked["fields"], "highlight"])
            yield shown


def _form(asked: dict[str, Any]) -> str:
    """The form of the answer: `format`, else what the client accepts."""
    return FORMS[asked["format"]] if "format" in asked else accepted(list(FORMS.values()))


def _did_you_mean(name: str, nearest: list[str]) -> str:
    hint = f"; did you mean {' or '.join(repr(near) for near in nearest)}?" if nearest else "."
    return f"There is no {name!r}{hint}"


def _next_link(following: str | None) -> list[tuple[str, str]]:
    if following is None:
        return []
    given = request.query_string.decode().split("&")
    kept = [one for one in given if one and unquote_plus(one.partition("=")[0]) != "cursor"]
    query = quote("&".join([*kept, f"cursor={following}"]), IN_A_QUERY)
    return [("Link", f'<{quote(request.path)}?{query}>; rel="next"')]
