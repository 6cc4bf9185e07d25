"""What a database refuses, told apart from our mistakes: the one place that reads its codes."""

from sqlalchemy.exc import DBAPIError


class Unavailable(Exception):
    """The database cannot serve this now, though nothing is wrong with what was asked.

    `reason` may be shown to anyone; `retry_after` is in seconds, and None where waiting alone
    does not help; `said` is what the database said itself, for the operator.
    """

    def __init__(self, reason: str, retry_after: int | None = None, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.said = said


class Full(Unavailable):
    """There is no room left to write to."""


class Elsewhere(Unavailable):
    """A standby cannot serve this read now: it is to be made again, at another server."""


BUSY = "Another write holds the database."
FULL = "The database has no room left."
IN_USE = "All connections to the database are in use."
LOST = "The database cannot be reached."
SLOW = "The database took too long over this."

# By the primary code, which is the low byte of the extended one: https://sqlite.org/rescode.html
SQLITE = {
    5: Unavailable(BUSY, 1),  # SQLITE_BUSY
    6: Unavailable(BUSY, 1),  # SQLITE_LOCKED
    8: Unavailable("The database is read-only."),  # SQLITE_READONLY
    10: Unavailable("The disk of the database failed."),  # SQLITE_IOERR
    11: Unavailable("The database file is damaged."),  # SQLITE_CORRUPT
    13: Full(FULL, 60),  # SQLITE_FULL
    14: Unavailable("The database file cannot be opened."),  # SQLITE_CANTOPEN
    26: Unavailable("The database file is not a database."),  # SQLITE_NOTADB
}

# By code, else by its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL = {
    "08": Unavailable(LOST, 5),  # connection exception
    "25006": Unavailable("The database is read-only.", 5),  # a standby, until it is promoted
    "40": Unavailable("Another write came between.", 1),  # serialization failure, deadlock
    "53": Unavailable("The database server is overloaded.", 5),  # too many connections, memory
    "53100": Full(FULL, 60),  # disk full
    "55P03": Unavailable(BUSY, 1),  # lock not available: lock_timeout
    "57": Unavailable(LOST, 5),  # shut down, crashed, or not yet up
    "57014": Unavailable(SLOW),  # statement_timeout
    "58": Unavailable("The disk of the database failed."),  # system error outside PostgreSQL
}


def fault(error: BaseException) -> Unavailable | None:
    """Name the refusal that an error of the driver stands for; None where it is a mistake."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if cause is None or not hasattr(cause, "sqlstate"):
        found = SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    elif state := cause.sqlstate:
        found = POSTGRESQL.get(state) or POSTGRESQL.get(state[:2])
    else:
        # Without a code it never came from the server: there is no connection, or none any more.
        operational = any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)
        found = POSTGRESQL["08"] if operational else None
    if found is None:
        return None
    return type(found)(found.reason, found.retry_after, " ".join(str(cause).split()))
