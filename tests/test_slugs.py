"""Slugs: by which name an alias is found, and which aliases have none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.slugs import LONGEST, SLUG, is_slug, slug


@pytest.mark.parametrize(
    ("alias", "found_by"),
    [
        ("Black Sea Grain Initiative", "black-sea-grain-initiative"),
        ("  Istanbul — package (2022)!", "istanbul-package-2022"),
        ("U.S.", "u-s"),
        ("São Tomé & Príncipe", "sao-tome-principe"),
        ("Sa\N{COMBINING TILDE}o", "sao"),
        ("İstanbul", "istanbul"),
        ("ＮＡＴＯ", "nato"),
        ("ﬁnance №5", "finance-no5"),
        ("grain_deal", "grain-deal"),
        ("n" * LONGEST, "n" * LONGEST),
        # Other letters, also beside a-z, would leave a name that misleads.
        ("Зерновая сделка", None),
        ("黑海粮食倡议", None),
        ("مبادرة", None),
        ("Łódź", None),
        ("Straße", None),
        ("NATO и ЕС", None),
        ("𐐀", None),
        # Nothing is left, too much is, or what filters take for "without any".
        ("", None),
        ("—!", None),
        ("٢٠٢٢", None),
        ("n" * (LONGEST + 1), None),
        ("None", None),
    ],
)
def test_an_alias_is_found_by_its_slug(alias: str, found_by: str | None) -> None:
    assert slug(alias) == found_by


@pytest.mark.parametrize("text", ["a", "0", "grain-deal", "2022-07-29-blinken-lavrov", "a" * 80])
def test_ids(text: str) -> None:
    assert is_slug(text)
    assert re.search(SLUG, text)


@pytest.mark.parametrize(
    "text",
    ["", "-", "a-", "-a", "a--b", "A", "a b", "a_b", "ä", "٣", "a\n", "a" * 81, "\ud800"],
)
def test_what_is_no_id(text: str) -> None:
    assert not is_slug(text)


@given(st.text())
def test_the_slug_of_any_text_is_an_id_and_its_own_slug(text: str) -> None:
    made = slug(text)
    if made is not None:
        assert is_slug(made)
        assert slug(made) == made == slug(f" {text.upper() if text.isascii() else text}.")


@given(st.from_regex(SLUG, fullmatch=True))
def test_ids_have_the_published_form(text: str) -> None:
    assert is_slug(text) == (len(text) <= LONGEST)
