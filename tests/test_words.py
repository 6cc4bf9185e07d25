"""Full text: what a word is, how queries are read, and that what is found is found everywhere.

`matches` and `marked` say in plain Python what the contract promises; FTS5 and `highlight` are held
to them on random texts in many scripts. (That PostgreSQL agrees is tested with its server.)
"""

import re
from collections.abc import Iterator
from html import escape, unescape
from unicodedata import category, normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.store.words import LONGEST, Query, Term, fts5, highlight, parse, plain, tsquery, tsvector
from api.store.words import words as split

try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3

# What a reader would search for, and what is hard: case, marks, compatibility forms, Hangul in
# three spellings, letters beyond the BMP, digits of other scripts, words that FTS5 or tsquery know.
HARD = """
    grain Grain GRAIN gráin grains deal deals gra 50 50-50 1e5 1E5 123abc x_y don't Straße STRASSE
    зерно Зерно ёлка Ёлка ελλάς ΕΛΛΆΣ ＡＢＣ abc ﬁn fin İstanbul istanbul العَرَبِيَّة العربية ٢٠٢٢
    ۲۰۲۲ २०२२ 한국 하 ㅎㅏ क्या 日本 日 𝔾rain 𐐀𐐁 𐐨𐐩 𠀀 🙂 ½ ② №5 ﷺ ¶ … — " - * words
    AND OR NOT NEAR : ( ) ^ ' & | ! <-> \\
"""
INVISIBLE = ["\N{COMBINING ACUTE ACCENT}", "\N{ZERO WIDTH NON-JOINER}", "\0", "\x1f"]
PIECES = [*HARD.split(), *INVISIBLE, *(normalize("NFD", word) for word in ["한국", "gráin"])]

pieces = st.sampled_from(PIECES)
texts = st.lists(
    st.tuples(pieces, st.sampled_from([" ", " ", " ", "", "-", "\n"])).map("".join), max_size=12
).map("".join) | st.text(max_size=30)
queries = st.lists(
    st.tuples(
        st.sampled_from(["", "", "-", "--"]),
        st.sampled_from(["{}", "{}", "{}*", '"{}"', '"{} {}"', '"{} {}"*', '"{}', "{}-{}"]),
        pieces,
        pieces,
        st.sampled_from([" ", " ", ""]),
    ).map(lambda part: part[0] + part[1].format(part[2], part[3]) + part[4]),
    max_size=4,
).map("".join) | st.text(max_size=12)


def places(term: Term, found: list[str]) -> Iterator[range]:
    """Where among the words of one field the term matches: runs of words."""
    parts = [term.words] if term.phrase else [(word,) for word in term.words]
    for part in parts:
        goes_on = term.prefix and part == parts[-1]
        for start in range(len(found) - len(part) + 1):
            run = found[start : start + len(part)]
            if goes_on and run[-1].startswith(part[-1]):
                run[-1] = part[-1]
            if run == list(part):
                yield range(start, start + len(part))


def matches(query: Query, fields: list[str]) -> bool:
    """Whether a record with these fields is found, as the contract says it."""

    def meets(term: Term) -> bool:
        *others, last = [(word,) for word in term.words] if not term.phrase else [term.words]
        single = [Term(part, True) for part in others] + [Term(last, True, term.prefix)]
        return all(any(any(places(one, split(f))) for f in fields) for one in single)

    return not query.finds_nothing and all(meets(term) != term.negative for term in query.terms)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(words, tokenize='ascii')")
    yield connection
    connection.close()


def found(table: sqlite3.Connection, query: Query, fields: list[str]) -> bool:
    """Whether SQLite finds a record with these fields."""
    table.execute("DELETE FROM t")
    table.execute("INSERT INTO t VALUES (?)", [plain(fields)])
    return bool(table.execute("SELECT 1 FROM t WHERE words MATCH ?", [fts5(query)]).fetchall())


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("The grain deal, 50-50!", "the grain deal 50 50"),
        ("x_y don't U.S.", "x y don t u s"),
        ("1e5 123abc", "1e5 123abc"),
        ("a\0b\x1fc", "a b c"),
        ("São Ёлка Łódź", "sao елка łodz"),
        ("STRASSE Straße ΕΛΛΆΣ Ελλάς", "strasse strasse ελλασ ελλασ"),
        ("ﬁn ＡＢＣ №5 ½ ②", "fin abc no5 1 2 2"),
        ("العَرَبِيَّة", "العربية"),
        ("٢٠٢٢ २०२२ हिन्दी", "٢٠٢٢ २०२२ हनद"),
        (normalize("NFD", "한국"), "한국"),
        ("ㅎㅏ", "하"),
        ("𐐀 𝔾", "𐐨 g"),
        ("🙂 — \ud800", []),
    ],
)
def test_words_are_folded_letters_and_digits(text: str, expected: str | list[str]) -> None:
    assert split(text) == (expected.split() if isinstance(expected, str) else expected)


