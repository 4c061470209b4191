"""Names that are written as one word in capitals or small letters, as databases give them: ISACTIVE, saleprice."""

from __future__ import annotations

from functools import cache
from typing import Final

from pipelines.survey.draft.words import plain_words

_LONG: Final = plain_words(
    "active archived availability available barcode brand code color colour compare created currency "
    "custom date deleted description disabled discount display enabled family flag group handle hidden image "
    "images inventory item last level link list main master modified name number original parent path photo "
    "photos picture price primary product published quantity regular sale size special status stock thumbnail "
    "title type unit update updated variant visible"
)
_SHORT: Final = plain_words("has id is iso key no qty sku src url")
"""Words that only count beside a longer one."""


@cache
def parted(word: str) -> tuple[str, ...]:
    """Return the words that a name is wholly made of, the longest first: isactive is is, active; else the name alone.

    Only whole English words of such names count, so that no part of a word of another language is taken for one.
    """
    found = _parts(word) if word not in _LONG else None
    return found if found and _LONG & {*found} else (word,)


def _parts(word: str) -> tuple[str, ...] | None:
    if not word:
        return ()
    for end in range(len(word), 1, -1):
        if word[:end] in _LONG or word[:end] in _SHORT:
            rest = _parts(word[end:])
            if rest is not None:
                return (word[:end], *rest)
    return None
