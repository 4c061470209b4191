"""Texts that may have been meant for no value, though they are not among `catalogue.no_value`. Pure functions."""

from __future__ import annotations

import re
from typing import Final

LOOKS_EMPTY: Final = "looks_empty"
"""The remark on cells that do not look like a value of anything."""
_WORDS: Final = frozenset({"na", "n/a", "nan", "nil", "none", "null", "undefined", "unknown", "n.a.", "k.a."})
_NO_WORD: Final = re.compile(
    r"#[^\s#]{1,20}[!?]|#+|Err ?:5[0-9]{2}"  # errors of spreadsheets, and numbers in too narrow a column
    r"|[(<\[{](?:null|none|nil|empty|blank|n/?a|not set)[)>\]}]"  # of databases and reports
    r"|-{2,}|[\N{EN DASH}\N{EM DASH}]+|\?+",
    re.IGNORECASE,
)


def may_mean_none(text: str) -> bool:
    """Tell whether a word may mean no value, though it may be a title, a brand or a category too."""
    return text.casefold() in _WORDS


def looks_empty(text: str) -> bool:
    """Tell whether a text is hardly a value of anything: #WORD!, Err:5xx, (null), --, ? and the like."""
    return _NO_WORD.fullmatch(text) is not None