def test_long_words_are_told_apart_by_their_first_characters() -> None:
    assert split("x" * 500 + " y") == ["x" * LONGEST, "y"]
    assert split("é" * 500) == ["e" * LONGEST]


@given(texts)
def test_words_are_what_the_contract_calls_so(text: str) -> None:
    marks_gone = "".join(c for c in normalize("NFKD", text) if category(c)[0] != "M")
    folded = normalize("NFKC", marks_gone.casefold())
    spaced = "".join(c if c.isalnum() else " " for c in folded)
    assert split(text) == [word[:LONGEST] for word in spaced.split()]


def test_the_words_of_every_character_are_their_own_words() -> None:
    """So a query for what an answer shows finds it again, and no database misreads it."""
    found = split(" ".join(filter(str.isprintable, map(chr, range(0x110000)))))
    assert all(map(str.isalnum, found))
    assert split(" ".join(found)) == found


# Queries


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("Grain deal", [Term(("grain",)), Term(("deal",))]),
        ('"grain deal"', [Term(("grain", "deal"), phrase=True)]),
        ('"grain de"*', [Term(("grain", "de"), phrase=True, prefix=True)]),
        ("gra*", [Term(("gra",), prefix=True)]),
        ("50-50", [Term(("50", "50"))]),
        ("well-kno*", [Term(("well", "kno"), prefix=True)]),
        ("-wheat", [Term(("wheat",), negative=True)]),
        ("--wheat", [Term(("wheat",), negative=True)]),
        ("-50-50", [Term(("50", "50"), negative=True)]),
        ("-whe*", [Term(("whe",), prefix=True, negative=True)]),
        ('--"wheat deal"', [Term(("wheat", "deal"), phrase=True, negative=True)]),
        ('-"wheat deal"', [Term(("wheat", "deal"), phrase=True, negative=True)]),
        # Where a sign does not stand where it means something, it only separates.
        ("grain-", [Term(("grain",))]),
        ("- wheat", [Term(("wheat",))]),
        ("(-wheat)", [Term(("wheat",))]),
        ('"grain"-deal', [Term(("grain",), phrase=True), Term(("deal",))]),
        ("*gra gr*in", [Term(("gra",)), Term(("gr", "in"))]),
        ("a OR b", [Term(("a",)), Term(("or",)), Term(("b",))]),
        ("NEAR(a,5)", [Term(("near", "a", "5"))]),
        ("words:a^2", [Term(("words", "a", "2"))]),
        ("a\0b", [Term(("a", "b"))]),
        # An open quotation mark is closed at the end.
        ('"grain deal', [Term(("grain", "deal"), phrase=True)]),
        ('-"grain deal', [Term(("grain", "deal"), phrase=True, negative=True)]),
        # Nothing to look for.
        *[(q, []) for q in ["", " ", "-", "*", '"', '""', '-""*', "🙂*", "_", "\0", "\ud800"]],
    ],
)
def test_queries_are_read_as_people_type_them(q: str, terms: list[Term]) -> None:
    assert parse(q) == Query(tuple(terms))


@pytest.mark.parametrize("q", ["", "-", "-wheat", '-"wheat deal" -a', "🙂"])
def test_a_query_without_a_positive_word_finds_nothing(table: sqlite3.Connection, q: str) -> None:
    query = parse(q)
    assert query.finds_nothing
    assert not found(table, query, ["grain"])
    assert tsquery(query) == ""
    assert highlight("grain", query) is None


