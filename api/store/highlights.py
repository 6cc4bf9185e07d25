"""Where a full-text query matched a statement."""

import orjson

from api.store.words import Query, highlight


def highlighted(view: str, query: Query) -> dict[str, str]:
    """The fields of a statement in which the query matched, as HTML with `<mark>`.

    The labels of topics count as one field, joined by `; `.
    """
    read = orjson.loads(view)
    texts = {
        "quote": read["quote"] or "",
        "summary": read["summary"],
        "topics": "; ".join(topic["label"] for topic in read["topics"]),
    }
    marked = {name: highlight(text, query) for name, text in texts.items()}
    return {name: html for name, html in marked.items() if html is not None}
