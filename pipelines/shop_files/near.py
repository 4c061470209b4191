"""What a name that leads to no photo may have meant: the names that are easily taken for one another."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
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


def respelled(path: str) -> str:
    """Return a path as it is there: names in it may differ in case or Unicode form where one alone is alike, else "".

    So a feed that was made on Windows or macOS, to which these are one name, fits files that lie on Linux.
    """
    if os.path.exists(path):
        return path
    folder, name = os.path.split(path)
    folder = respelled(folder) if name and folder else ""
    try:
        found = _names(folder, os.stat(folder).st_mtime_ns).get(_folded(name), "") if folder else ""
    except OSError:  # it is gone by now, or nobody may read it
        return ""
    return os.path.join(folder, found) if found else ""


@lru_cache(16)
def _names(folder: str, _: int) -> Mapping[str, str]:
    """Return the names in a folder by what they are folded to, "" of several; kept until the folder changes."""
    names = dict[str, str]()
    for name in os.listdir(folder):
        folded = _folded(name)
        names[folded] = "" if folded in names else name
    return names


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
