"""Ways of tampering with a database by SQL, and what `readout verify` must say of each.

They are of the database that `tests.test_verify.live` leaves behind.
"""

from typing import NamedTuple

STATEMENT = "blinken-lavrov-2022-07-29-06"
RETRACTED = "blinken-lavrov-2022-07-29-02"
LAST = "blinken-lavrov-2022-07-29-09"
S = f"statements/{STATEMENT}"


class Tampering(NamedTuple):
    """SQL, its statements apart by `;`; what must be named first, a part of why, and how many.

    `:seq` and `{seq}` stand for the number of the last change of `STATEMENT`, `{head}` for the
    number after that of the last change of all. A `failed` of -1 is any.
    """

    sql: str
    where: str
    why: str
    on: str = "both"
    failed: int = 1


OF_LOG = "change {seq} (statements/blinken-lavrov-2022-07-29-06, revision 2)"

ON_TABLES = {
    "a view": Tampering(
        f"UPDATE statements SET view = replace(view, 'Blinken', 'Nobody') WHERE id = '{STATEMENT}'",
        S,
        "its view differs in account, speakers,",
    ),
    "a view with a member twice": Tampering(
        'UPDATE statements SET view = \'{"summary":"Nothing.",\' || substr(view, 2)'
        f" WHERE id = '{STATEMENT}'",
        S,
        "its view is written otherwise",
    ),
    "a view that is none": Tampering(
        f"UPDATE statements SET view = 'none' WHERE id = '{STATEMENT}'", S, "no JSON object"
    ),
    "a view in bytes that are no text": Tampering(
        f"UPDATE statements SET view = CAST(x'7bff' AS TEXT) WHERE id = '{STATEMENT}'",
        S,
        "no JSON object",
        on="sqlite",
    ),
    "a code": Tampering(
        f"UPDATE statements SET act = 'appeal' WHERE id = '{STATEMENT}'",
        S,
        "the column act holds 'appeal', not 'demand' by revision 2",
    ),
    "a flag": Tampering(
        f"UPDATE statements SET self_reported = NULL WHERE id = '{STATEMENT}'",
        S,
        "the column self_reported holds None, not True",
    ),
    "a day": Tampering(
        "UPDATE calls SET earliest = '2022-07-02' WHERE id = 'blinken-lavrov-2022-07-29'",
        "calls/blinken-lavrov-2022-07-29",
        "the column earliest",
    ),
    "the number of its revision": Tampering(
        "UPDATE participants SET revision = 1 WHERE id = 'sergey-lavrov'",
        "participants/sergey-lavrov",
        "the column revision holds 1, not 2",
    ),
    "when it was made": Tampering(
        "UPDATE topics SET created_at = '2020-01-01T00:00:00.000000Z' WHERE id = 'grain-deal'",
        "topics/grain-deal",
        "the column created_at",
    ),
    "the text of a source": Tampering(
        "UPDATE sources SET text = text || '.' WHERE id = 'selsund-bulletin-7'",
        "sources/selsund-bulletin-7",
        "the column text",
    ),
    "a link": Tampering(
        f"UPDATE statement_topics SET target = 'sanctions' WHERE record = '{STATEMENT}'",
        S,
        "its rows in statement_topics are not those",
    ),
    "what a link carries": Tampering(
        f"UPDATE statement_speakers SET country = 'RU' WHERE record = '{STATEMENT}'",
        S,
        "its rows in statement_speakers are not those",
    ),
    "who spoke on a topic": Tampering(
        f"UPDATE statement_said_about SET speaker = 'sergey-lavrov' WHERE record = '{STATEMENT}'",
        S,
        "its rows in statement_said_about are not those",
    ),
    "a counter": Tampering(
        "UPDATE statement_counts SET counted = counted + 1 WHERE topic = 'grain-deal'"
        " AND addressee = '' AND facet = 'speaker' AND value = 'antony-blinken'",
        "statement_counts",
        "its row ('grain-deal', '', 'speaker', 'antony-blinken') holds (2, 1), not (1, 1)",
    ),
    "a counter of positions": Tampering(
        "UPDATE statement_counts SET positions = 0 WHERE topic = 'grain-deal'"
        " AND addressee = '' AND facet = 'topic' AND value = 'grain-deal'",
        "statement_counts",
        "its row ('grain-deal', '', 'topic', 'grain-deal') holds (3, 0), not (3, 2)",
    ),
    "a counter less": Tampering(
        "DELETE FROM statement_counts WHERE topic = 'grain-deal' AND addressee = 'sergey-lavrov'"
        " AND facet = 'speaker'",
        "statement_counts",
        "'antony-blinken') holds nothing, not (1, 1)",
    ),
    "a counter more": Tampering(
        "INSERT INTO statement_counts VALUES ('grain-deal', 'nobody', 'topic', 'taiwan', 1, 0)",
        "statement_counts",
        "its row ('grain-deal', 'nobody', 'topic', 'taiwan') holds (1, 0), not nothing",
    ),
    "a counter that is no number": Tampering(
        "UPDATE statement_counts SET counted = x'33' WHERE topic = 'grain-deal'"
        " AND addressee = '' AND facet = 'topic' AND value = 'grain-deal'",
        "statement_counts",
        "its row ('grain-deal', '', 'topic', 'grain-deal') holds (b'3', 2), not (3, 2)",
        on="sqlite",
    ),
    "a topic that a call has not": Tampering(
        "INSERT INTO call_topics VALUES ('blinken-lavrov-2022-07-29', 'nothing', NULL, NULL)",
        "call_topics",
        "its row ('blinken-lavrov-2022-07-29', 'nothing') holds (None, None), not nothing",
        on="sqlite",
    ),
    "a topic that a call has": Tampering(
        "DELETE FROM call_topics WHERE target = 'grain-deal'",
        "call_topics",
        "'grain-deal') holds nothing, not ('2022-07-",
    ),
    "a teller's day": Tampering(
        "UPDATE call_tellers SET earliest = '2022-07-02' WHERE target = 'united-states'",
        "call_tellers",
        "'united-states') holds ('2022-07-02', '2022-07-31'), not ('2022-07-01', '2022-07-31')",
    ),
    "an initiator's day": Tampering(
        "UPDATE call_initiators SET latest = '2041-01-01' WHERE record = 'selsund-ferry-call-2031'",
        "calls/selsund-ferry-call-2031",
        "its rows in call_initiators are not those",
    ),
    "a link more": Tampering(
        "INSERT INTO account_sides SELECT record, 1, 'russia' FROM account_sides"
        " WHERE record = 'blinken-lavrov-2022-07-29-us-remarks'",
        "accounts/blinken-lavrov-2022-07-29-us-remarks",
        "its rows in account_sides are not those",
    ),
    "a link less": Tampering(
        f"DELETE FROM statement_sources WHERE record = '{STATEMENT}'",
        S,
        "its rows in statement_sources are not those",
    ),
    "a record less": Tampering(
        f"DELETE FROM statements WHERE id = '{STATEMENT}'", S, "it does not stand, but should"
    ),
    "a record more": Tampering(
        "INSERT INTO topics (id, revision, created_at, updated_at, label, view, words)"
        " SELECT 'a-topic', revision, created_at, updated_at, 'A topic', view, words FROM topics"
        " WHERE id = 'grain-deal'",
        "topics/a-topic",
        "the log does not know it, but there are rows of it in topics",
        failed=-1,  # On SQLite it is not in the index for search either.
    ),
    "a record retracted that stands": Tampering(
        "INSERT INTO statements (id, revision, created_at, updated_at, account, call, genre,"
        " setting, form, act, position, joint, view, words) SELECT"
        f" '{RETRACTED}', 1, created_at, updated_at, account, call, genre,"
        " setting, form, act, position, joint, view, words FROM statements"
        f" WHERE id = '{STATEMENT}'",
        f"statements/{RETRACTED}",
        "it stands, but was gone with change",
        failed=-1,  # As above.
    ),
    "a name": Tampering(
        "UPDATE participant_names SET slug = 'the-minister' WHERE slug = 'lavrov'",
        "participants/sergey-lavrov",
        "the names that find it are not those",
    ),
    "a name of a record that is gone": Tampering(
        "UPDATE topic_names SET record = 'gone' WHERE slug = 'grain-deal'",
        "topics/grain-deal",
        "the names that find it are not those",
        failed=2,
    ),
    "words": Tampering(
        "UPDATE statements SET words = (SELECT words FROM statements WHERE id ="
        f" '{LAST}') WHERE id = '{STATEMENT}'",
        S,
        "its words are not those by revision 2",
    ),
    "the index of words": Tampering(
        "INSERT INTO statements_search(statements_search, rowid, words)"
        f" SELECT 'delete', n, words FROM statements WHERE id = '{STATEMENT}'",
        S,
        "the full-text index differs from its words",
        on="sqlite",
    ),
    "a row more in the index": Tampering(
        "INSERT INTO topics_search(rowid, words) VALUES (12345, 'grain')",
        "topics",
        "its full-text index has row 12345, which is none of the table",
        on="sqlite",
    ),
    "a damaged index": Tampering(
        "DELETE FROM topics_search_data WHERE id > 10",
        "topics",
        "its full-text index",
        on="sqlite",
    ),
    "no guard": Tampering(
        "DROP TRIGGER revisions_stay", "trigger revisions_stay", "is missing", on="sqlite"
    ),
    "a guard asleep": Tampering(
        "ALTER TABLE revisions DISABLE TRIGGER revisions_stay",
        "trigger revisions_stay",
        "is missing",
        on="postgresql",
    ),
    "a guard for replicas alone": Tampering(
        "ALTER TABLE revisions ENABLE REPLICA TRIGGER revisions_are_kept",
        "trigger revisions_are_kept",
        "is missing",
        on="postgresql",
    ),
    "no guard of the index": Tampering(
        "DROP TRIGGER statements_search_update",
        "trigger statements_search_update",
        "is missing",
        on="sqlite",
    ),
}