@pytest.mark.parametrize(
    ("q", "fields", "hit"),
    [
        ("grain", ["Grain."], True),
        ("grain", ["grains"], False),
        ("grain*", ["grains"], True),
        ("grain deal", ["deal", "grain"], True),
        ("grain deal", ["grain"], False),
        ('"grain deal"', ["the grain-deal"], True),
        ('"grain deal"', ["deal grain"], False),
        ('"grain deal"', ["grain", "deal"], False),
        ('"grain deal"', ["grain", "", "deal"], False),
        ('"grain deal"*', ["grain deals"], True),
        ("50-50", ["50"], True),
        ("grain -deal", ["grain"], True),
        ("grain -deal", ["grain", "deal"], False),
        ("grain -deal -wheat", ["grain wheat"], False),
        ("grain -well-known", ["grain known"], True),
        ("grain -well-known", ["grain known well"], False),
        ("grain NOT deal", ["grain deal"], False),
        ("grain NOT deal", ["Do not deal in grain"], True),
        ("x" * 300, ["x" * 201], True),
        ("strasse", ["Straße"], True),
        ("한국", [normalize("NFD", "한국")], True),
    ],
)
def test_what_is_found(table: sqlite3.Connection, q: str, fields: list[str], hit: bool) -> None:
    assert found(table, parse(q), fields) is hit
    assert matches(parse(q), fields) is hit


@given(queries, st.lists(texts, max_size=3))
def test_sqlite_finds_what_the_contract_says(
    table: sqlite3.Connection, q: str, fields: list[str]
) -> None:
    query = parse(q)
    assert found(table, query, fields) == matches(query, fields)


@given(texts.filter(split), st.lists(texts, max_size=2))
def test_what_a_reader_copies_is_found(
    table: sqlite3.Connection, text: str, others: list[str]
) -> None:
    query = parse('"' + text.replace('"', " ") + '"')
    assert found(table, query, [*others, text])
    assert highlight(text, query)


@pytest.mark.parametrize(
    "q",
    [
        "ﷺ" * 125,
        '"' + "ﷺ" * 250,
        '"' + "½ " * 249,
        "a " * 250,
        "a -b* " * 83,
        '-"' * 250,
        "🙂" * 500,
    ],
)
def test_the_longest_queries_are_no_error(table: sqlite3.Connection, q: str) -> None:
    """A request may have 500 characters; one character can be four words."""
    query = parse(q)
    fields = ["ﷺ" * 250, "a " * 250, "½ " * 250]
    assert found(table, query, fields) == matches(query, fields)
    assert (highlight(fields[0], query) is not None) == ("ﷺ" in q)


# What PostgreSQL is given


def test_the_text_of_a_tsvector() -> None:
    assert tsvector(["Grain, deal; grain", "Ёлка"]) == "'grain':1,3 'deal':2 'елка':5"
    assert tsvector([]) == tsvector(["", "—"]) == ""


@pytest.mark.parametrize(
    ("q", "text"),
    [
        ("grain", "('grain')"),
        ("grain 50-50 -wh*", "('grain') & ('50' & '50') & !('wh':*)"),
        ('"grain de"* -"a b"', "('grain' <-> 'de':*) & !('a' <-> 'b')"),
    ],
)
def test_the_text_of_a_tsquery(q: str, text: str) -> None:
    assert tsquery(parse(q)) == text


@given(st.lists(texts, max_size=3))
def test_both_databases_are_given_the_same_words_at_the_same_places(fields: list[str]) -> None:
    given_sqlite = [(word, at) for at, word in enumerate(plain(fields).split(), 1) if word != "¶"]
    lexemes = re.findall(r"'([^'\\\0]+)':([\d,]+)(?: |$)", tsvector(fields))
    given_postgres = [(word, int(at)) for word, all_of in lexemes for at in all_of.split(",")]
    assert sorted(given_postgres) == sorted(given_sqlite)


def test_what_postgres_cannot_hold_is_left_out_for_both(table: sqlite3.Connection) -> None:
    """Places up to 16,383, 256 of them for a word, a mebibyte in all."""
    many = [" ".join(f"w{i}" for i in range(20_000))]
    assert found(table, parse("w16382"), many)
    assert "'w16382':16383" in tsvector(many)
    assert not found(table, parse("w16383"), many)
    assert "'w16383'" not in tsvector(many)
    often = ["no " * 256 + "deal", "no grain"]
    assert found(table, parse('"no deal"'), often)
    assert found(table, parse("no grain"), often)
    assert not found(table, parse('"no grain"'), often)
    assert tsvector(often).count(",") == 255
    large = [" ".join(f"{i:0200}" for i in range(9_999))]
    assert len(plain(large)) < len(tsvector(large)) < 2**20 + 50_000
    assert found(table, parse(f"{5000:0200}"), large)
    assert not found(table, parse(f"{9998:0200}"), large)


