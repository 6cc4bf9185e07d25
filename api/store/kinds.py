"""The kinds of record, by their names in paths, each naming only kinds before it."""

from api.store.accounts import ACCOUNTS
from api.store.calls import CALLS
from api.store.participants import PARTICIPANTS
from api.store.records import Records
from api.store.sources import SOURCES
from api.store.statements import STATEMENTS
from api.store.topics import TOPICS

KINDS: dict[str, Records] = {
    records.kind: records
    for records in (PARTICIPANTS, TOPICS, SOURCES, CALLS, ACCOUNTS, STATEMENTS)
}
