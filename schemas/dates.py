"""Dates that may be vague: EDTF text in, the earliest and latest day that it can mean out.

Source: Extended Date/Time Format, Library of Congress 2019 (ISO 8601-2:2019), levels 0 and 1,
without times, seasons, `Y` years and negative years.
"""

import re
from calendar import monthrange
from functools import lru_cache

EARLIEST, LATEST = "0001-01-01", "9999-12-31"

_MONTH = "(?:0[1-9]|1[0-2])"
_DAY = "(?:0[1-9]|[12][0-9]|3[01])"
_DATE = f"[0-9]{{4}}(?:-{_MONTH}(?:-{_DAY})?)?[?~%]?"
_MASKED = f"(?:[0-9]{{2}}(?:[0-9]|X)X|[0-9]{{4}}-(?:XX|XX-XX|{_MONTH}-XX))[?~%]?"

PATTERN: str = rf"^(?:{_DATE}(?:/(?:{_DATE}|\.\.)?)?|(?:\.\.)?/{_DATE}|{_MASKED})$"
"""The form of a date, for OpenAPI: ECMA-262 without look-around, so every client's engine takes it.
Beyond it `days` refuses 30 February, the year 0000 and an end before its start."""

_FORM = re.compile(PATTERN)

# What was meant, by the first of these that is found in a text which has not the form of a date.
_HINTS = [
    (re.compile(pattern), hint)
    for pattern, hint in [
        (r"^\s|\s$", "leave out blanks and line ends"),
        (r"[^\x00-\x7f]", "write it in ASCII: the digits 0-9, the hyphen, and / . ? ~ % X"),
        (r":|\dT", "times are not recorded: write the day alone, as 2022-07-29"),
        (r"/.*/", "a day is written 2022-07-29, an interval has one /, as 2022-07-27/2022-07-31"),
        (
            r"^(\.\.)?/?(\.\.)?$",
            "an interval needs one end that is known; where nothing is known, give null",
        ),
        (r"X.*/|/.*X", "no X in an interval: write its first and last day, as 2020/2029"),
        (r"^[Y+-]|/[Y+-]|^\d{5,7}$", "years have four digits, from 0001 to 9999"),
        (r"^\d{8}$", "write the hyphens, as 2022-07-29"),
        (r"[?~%][^/]", "one of ? ~ % (% is both) stands at the end of the date, as 2022-07-29~"),
        (r"^[\d-]*[Xxu]", "X replaces last digits: 202X, 20XX, 2022-XX, 2022-07-XX or 2022-XX-XX"),
        (
            r"(^|/)\d{4}-(00|1[3-9]|[2-9]\d)",
            "months are 01 to 12; for a season give an interval of months, as 2022-06/2022-08",
        ),
        (r"-(00|3[2-9]|[4-9]\d)[?~%]?(/|$)", "days are 01 to 31"),
        ("", "write 2022-07-29, 2022-07, 2022, 2022-07~, 202X or 2022-07-27/2022-07-31"),
    ]
]


@lru_cache(2**12)
def days(text: str) -> tuple[str, str]:
    """The earliest and the latest day that an EDTF date can mean, as `YYYY-MM-DD`.

        >>> days("2022-07~")
        ('2022-07-01', '2022-07-31')

    The days are text because ISO text sorts alike on every database. Qualifiers (`? ~ %`) do not
    widen; they may follow an `X`, as level 1 does not forbid it. An open or unknown end gives
    `EARLIEST` or `LATEST`. An interval with both ends so says nothing, which null says better.

    Raises ValueError, telling what is wrong and what would be right.
    """
    if not _FORM.fullmatch(text):
        shown = text[:40]
        hint = next(hint for pattern, hint in _HINTS if pattern.search(shown))
        raise ValueError(f"{shown!r} is not a date: {hint}.")
    ends = [_span(end) for end in text.split("/")]
    earliest, latest = ends[0][0], ends[-1][1]
    if earliest > latest:
        raise ValueError(f"{text!r} ends before it starts: put the earlier date first.")
    return earliest, latest


def _span(text: str) -> tuple[str, str]:
    """The first and last day of one date, or of one end of an interval."""
    if text in ("", ".."):
        return EARLIEST, LATEST
    year, month, day = f"{text.rstrip('?~%')}-XX-XX".split("-")[:3]
    if year == "0000":
        raise ValueError(f"{text!r}: years have four digits, from 0001 to 9999.")
    last_year, last_month = year.replace("X", "9"), month.replace("XX", "12")
    length = monthrange(int(last_year), int(last_month))[1]
    if day == "XX":
        last_day = str(length)
    elif int(day) <= length:
        last_day = day
    else:
        raise ValueError(f"{text!r}: {year}-{month} has only {length} days.")
    first = f"{year.replace('X', '0')}-{month.replace('XX', '01')}-{day.replace('XX', '01')}"
    # `000X` and `00XX` would begin in the year 0000, which is not kept.
    return max(first, EARLIEST), f"{last_year}-{last_month}-{last_day}"
