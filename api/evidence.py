"""Whether a statement's evidence holds: spans in their sources, digests and quotes that agree."""

from collections.abc import Callable, Iterator
from typing import Any

from schemas.base import View, Written
from schemas.problem import Fault
from schemas.source import digest
from schemas.statement import FRAGMENTS


def check_span(span: dict[str, Any], source: View, text: str | None, at: str) -> Iterator[Fault]:
    """What is wrong with one span; `text` is the source's, where somebody has it."""
    if span["end"] > source["characters"]:
        yield Fault(f"{at}/end", f"Lies past the source's end ({source['characters']} characters).")
        return
    quote = span["quote"]
    if quote is not None:
        if source["rights"] == "none":
            yield Fault(f"{at}/quote", "Must be null: the source's rights are 'none'.")
        elif len(quote) != span["end"] - span["start"]:
            yield Fault(f"{at}/quote", "Must be as long as the span, in Unicode code points.")
        elif digest(quote) != span["digest"]:
            yield Fault(f"{at}/digest", "Does not match the quote.")
    if text is not None:
        words = text[span["start"] : span["end"]]
        if digest(words) != span["digest"]:
            yield Fault(
                f"{at}/digest", "Does not match the words at this place of the source's text."
            )
        elif quote is not None and quote != words:
            yield Fault(f"{at}/quote", "Differs from the words at this place of the source's text.")


def check_statement(
    written: Written,
    account: View,
    look: Callable[[str, str], View],
    text_of: Callable[[str], str | None],
) -> Iterator[Fault]:
    """What is wrong with the evidence and the quote of a statement."""
    told_in = {source["id"] for source in account["sources"]}
    known: list[str] = []
    showable = False
    for place, span in enumerate(written["evidence"]):
        at = f"/evidence/{place}"
        source = look("sources", span["source"])
        showable = showable or source["rights"] != "none"
        if span["source"] not in told_in:
            yield Fault(f"{at}/source", f"Is not a source of the account '{written['account']}'.")
        text = text_of(span["source"])
        yield from check_span(span, source, text, at)
        words = span["quote"] if text is None else text[span["start"] : span["end"]]
        if words is not None:
            known.append(words)
    quote = written["quote"]
    if not showable:
        if quote is not None:
            yield Fault("/quote", "Must be null: the rights of all its sources are 'none'.")
    elif quote is None:
        if written["form"] != "indirect":
            yield Fault("/quote", f"Required where the form is '{written['form']}'.")
    elif len(known) == len(written["evidence"]):
        for fragment in quote.split(FRAGMENTS):
            if not any(fragment in words for words in known):
                yield Fault("/quote", f"{fragment[:60]!r} does not stand in the evidence.")
