"""A database with 100,000 statements within seconds, for tests of what many records cost.

Its rows are made by SQL, not by the import: no log, no evidence, and views without members. Each
column has values that are frequent and values that are rare, since a plan that is good for the ones
can be bad for the others.
"""

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Table, text

from api.store.tables import metadata
from schemas.vocabulary import (
    ACTS,
    COVERAGES,
    FORMS,
    GENRES,
    MEDIA,
    PARTICIPANT_KINDS,
    RIGHTS,
    ROLES,
    SETTINGS,
    SOURCE_KINDS,
    STATUSES,
    codes,
)

STATEMENTS = 100_000
SHARES = {
    "participants": 20,
    "topics": 50,
    "sources": 20,
    "calls": 20,
    "accounts": 10,
    "statements": 1,
}
COUNTRIES = ("US", "RU", "UA", "TR", "CN", "FR", "DE", "PL", "AD", "AE")
CODES: dict[str, Sequence[str]] = {
    "act": codes(ACTS),
    "form": codes(FORMS),
    "setting": codes(SETTINGS),
    "genre": codes(GENRES),
    "status": codes(STATUSES),
    "medium": codes(MEDIA),
    "coverage": codes(COVERAGES),
    "rights": codes(RIGHTS)[1:],
    "role": codes(ROLES),
    "country": COUNTRIES,
    "publisher": [f"Publisher {n}" for n in range(50)],
}
# Multipliers, so that each column has an order of its own.
PRIMES = (7919, 6007, 4999, 3001, 8887, 2503, 9311, 5501, 1213, 7577, 4441, 9719, 6607, 1801)
PRIME = 10_007
PARENTS = 20
CITED = {"participants": 500, "topics": 200, "sources": 500}
RARE = 2_003
"""One of so many records has the last code of its column."""
EVERY = "common"
"""A word of every record; `few0` is one of a few."""
FOLLOWS = {
    "statement_said_about": "SELECT t.record, 2 * t.ordinal + s.ordinal, t.target, s.target,"
    " t.position, t.earliest, t.latest"
    " FROM statement_topics AS t JOIN statement_speakers AS s ON s.record = t.record",
    "call_topics": "SELECT DISTINCT c.id, t.target, c.earliest, c.latest FROM statement_topics AS t"
    " JOIN statements AS s ON s.id = t.record JOIN calls AS c ON c.id = s.call",
    "call_tellers": "SELECT DISTINCT c.id, t.target, c.earliest, c.latest FROM account_sides AS t"
    " JOIN accounts AS a ON a.id = t.record JOIN calls AS c ON c.id = a.call",
}
"""What fills the tables that hold what stands in others."""


