"""Full text that finds the same on SQLite and on PostgreSQL.

What a word is, is decided here alone, for texts and queries: folded (Unicode NFKC, full case
folding, no combining marks) and split at everything but letters and digits. The databases are
given words that are ready, as an FTS5 column (`plain`, `fts5`) or as a `tsvector` and a `tsquery`;
their own parsers, which differ, have nothing left to do. `highlight` marks what was found.

    query = parse('grain "black sea" -wheat')
    fts5(query)     # '(("grain") AND ("black sea")) NOT (("wheat"))'
    tsquery(query)  # "('grain') & ('black' <-> 'sea') & !('wheat')"

Sources: Unicode Standard Annex 15; sqlite.org/fts5.html section 3; PostgreSQL manual 8.11, 12.11.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from unicodedata import category, is_normalized, normalize

LONGEST = 200
"""Words are told apart by so many first characters: 800 bytes, where PostgreSQL takes 2,046."""

_Positions = Mapping[int, int] | Sequence[int]

_BREAK = "¶"  # Stands where no phrase may cross. Neither letter nor digit, so no query holds it.
_PLACES, _REPEATS, _BYTES = 16_383, 256, 2**20  # PostgreSQL's limits on a tsvector.

_ASCII = {code: chr(code) if chr(code).isalnum() else " " for code in range(128)}
_WORD = re.compile(rf"([^\W_]{{1,{LONGEST}}})[^\W_]*")
_ESCAPED = re.compile("[&<>\"']")
_TOKEN = re.compile(r'((?<!\S)-+)?(?:"([^"]*)"?(\*)?|([^\s"]+))')


@lru_cache(2**14)
def _bare(character: str) -> str:
    """One character decomposed, case-folded and without marks; a blank where it only separates."""
    bare = "".join(c for c in normalize("NFKD", character) if category(c)[0] != "M").casefold()
    return bare if not bare or _WORD.search(bare) else " "


def words(text: str) -> list[str]:
    """The folded words of a text, in order, each cut to its first `LONGEST` characters.

    >>> words("Straße 50-50, Açúcar_№5")
    ['strasse', '50', '50', 'acucar', 'no5']
    """
    if text.isascii():  # The same by other means, in a third of the time.
        found = text.lower().translate(_ASCII).split()
        long = max(map(len, found), default=0) > LONGEST
        return [word[:LONGEST] for word in found] if long else found
    # The last step puts the Hangul syllables together again.
    return _WORD.findall(normalize("NFKC", "".join(map(_bare, text))))


@dataclass(frozen=True)
class Term:
    """One thing that a text must hold, or with `negative` must not.

    As a `phrase`, its words in sequence within one field, else all of them anywhere; with `prefix`
    the last word may go on.
    """

    words: tuple[str, ...]
    phrase: bool = False
    prefix: bool = False
    negative: bool = False


@dataclass(frozen=True)
class Query:
    """What `parse` made of a query: a text matches when it meets every term."""

    terms: tuple[Term, ...]

    @property
    def finds_nothing(self) -> bool:
        """Whether there is no positive term, so that no text matches."""
        return all(term.negative for term in self.terms)

    @cached_property
    def _sought(self) -> set[tuple[tuple[str, ...], bool]]:
        """What `highlight` looks for: words in sequence, and whether the last of them may go on."""
        sought: set[tuple[tuple[str, ...], bool]] = set()
        for term in self.terms:
            if not term.negative:
                *others, last = [term.words] if term.phrase else [(word,) for word in term.words]
                sought |= {*((part, False) for part in others), (last, term.prefix)}
        return sought


def parse(q: str) -> Query:
    """A query as people type it: words, `"a phrase"`, `-not`, `prefix*`. Never an error.

    `-` negates only at the start of a token, and `*` counts only at the end of a token or right
    after a phrase. A token of several words wants all of them (`50-50`). A quotation mark that
    nothing closes is closed at the end. All else only separates words, and what has no word is
    ignored; there are no operators (`OR` is a word). Callers limit the length.
    """
    terms = []
    for minus, quoted, star, token in _TOKEN.findall(q):
        if found := words(token or quoted):
            prefix = bool(star) or token.endswith("*")
            terms.append(Term(tuple(found), not token, prefix, bool(minus)))
    return Query(tuple(terms))


def fts5(query: Query) -> str:
    """The MATCH expression for an FTS5 table of one column, written by `plain`.

    The table is to have `tokenize='ascii'`, for which all that is not ASCII belongs to a token.
    """
    if query.finds_nothing:
        return '""'
    wanted = " AND ".join(_fts5(term) for term in query.terms if not term.negative)
    unwanted = " OR ".join(_fts5(term) for term in query.terms if term.negative)
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _fts5(term: Term) -> str:
    strings = '"' + (" " if term.phrase else '" AND "').join(term.words) + '"'
    return f"({strings} *)" if term.prefix else f"({strings})"


def tsquery(query: Query) -> str:
    """The text to cast to PostgreSQL's `tsquery`."""
    return "" if query.finds_nothing else " & ".join(map(_tsquery, query.terms))


