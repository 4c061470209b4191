"""How far the name of a column says what it holds. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pipelines.survey.draft.run_together import parted
from pipelines.survey.draft.words import WORDS, plain_word

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_OF_CUSTOM = re.compile(r"(?<=\w)__[cr]\b", re.IGNORECASE)
"""Behind the names that a shop gives to fields and relations of its own in Salesforce."""
_BETWEEN = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"^(.*?)[\W_]*(\d{1,2})$")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
"""Thai, Japanese, Chinese, and Korean, whose blanks are few."""
EXACT, TOKEN, STEM = 3.0, 2.0, 1.0
"""What a name is worth that says it wholly, by a word, or by a part of a word."""


@cache
def tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name, without case and accents: `image[].linkUrl` and IMAGELINKURL are image, link, url."""
    parts = _BETWEEN.split(_CAMEL.sub(" ", _OF_CUSTOM.sub("", name)))
    return tuple(word for part in parts if (plain := plain_word(part)) for word in parted(plain))


@cache
def said(name: str, kind: str) -> float:
    """Return how far a name says that its column is of a kind of WORDS, 0 where it does not; earlier names say more."""
    words, parts = WORDS[kind], tokens(name)
    whole = "".join(parts)
    for one in (whole, parts[-1] if "." in name and parts else whole):
        if one in words.exact:
            return EXACT - 0.5 * words.exact.index(one) / len(words.exact)
    if words.never & {*parts}:
        return 0.0
    if words.tokens & {*parts}:
        return TOKEN
    return STEM if any(stem in whole for stem in words.stems) else 0.0


def is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script that puts no blanks between words, so that it may stand within another one."""
    return bool(_UNSPACED.search(word))


def numbered(names: Iterable[str]) -> dict[str, list[str]]:
    """Return {stem: names} of names that differ by a number at their end, in its order; one without is the first."""
    families: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        found = _NUMBER.match(name)
        stem, place = (found[1], int(found[2])) if found else (name, -1)
        families.setdefault("".join(tokens(stem)), []).append((place, name))
    return {stem: [name for _, name in sorted(of)] for stem, of in families.items()}


def stem_of(name: str) -> str:
    """Return a name without the number at its end."""
    found = _NUMBER.match(name)
    return found[1] if found else name