ON_LOG = {
    "bytes": Tampering(
        "UPDATE revisions SET bytes = CAST(replace(CAST(bytes AS TEXT), 'grain', 'grail') AS BLOB)"
        " WHERE seq = :seq",
        OF_LOG,
        "its bytes do not have the hash that was logged",
        on="sqlite",
        failed=2,
    ),
    "a byte": Tampering(
        "UPDATE revisions SET bytes = set_byte(bytes, 20, get_byte(bytes, 20) + 1)"
        " WHERE seq = :seq",
        OF_LOG,
        "its bytes do not have the hash that was logged",
        on="postgresql",
    ),
    "bytes gone": Tampering(
        "UPDATE revisions SET bytes = NULL WHERE seq = :seq", S, "gone, and it was not redacted"
    ),
    "bytes that are no object": Tampering(
        "UPDATE revisions SET bytes = hash WHERE seq = :seq",
        OF_LOG,
        "its bytes are no JSON object",
        failed=2,
    ),
    "bytes that are no bytes": Tampering(
        "UPDATE revisions SET bytes = 7, hash = 'x', digest = 1.5, id = x'00', revision = 'two',"
        " kind = CAST(x'ff' AS TEXT) WHERE seq = :seq",
        "change {seq} (\udcff/b'\\x00', revision two)",
        "do not have the hash",
        on="sqlite",
        failed=3,
    ),
    "a hash": Tampering(
        "UPDATE revisions SET hash = (SELECT hash FROM revisions WHERE seq = 1) WHERE seq = :seq",
        OF_LOG,
        "its bytes do not have the hash that was logged; its digest does not follow",
    ),
    "a digest": Tampering(
        "UPDATE revisions SET digest = hash WHERE seq = :seq",
        OF_LOG,
        "its digest does not follow from its hash and the digest before it",
    ),
    "the last change deleted": Tampering(
        "DELETE FROM revisions WHERE seq = (SELECT max(seq) FROM revisions)",
        f"statements/{LAST}",
        "the column revision holds 2, not 1",
    ),
    "one in the middle deleted": Tampering(
        "DELETE FROM revisions WHERE seq = :seq",
        "change {after} (statements/blinken-lavrov-2022-07-29-02, revision 2)",
        "before it {seq} is missing; its digest does not follow",
        failed=2,
    ),
    "several in the middle deleted": Tampering(
        "DELETE FROM revisions WHERE seq BETWEEN 2 AND 4",
        "change 5 (participants/",
        "before it 2 to 4 is missing",
        failed=-1,
    ),
    "two swapped": Tampering(
        "UPDATE revisions SET seq = -1 WHERE seq = :seq;"
        " UPDATE revisions SET seq = :seq WHERE seq = :seq + 1;"
        " UPDATE revisions SET seq = :seq + 1 WHERE seq = -1",
        "change {seq} (statements/blinken-lavrov-2022-07-29-02, revision 2)",
        "its digest does not follow",
        failed=3,
    ),
    "a change put before the first": Tampering(
        "INSERT INTO revisions SELECT 0, kind, id, 9, action, call, bytes, hash, digest"
        " FROM revisions WHERE seq = :seq",
        "change 0 (statements/blinken-lavrov-2022-07-29-06, revision 9)",
        "it has no number that a change can have",
        failed=3,
    ),
    "a change added at the end": Tampering(
        "INSERT INTO revisions SELECT (SELECT max(seq) FROM revisions) + 1, kind, id, 3, action,"
        " call, bytes, hash, digest FROM revisions WHERE seq = :seq",
        "change {head} (statements/blinken-lavrov-2022-07-29-06, revision 3)",
        "its digest does not follow",
    ),
    "its kind": Tampering(
        "UPDATE revisions SET kind = 'quotes' WHERE seq = :seq",
        "change {seq} (quotes/blinken-lavrov-2022-07-29-06, revision 2)",
        "there is no such kind of record",
        failed=2,
    ),
    "its id": Tampering(
        "UPDATE revisions SET id = 'another' WHERE seq = :seq",
        "change {seq} (statements/another, revision 2)",
        "the column id says 'another', not 'blinken-lavrov-2022-07-29-06'",
        failed=3,
    ),
    "the number of its revision": Tampering(
        "UPDATE revisions SET revision = 3 WHERE seq = :seq",
        "change {seq} (statements/blinken-lavrov-2022-07-29-06, revision 3)",
        "the column revision says 3, not 2",
        failed=2,
    ),
    "its action": Tampering(
        "UPDATE revisions SET action = 'restore' WHERE seq = :seq",
        OF_LOG,
        "the column action says 'restore', not 'update'",
        failed=2,
    ),
    "its call": Tampering(
        "UPDATE revisions SET call = 'selsund-ferry-call-2031' WHERE seq = :seq",
        OF_LOG,
        "the column call says 'selsund-ferry-call-2031', not 'blinken-lavrov-2022-07-29'",
    ),
    "no call": Tampering(
        "UPDATE revisions SET call = NULL WHERE kind = 'accounts' AND id ="
        " 'blinken-lavrov-2022-07-29-us-remarks'",
        "change ",
        "the column call says None, not 'blinken-lavrov-2022-07-29'",
        failed=-1,
    ),
}
