"""A text that is a list or an object, as programs and shops write one into a cell -> what it holds. Pure functions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from pipelines.shop_files.uri import PHOTO_ENDING

_BRACKETS: Final = re.compile(r"\[.*\]", re.DOTALL)
_ELEMENT: Final = r'\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"\s*+|(?P<plain>[^"\\{},\s][^"\\{},]*+))'
_UNNAMED: Final = re.sub(r"\?P<\w+>", "?:", _ELEMENT)
_ARRAY: Final = re.compile(rf"\{{(?:{_UNNAMED}(?:,{_UNNAMED})*+)?+\}}", re.DOTALL)
"""Of PostgreSQL, as text: `{a.jpg,"b, c.jpg",NULL}`."""

_PART: Final = r"(?:QUOTED|((?:(?!SEPARATOR).|(?<=\\)SEPARATOR)*+))(SEPARATOR|\Z)"
_QUOTED: Final = r'\s*"((?:[^"]|"")*+)"\s*'
_NEVER: Final = "((?!))"
_ADDRESS: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BEGINNING: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:/|[/\\]|$)", re.IGNORECASE)
_OBJECTS: Final = re.compile(r"\s*(?:\[\s*)?\{\s*[\"'}]")
_ENDING: Final = re.compile(rf"{PHOTO_ENDING}\s*$", re.IGNORECASE)


def list_of(text: str) -> Any:
    """Return the list of texts, or of lists of them, that a text is; the text itself where it is none.

    Read are lists as JSON and Python (pandas) write them, and arrays of PostgreSQL.
    """
    if _ARRAY.fullmatch(text):
        return [_element(found) for found in re.finditer(_ELEMENT, text[1:-1], re.DOTALL)]
    return _of_texts(text) if _BRACKETS.fullmatch(text) else text


def objects_of(text: str) -> Any:
    """Return the object, or the list with objects in it, that a text is, as JSON and Python write them; else None."""
    found = _of_program(text) if _OBJECTS.match(text) else None
    is_list = isinstance(found, list) and any(isinstance(one, dict) for one in found)
    return found if is_list or isinstance(found, dict) else None


def flattened(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the values of a list, and of the lists in it."""
    for value in values:
        if isinstance(value, list):
            yield from flattened(value)
        else:
            yield value


def parts_of(text: str, separator: str | None, *, quotes: bool = True) -> list[str]:
    """Return what a separator parts, which counts for nothing behind a backslash, or within quotes around a part.

    WooCommerce and Magento write such backslashes, Google's Merchant Center such quotes; they may be told to be text.
    """
    if not separator or separator not in text:
        return [text]
    if separator == "\\":
        return text.split(separator)
    pattern = _PART.replace("QUOTED", _QUOTED if quotes else _NEVER)
    part = re.compile(pattern.replace("SEPARATOR", re.escape(separator)), re.DOTALL)
    parts, at, ended = list[str](), 0, separator
    while ended:
        found = part.match(text, at)
        quoted, plain, ended = found.groups() if found else (None, text[at:], "")
        parts.append(plain.replace(f"\\{separator}", separator) if quoted is None else quoted.replace('""', '"'))
        at = found.end() if found else at
    return parts


def addresses_of(text: str, separator: str | None) -> list[str]:
    """Return the paths or addresses that a separator parts; within an address, as in w_400,h_400/a.jpg, it does not."""
    parts: list[str] = []
    for part in parts_of(text, separator):
        before = parts[-1] if parts else ""
        goes_on = _ADDRESS.match(before) and not _BEGINNING.match(part) and not _ENDING.search(before)
        parts = [*parts[:-1], f"{before}{separator}{part}"] if goes_on else [*parts, part]
    return parts


def _element(found: re.Match[str]) -> str | None:
    plain = found["plain"]
    if plain is None:
        return re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL)
    return None if plain.strip().upper() == "NULL" else plain.strip()


def _of_texts(text: str) -> Any:
    """Return the list of texts, or of lists of them, that a program has written; the text itself where it is none."""
    found = _of_program(text)
    if not isinstance(found, list):
        return text
    parts = [part for one in found for part in (one if isinstance(one, list) else [one])]
    return found if all(part is None or isinstance(part, str) for part in parts) else text


def _of_program(text: str) -> Any:
    """Return the value that a text is, as JSON writes one, and as Python and pandas do; None where it is none."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            return read(text)
    return None