def fill(connection: Connection, statements: int = STATEMENTS) -> None:
    """Fill a migrated database, and do for its planner what its upkeep would have done."""
    if connection.dialect.name == "postgresql":
        # Nothing here needs its references checked; who may not say so waits some seconds more.
        connection.exec_driver_sql(
            "SELECT set_config('session_replication_role', 'replica', true)"
            " WHERE current_setting('is_superuser') = 'on'"
        )
    indexes = _indexes(connection)
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    for kind, share in SHARES.items():
        table = metadata.tables[kind]
        _records(connection, table, statements // share)
        for link in metadata.tables.values():
            own = link.name.startswith(kind[:-1] + "_") and "record" in link.c
            if own and link.name not in FOLLOWS:
                _links(connection, link, statements // share)
    for name, rows in FOLLOWS.items():
        connection.exec_driver_sql(f"INSERT INTO {name} {rows}")
    for _, made in indexes:
        connection.exec_driver_sql(made)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")


def _indexes(connection: Connection) -> list[tuple[str, str]]:
    """The indexes that are no keys, each with what makes it: after the rows that is sooner done."""
    if connection.dialect.name == "sqlite":
        question = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        question = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
    return [(name, made) for name, made in connection.exec_driver_sql(question).all()]


def _records(connection: Connection, table: Table, many: int) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    columns = [column for column in table.c if column.name != "n"]
    values = [_value(column, place, many, "i") for place, column in enumerate(columns)]
    if "words" in table.c:
        words = f"'{EVERY} few' || (i % {max(many // 10, 1)})"
        values[-1] = words if on_sqlite else f"to_tsvector('simple', {words})"
    _insert(connection, table, columns, values, many)
    if on_sqlite and "words" in table.c:
        connection.exec_driver_sql(
            f"INSERT INTO {table.name}_search ({table.name}_search) VALUES ('rebuild')"
        )


def _links(connection: Connection, table: Table, many: int) -> None:
    """One entry for each record but every twentieth, and a second one for every fourth."""
    owner = table.c.record
    for ordinal, some in enumerate(("i % 20 <> 7", "i % 4 = 1 AND i % 20 <> 7")):
        values = []
        for place, column in enumerate(table.c):
            if column is owner:
                values.append(f"'{_owner(table)}-' || i")
            elif column.name == "slug":
                values.append(f"'{_owner(table)}-' || i" if not ordinal else "'alias-' || i")
            elif column.name == "ordinal":
                values.append(str(ordinal))
            else:
                values.append(_value(column, place + ordinal * 3, many, "i"))
        _insert(connection, table, list(table.c), values, many, some)


def _owner(table: Table) -> str:
    (key,) = table.c.record.foreign_keys
    return key.column.table.name


def _insert(
    connection: Connection,
    table: Table,
    columns: Sequence[Column[object]],
    values: Sequence[str],
    many: int,
    some: str = "true",
) -> None:
    names = ", ".join(f'"{column.name}"' for column in columns)
    made = (
        f"INSERT INTO {table.name} ({names})"
        " WITH RECURSIVE numbers (i) AS (SELECT CAST(0 AS BIGINT)"
        f" UNION ALL SELECT i + 1 FROM numbers WHERE i < {many - 1})"
        f" SELECT {', '.join(values)} FROM numbers WHERE {some}"
    )
    connection.execute(text(made))


def _value(column: Column[object], place: int, many: int, i: str) -> str:
    """What stands in a column of the record numbered `i`, as SQL."""
    name, kind = column.name, column.table.name
    day = f"({i} * {STATEMENTS} / {many} / 20 * 4993 % 6000)"
    year = f"(2010 + {day} / 336)"
    # Statements are of their call's day; one in twelve has no date, one in ten a vague one.
    dated = f"CASE WHEN {i} * {STATEMENTS} / {many} / 20 % 12 = 5 THEN NULL ELSE"
    fixed = {
        "id": f"'{kind}-' || {i}",
        "revision": "1",
        "created_at": "'2026-01-01T00:00:00.000000Z'",
        "updated_at": f"'2026-01-' || {_two(f'{i} * 28 / {many} + 1')} || 'T00:00:00.000000Z'",
        "earliest": f"{dated} {year} || '-' || {_two(f'{day} / 28 % 12 + 1')} || '-'"
        f" || {_two(f'{day} % 28 + 1')} END",
        "latest": f"{dated} {year} || '-' || CASE WHEN {day} % 10 = 3 THEN '12-31' ELSE"
        f" {_two(f'{day} / 28 % 12 + 1')} || '-' || {_two(f'{day} % 28 + 1')} END END",
        "position": f"{i} % 3 <> 0",
        "self_reported": f"CASE WHEN {i} % 5 = 0 THEN NULL ELSE {i} % 7 = 0 END",
        "joint": f"{i} % 4 = 1",
        "call": f"'calls-' || ({i} / {2 if kind == 'accounts' else 20})",
        "account": f"'accounts-' || ({i} / 10)",
        "characters": "1000",
        "sha256": f"'{64 * '0'}'",
        "text": "NULL",
        "title": f"'Title ' || {i}",
        "name": f"'Name ' || {i}",
        "label": f"'Label ' || {i}",
        "held_on_basis": "NULL",
        # A few topics, with no statements of their own, are broader than all others.
        "broader": f"CASE WHEN {i} < {many - PARENTS} THEN"
        f" 'topics-' || ({many - PARENTS} + {_chosen(i, 3, PARENTS)}) END",
        "words": "''",
        "view": f'\'{{"id": "{kind}-\' || {i} || \'", "summary": "{400 * "."}"}}\'',
    }
    if name in fixed:
        return fixed[name]
    listed: Sequence[str] = CODES.get(name, ())
    if name == "kind":
        listed = codes(SOURCE_KINDS if kind == "sources" else PARTICIPANT_KINDS)
    if not listed and not column.foreign_keys:
        raise LookupError(f"{kind}.{name} needs values here: in CODES, or in `fixed`.")
    for key in column.foreign_keys:
        kind = key.column.table.name
        found = f"'{kind}-' || {_chosen(i, place, CITED[kind])}"
        break
    else:
        *others, rare = listed
        cases = " ".join(f"WHEN {n} THEN '{code}'" for n, code in enumerate(others))
        found = (
            f"CASE WHEN {i} % {RARE} = 4 THEN '{rare}'"
            f" ELSE CASE {_chosen(i, place, len(others))} {cases} END END"
        )
    return f"CASE WHEN {i} % 9 = 5 THEN NULL ELSE {found} END" if column.nullable else found


def _chosen(i: str, place: int, many: int) -> str:
    """One of so many, the first the most frequent."""
    uniform = f"({i} * {PRIMES[place % len(PRIMES)]} % {PRIME})"
    return f"({uniform} * {uniform} / {PRIME} * {many} / {PRIME})"


def _two(number: str) -> str:
    return f"substr(CAST(100 + {number} AS TEXT), 2)"
