"""Whether an item can be had, as shops and feeds write it. Pure functions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from pipelines.catalogue.numbers import plain_number

IN_STOCK: Final = "in_stock"
OUT_OF_STOCK: Final = "out_of_stock"
_WORDS: Final[dict[str, list[str]]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_VOCABULARY: Final = re.compile(r"^(?:https?://(?:www\.)?schema\.org/|schema:)", re.IGNORECASE)
"""Before words of schema.org."""
_BETWEEN: Final = re.compile(r"[\W_]+")
_COUNT: Final = re.compile(
    r"[<>≥≤~]?\s*([+-]?[0-9][0-9.,' ]*)\+?\s*(?:pcs|pieces|stück|stk|szt|units?)?\.?", re.IGNORECASE
)
"""How many there are: 12, 5.0000, 10+, > 50, 3 pcs."""


def availability_of(text: str) -> str | None:
    """Return in_stock, out_of_stock, preorder or backorder, "" for an empty text, None for words that are not known."""
    if not text:
        return ""
    word = _folded(_VOCABULARY.sub("", text))
    if word in _MEANING:
        return _MEANING[word]
    count = _COUNT.fullmatch(plain_number(text))
    if count is None:
        return None
    return IN_STOCK if not count[1].startswith("-") and re.search("[1-9]", count[1]) else OUT_OF_STOCK


def _folded(text: str) -> str:
    return _BETWEEN.sub("", text.casefold())


_MEANING: Final = {_folded(word): meaning for meaning, words in _WORDS.items() for word in words}
