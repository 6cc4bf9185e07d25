"""Dates: what each form means in days, what is refused, and that the refusal helps."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import EARLIEST, LATEST, PATTERN, days


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2022-07-29", "2022-07-29", "2022-07-29"),
        ("2022-07", "2022-07-01", "2022-07-31"),
        ("2022", "2022-01-01", "2022-12-31"),
        ("0001", EARLIEST, "0001-12-31"),
        ("9999-12-31", LATEST, LATEST),
        # February ends when it does: 1900 and 2100 are no leap years, 2000 is.
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2000-02-29", "2000-02-29", "2000-02-29"),
        ("1900-02-XX", "1900-02-01", "1900-02-28"),
        # Qualifiers do not widen.
        ("2022?", "2022-01-01", "2022-12-31"),
        ("2022-07~", "2022-07-01", "2022-07-31"),
        ("2022-07-29%", "2022-07-29", "2022-07-29"),
        # Unspecified digits, from the right; they may be qualified too.
        ("202X", "2020-01-01", "2029-12-31"),
        ("20XX", "2000-01-01", "2099-12-31"),
        ("2022-XX", "2022-01-01", "2022-12-31"),
        ("2022-XX-XX", "2022-01-01", "2022-12-31"),
        ("2024-02-XX", "2024-02-01", "2024-02-29"),
        ("202X?", "2020-01-01", "2029-12-31"),
        ("2022-07-XX~", "2022-07-01", "2022-07-31"),
        ("000X", EARLIEST, "0009-12-31"),
        ("00XX", EARLIEST, "0099-12-31"),
        # Intervals, of mixed precision, qualified at each end, open or unknown at one.
        ("2022-07-27/2022-07-31", "2022-07-27", "2022-07-31"),
        ("2022-07-29/2022-07-29", "2022-07-29", "2022-07-29"),
        ("2022/2022", "2022-01-01", "2022-12-31"),
        ("2022-07-15/2022-07", "2022-07-15", "2022-07-31"),
        ("2021/2022-02", "2021-01-01", "2022-02-28"),
        ("2022-07-27~/2022-07?", "2022-07-27", "2022-07-31"),
        ("../2022", EARLIEST, "2022-12-31"),
        ("/2022-07", EARLIEST, "2022-07-31"),
        ("2022-07-29/..", "2022-07-29", LATEST),
        ("2022%/", "2022-01-01", LATEST),
    ],
)
def test_a_date_means_these_days(text: str, earliest: str, latest: str) -> None:
    assert days(text) == (earliest, latest)
    assert re.search(PATTERN, text)


@pytest.mark.parametrize(
    ("text", "help_with"),
    [
        ("", "null"),
        ("..", "null"),
        ("/", "null"),
        ("../..", "null"),
        ("../", "null"),
        (" 2022", "blanks"),
        ("2022-07-29\n", "blanks"),
        ("2022-07-29 ", "blanks"),
        ("٢٠٢٢", "ASCII"),
        ("2022–07", "ASCII"),
        ("2022\N{FULLWIDTH HYPHEN-MINUS}07", "ASCII"),
        ("2022-07-29T10:00:00Z", "times"),
        ("2022-07-29 10:00", "times"),
        ("2022-22", "season"),
        ("2022-00", "months are 01 to 12"),
        ("2022-13-01", "months are 01 to 12"),
        ("2022/2022-13", "months are 01 to 12"),
        ("2022-07-00", "days are 01 to 31"),
        ("2022-07-32", "days are 01 to 31"),
        ("2022-06-31", "2022-06 has only 30 days"),
        ("2022-02-29", "2022-02 has only 28 days"),
        ("2022-02-29/..", "2022-02 has only 28 days"),
        ("1900-02-29?", "1900-02 has only 28 days"),
        ("0000", "0001 to 9999"),
        ("0000-XX", "0001 to 9999"),
        ("../0000-12-31", "0001 to 9999"),
        ("-0044", "0001 to 9999"),
        ("Y17000", "0001 to 9999"),
        ("12022", "0001 to 9999"),
        ("20220729", "hyphens"),
        ("29/07/2022", "2022-07-29"),
        ("July 2022", "2022-07"),
        ("2022-7-9", "2022-07-29"),
        ("XXXX", "202X, 20XX"),
        ("2XXX", "202X, 20XX"),
        ("202x", "202X, 20XX"),
        ("202X-07", "202X, 20XX"),
        ("202X-XX", "202X, 20XX"),
        ("2022-1X", "2022-XX"),
        ("2022-07-2X", "2022-07-XX"),
        ("2022-XX-29", "2022-XX-XX"),
        ("202X/2030", "no X in an interval"),
        ("2022/2022-XX", "no X in an interval"),
        ("2022?-07", "at the end"),
        ("~2022", "at the end"),
        ("2022-07?~", "at the end"),
        ("2022-07-31/2022-07-27", "earlier date first"),
        ("2022-08/2022-07-31", "earlier date first"),
        ("2022-07/2022-08/2022-09", "one /"),
        ("{2021,2022}", "write 2022-07-29"),
        ("x" * 10_000, "is not a date"),
        ("\ud800", "is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_help(text: str, help_with: str) -> None:
    with pytest.raises(ValueError, match=re.escape(help_with)) as caught:
        days(text)
    message = str(caught.value)
    assert len(message) < 200
    message.encode()


@st.composite
def dates(draw: st.DrawFn) -> tuple[str, date, date]:
    """A date of whole precision or less, with its first and last day, worked out by `datetime`."""
    first = draw(st.dates(max_value=date(9999, 11, 30)))
    form = draw(st.sampled_from(["day", "month", "year"]))
    if form == "month":
        first = first.replace(day=1)
        last = (first + timedelta(32)).replace(day=1) - timedelta(1)
    elif form == "year":
        first, last = first.replace(month=1, day=1), first.replace(month=12, day=31)
    else:
        last = first
    text = first.isoformat()[: {"day": 10, "month": 7, "year": 4}[form]]
    return text + draw(st.sampled_from(["", "?", "~", "%"])), first, last


@given(dates(), dates())
def test_an_interval_runs_from_the_start_of_the_one_to_the_end_of_the_other(
    start: tuple[str, date, date], end: tuple[str, date, date]
) -> None:
    text = f"{start[0]}/{end[0]}"
    assert re.search(PATTERN, text)
    if start[1] <= end[2]:
        assert days(text) == (start[1].isoformat(), end[2].isoformat())
    else:
        with pytest.raises(ValueError, match="ends before"):
            days(text)


@given(st.from_regex(PATTERN, fullmatch=True))
def test_the_published_form_lets_through_little_that_is_refused(text: str) -> None:
    """Beyond the form: days that a month lacks, the year 0000, ends before starts."""
    try:
        earliest, latest = days(text)
    except ValueError as error:
        assert re.search("has only|0001 to 9999|ends before", str(error))  # noqa: PT017
    else:
        assert EARLIEST <= earliest <= latest <= LATEST
        assert date.fromisoformat(earliest) <= date.fromisoformat(latest)


@given(st.text(st.sampled_from("0129X-/.?~% \nT"), max_size=12) | st.text(max_size=12))
def test_what_has_not_the_published_form_is_refused(text: str) -> None:
    if not re.fullmatch(PATTERN, text):
        with pytest.raises(ValueError, match="is not a date"):
            days(text)


def test_the_published_form_is_plain_ecma_262() -> None:
    """No look-around, named group or escape that only Python (or not RE2) knows."""
    assert PATTERN[0] == "^"
    assert PATTERN[-1] == "$"
    assert not re.search(r"\(\?(?!:)|\\[^.]", PATTERN)
