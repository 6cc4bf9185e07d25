"""Who may do what: the key of a request, and the scope that a route needs."""

from datetime import UTC, datetime

from api.store import keys
from api.store.engine import Database
from api.web.at_hand import request
from api.web.keys import SHOWN, given_key, hashed, is_well_formed
from api.web.problems import ProblemError
from schemas.instants import timestamp

READ = "read"
KEY = "readout.key"
KEYLESS = "readout.keyless"


class Gate:
    """Lets a request through to a route where its key has the route's scope."""

    def __init__(self, database: Database, *, private: bool) -> None:
        self.database = database
        self.private = private

    def check(self, scope: str) -> None:
        """Raise 401 or 403, or note the key for the route; reads need one only where private."""
        if scope == READ and not self.private:
            # Whoever has a key may have written, and reads what he wrote: at the primary.
            request.environ[KEYLESS] = "Authorization" not in request.headers
            return
        key = self._key()
        if scope not in key.scopes:
            challenge = f'Bearer realm="Readout", error="insufficient_scope", scope="{scope}"'
            raise ProblemError(
                "forbidden",
                f"The key '{key.name}' has the scope {' '.join(key.scopes)}; this needs {scope}.",
                headers={"WWW-Authenticate": challenge},
            )
        request.environ[KEY] = key

    def _key(self) -> keys.Key:
        given = given_key()
        if given is None:
            raise ProblemError(
                "unauthorised",
                "This needs a key: send `Authorization: Bearer <key>`.",
                headers={"WWW-Authenticate": 'Bearer realm="Readout"'},
            )
        # A key that cannot exist costs no look at the database.
        if is_well_formed(given):
            with self.database.read() as connection:
                key = keys.find(connection, given[:SHOWN], hashed(given))
            if key is not None and key.holds(timestamp(datetime.now(UTC))):
                return key
        raise ProblemError(
            "unauthorised",
            "The key is unknown, mistyped, expired or revoked.",
            headers={"WWW-Authenticate": 'Bearer realm="Readout", error="invalid_token"'},
        )


def key_at_hand() -> keys.Key:
    """The key that the gate let through."""
    key: keys.Key = request.environ[KEY]
    return key
