"""A text that is a list of texts, as programs write one into a cell -> the list. Pure functions."""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from typing import Any, Final

_BRACKETS: Final = re.compile(r"\[.*\]", re.DOTALL)
_ELEMENT: Final = r'\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"\s*+|(?P<plain>[^"\\{},\s][^"\\{},]*+))'
_UNNAMED: Final = re.sub(r"\?P<\w+>", "?:", _ELEMENT)
_ARRAY: Final = re.compile(rf"\{{(?:{_UNNAMED}(?:,{_UNNAMED})*+)?+\}}", re.DOTALL)
"""Of PostgreSQL, as text: `{a.jpg,"b, c.jpg",NULL}`."""


def list_of(text: str) -> Any:
    """Return the list of texts, or of lists of them, that a text is; the text itself where it is none.

    Read are lists as JSON and Python (pandas) write them, and arrays of PostgreSQL.
    """
    if _ARRAY.fullmatch(text):
        return [_element(found) for found in re.finditer(_ELEMENT, text[1:-1], re.DOTALL)]
    return _of_program(text) if _BRACKETS.fullmatch(text) else text


def _element(found: re.Match[str]) -> str | None:
    plain = found["plain"]
    if plain is None:
        return re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL)
    return None if plain.strip().upper() == "NULL" else plain.strip()


def _of_program(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):  # as JSON writes lists, and as pandas does
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            found = read(text)
            parts = [part for one in found for part in (one if isinstance(one, list) else [one])]
            if isinstance(found, list) and all(part is None or isinstance(part, str) for part in parts):
                return found
    return text
