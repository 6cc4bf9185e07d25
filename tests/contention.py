"""A lock that somebody else holds."""

import contextlib
from collections.abc import Iterator

import psycopg
from sqlalchemy import make_url

from api.store.postgresql import WRITING
from api.store.sqlite import DRIVER
from tests.postgres import plain


@contextlib.contextmanager
def writing_elsewhere(url: str) -> Iterator[None]:
    """Hold what a long transaction that writes holds, against every other process."""
    if url.startswith("sqlite"):
        with contextlib.closing(DRIVER.connect(make_url(url).database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(plain(url)) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITING])
            yield
