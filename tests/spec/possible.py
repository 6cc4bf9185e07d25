"""What texts must be beyond their patterns: a day in the calendar, a host that can be, not long."""

import re
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from requests import Request

LONGEST_URL = 4000  # In bytes. Past it the answer is 414, which no parameter by itself can cause.


def possible_date(text: str) -> bool:
    """Are its days in the calendar, and does an interval run forwards?"""
    try:
        for year, month, day in re.findall(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", text):
            date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return False
    begin, _, end = (part.rstrip("?~%") for part in text.partition("/"))
    both = min(len(begin), len(end))
    return not (begin[:both] > end[:both] and begin[:1].isdigit() and end[:1].isdigit())


def possible_instant(text: str) -> bool:
    """Is it in the calendar, and its offset one that can be?"""
    try:
        return datetime.fromisoformat(text.upper()).utcoffset() is not None
    except ValueError:
        return False


def possible_url(text: str) -> bool:
    """Has it a host and, if any, a port that can be?"""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def possible_length(asked: dict[str, Any]) -> bool:
    """Is the URL of a request short enough?"""
    url = Request("GET", asked["url"], params=asked.get("params")).prepare().url or ""
    return len(url) <= LONGEST_URL