def _tsquery(term: Term) -> str:
    lexemes = "'" + ("' <-> '" if term.phrase else "' & '").join(term.words) + "'"
    return f"{'!' * term.negative}({lexemes}{':*' * term.prefix})"


def plain(fields: Sequence[str]) -> str:
    """The text for the FTS5 column: the words of all fields, joined by blanks.

    What PostgreSQL could not hold is left out here too, so that both find the same: what comes
    after 16,383 words or a mebibyte, and the 257th and further occurrences of a word.
    """
    return " ".join(_placed(fields))


def tsvector(fields: Sequence[str]) -> str:
    """The text to cast to PostgreSQL's `tsvector`, of the same words as `plain`."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(_placed(fields), 1):
        if word != _BREAK:
            places.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())


def _placed(fields: Sequence[str]) -> list[str]:
    """The words of all fields, each at its place, with a break between fields."""
    of_fields = [found for field in fields if (found := words(field))]
    if sum(map(len, of_fields)) <= _REPEATS:  # So few reach none of the limits.
        return [word for found in of_fields for word in (_BREAK, *found)][1:]
    placed: list[str] = []
    seen = Counter[str]()
    size = 0
    for found in of_fields:
        if placed:
            placed.append(_BREAK)
        for word in found:
            size += len(word.encode()) + 5  # Two for the place; three if the word is new.
            if size > _BYTES or len(placed) >= _PLACES:
                return placed
            seen[word] += 1
            placed.append(word if seen[word] <= _REPEATS else _BREAK)
    return placed


def highlight(text: str, query: Query) -> str | None:
    """The text as HTML, escaped, with `<mark>` around what the query's positive terms match.

    None when nothing does. Whole words of the original are marked, each by itself, and a phrase
    as a whole (overlapping ones together) with what stands between its words.

    >>> highlight("Bread & grain deals", parse("deal* bread"))
    '<mark>Bread</mark> &amp; grain <mark>deals</mark>'
    """
    folded, starts, ends = _aligned(text)
    found = {
        span
        for words, more in query._sought
        if words[0] in folded
        for span in _places_of(words, more, folded)
    }
    if not found:
        return None
    spans: list[tuple[int, int]] = []
    for start, end in sorted((starts[start], ends[end]) for start, end in found):
        if spans and start < spans[-1][1]:  # Phrases can overlap, and the two words of one `½`.
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    shown = escape if _ESCAPED.search(text) else str  # Most texts have nothing to escape.
    html, done = "", 0
    for start, end in spans:
        html += f"{shown(text[done:start])}<mark>{shown(text[start:end])}</mark>"
        done = end
    return html + shown(text[done:])


def _places_of(words: Sequence[str], more: bool, folded: str) -> Iterator[tuple[int, int]]:
    """Where words stand in sequence in folded text; with `more` the last one may go on."""
    *before, last = words
    if before:
        found = list(_WORD.finditer(folded))
        texts = [one[1] for one in found]
        for start in range(len(texts) - len(before)):
            end = start + len(before)
            begins = texts[start] == words[0] and texts[start:end] == before
            if begins and (texts[end] == last or (more and texts[end].startswith(last))):
                yield found[start].start(), found[end].end()
        return
    start = folded.find(last)
    while start >= 0:
        end = start + len(last)
        if more or len(last) == LONGEST:
            while end < len(folded) and folded[end].isalnum():
                end += 1
        alone = start == 0 or not folded[start - 1].isalnum()
        if alone and (end == len(folded) or not folded[end].isalnum()):
            yield start, end
        start = folded.find(last, end)


def _aligned(text: str) -> tuple[str, _Positions, _Positions]:
    """The text folded, and where in the original its words start and end."""
    same = range(len(text) + 1)
    if text.isascii():
        return text.lower(), same, same
    pieces = list(map(_bare, text))
    bare = "".join(pieces)
    if all(pieces) and len(text) == len(bare) and is_normalized("NFKC", bare):
        return bare, same, same
    # Not character by character: each word apart, with the marks that follow it.
    origin = [place for place, piece in enumerate(pieces) for _ in piece] + [len(text)]
    line, starts, ends = "", {}, {}
    for found in _WORD.finditer(bare):
        starts[len(line)] = origin[found.start()]
        line += normalize("NFKC", found[0])
        ends[len(line)] = max(origin[found.end()], origin[found.end() - 1] + 1)
        line += " "
    return line, starts, ends
