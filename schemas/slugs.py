"""Slugs: the form of ids, and the id-like name by which an alias is found as well."""

import re
from unicodedata import category, normalize

SLUG: str = "^[a-z0-9]+(?:-[a-z0-9]+)*$"
"""The form of an id, for OpenAPI (ECMA-262); its `maxLength` is `LONGEST`."""

LONGEST = 80

RESERVED = "none"
"""The slug that filters take for "without any": no id, and no alias, may have it."""

_FORM = re.compile(SLUG)
_RUN = re.compile("[^a-z0-9]+")


def is_slug(text: str) -> bool:
    """Whether the text has the form and length of an id. (`RESERVED` has, and is no id.)"""
    return len(text) <= LONGEST and _FORM.fullmatch(text) is not None


def slug(text: str) -> str | None:
    """The slug by which an alias is found, or None where it has none.

        >>> slug("Black Sea Grain Initiative")
        'black-sea-grain-initiative'

    It has none if it holds letters that are not a-z without their marks (`Зерновая сделка`, `Łódź`:
    a slug of the remainder would mislead), no letter or digit at all, more than `LONGEST`
    characters once made (cut, it could be another's), or if it would be `RESERVED`.
    """
    bare = "".join(c for c in normalize("NFKD", text) if category(c)[0] != "M").lower()
    if any(c.isalpha() and not c.isascii() for c in bare):
        return None
    made = _RUN.sub("-", bare).strip("-")
    return made if is_slug(made) and made != RESERVED else None