# Highlights


@pytest.mark.parametrize(
    ("text", "q", "html"),
    [
        ("The grain deal", "grain", "The <mark>grain</mark> deal"),
        ("Grain, GRAIN; grains", "grain", "<mark>Grain</mark>, <mark>GRAIN</mark>; grains"),
        ("ingrain grain", "gra*", "ingrain <mark>grain</mark>"),
        ("Grains_x", "gra*", "<mark>Grains</mark>_x"),
        ("grain deal", "deal grain", "<mark>grain</mark> <mark>deal</mark>"),
        ("a 50 b", "50-50", "a <mark>50</mark> b"),
        # A phrase is one mark, where its words stand in sequence; overlapping ones are too.
        ("grain: deal, grain", '"grain deal"', "<mark>grain: deal</mark>, grain"),
        ("a b c d", '"a b" "b c"', "<mark>a b c</mark> d"),
        ("a b a b a", '"a b a"', "<mark>a b a b a</mark>"),
        ("a bc", 'a "a b"*', "<mark>a bc</mark>"),
        ("a x", 'a "a b"', "<mark>a</mark> x"),
        # What is not wanted is not marked.
        ("grain deal", "grain -deal", "<mark>grain</mark> deal"),
        ("grain", "-grain", None),
        ("grain", "deal", None),
        ("", "deal", None),
        # Escaped, the query's words too.
        ("<b> '&amp;'", "amp b", "&lt;<mark>b</mark>&gt; &#x27;&amp;<mark>amp</mark>;&#x27;"),
        ("R&D <b> x", "d", "R&amp;<mark>D</mark> &lt;b&gt; x"),
        ("<R&D>", '"r d"', "&lt;<mark>R&amp;D</mark>&gt;"),
        ("—R&D <b>", "d", "—R&amp;<mark>D</mark> &lt;b&gt;"),
        # Whole words of the original, however they are spelt.
        ("“Die Straße”", "strasse", "“Die <mark>Straße</mark>”"),
        ("Зёрна и зерно…", "зерн*", "<mark>Зёрна</mark> и <mark>зерно</mark>…"),
        ("العَرَبِيَّةُ", "العربية", "<mark>العَرَبِيَّةُ</mark>"),
        ("a ½ №5", "2 no*", "a <mark>½</mark> <mark>№5</mark>"),
        ("½", "1 2", "<mark>½</mark>"),
        ("½\u0301\u0301", "2", "<mark>½\u0301\u0301</mark>"),
        ("“" + "x" * 300, "x" * 250, "“<mark>" + "x" * 300 + "</mark>"),
        ("x" * 300, "x" * 250, "<mark>" + "x" * 300 + "</mark>"),
        (normalize("NFD", "é 한국 국"), "한국", normalize("NFD", "é <mark>한국</mark> 국")),
    ],
)
def test_what_is_marked(text: str, q: str, html: str | None) -> None:
    assert highlight(text, parse(q)) == html


@given(texts, queries)
def test_marks_are_where_the_words_are(text: str, q: str) -> None:
    query = parse(q)
    html = highlight(text, query)
    found = split(text)
    wanted = {
        at for term in query.terms if not term.negative for run in places(term, found) for at in run
    }
    assert (html is None) == (not wanted)
    if html is not None:
        parts = [unescape(part) for part in re.split("</?mark>", html)]
        assert "".join(parts) == text
        assert html == "".join(
            f"<mark>{escape(part)}</mark>" if at % 2 else escape(part)
            for at, part in enumerate(parts)
        )
        # One character can be two words (½), of which only one is sought.
        assume(all(len(split(character)) < 2 for character in text))
        at, marked = 0, set()
        for index, part in enumerate(parts):
            marked |= set(range(at, at + len(split(part)))) if index % 2 else set()
            at += len(split(part))
        assert at == len(found)
        assert marked == wanted


@given(st.lists(texts, min_size=1, max_size=3), queries)
def test_a_record_found_has_something_marked(fields: list[str], q: str) -> None:
    query = parse(q)
    if matches(query, fields):
        assert any(highlight(field, query) for field in fields)
