"""What a name that leads to no photo may have meant: the names that are easily taken for one another."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

_READINGS: tuple[Callable[[str], str], ...] = (
    lambda uri: uri.replace("\\", "/"),
    unquote,
    lambda uri: unicodedata.normalize("NFC", uri),
    lambda uri: unicodedata.normalize("NFD", uri),
    lambda uri: uri.partition("?")[0],
    lambda uri: uri.lstrip("/"),
)


def readings(uri: str) -> Iterator[str]:
    """Yield other ways to read a uri: by one rule each, then by all up to that one."""
    together, seen = uri, {uri}
    for read in _READINGS:
        together = read(together)
        for one in (read(uri), together):
            if one not in seen:
                seen.add(one)
                yield one


def sibling(path: str) -> str:
    """Return the path of a file whose name differs in case, Unicode form or ending alone, "" where there is none."""
    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        return ""
    for alike in (_folded, lambda text: os.path.splitext(_folded(text))[0]):
        for other in names:
            if alike(other) == alike(name):
                return os.path.join(folder, other)
    return ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
