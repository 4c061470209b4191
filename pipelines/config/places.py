"""Places that a config names, paths and `gs://` URIs: what cannot be meant as one is refused before anything runs.

A name that merely looks odd is obeyed where a file or folder of that name is there.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, ValidationInfo

from trainer.files import SCHEME, in_bucket

FOLDER = "folder"
"""The key of the validation's context: the folder that relative paths start from."""
_FILE = re.compile(r"file:(?://([^/]*)(/.*)|(/(?!/).*))", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_THIS_MACHINE = {"", "localhost"}
_CLOUD = re.compile(r"(?:s3a?|abfss?|azure?)://[^/]", re.IGNORECASE)
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*|\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|%[A-Za-z_]{3}\w*%")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"([A-Za-z]):(?=[\\/])")
_SHARE = re.compile(r"(?:\\\\|//)[^\\/]+|[\w.@-]{2,}:(?=/)")
_HOME = re.compile(r"~[^/]*")


def in_web(place: str) -> bool:
    """Tell whether a place is an address of http or https."""
    return place[:8].lower().startswith(("http://", "https://"))


def in_cloud(place: str) -> bool:
    """Tell whether a place is a URI of S3 or Azure."""
    return _CLOUD.match(place) is not None


def is_far(place: str) -> bool:
    """Tell whether a place is in a cloud: a `gs://` URI, or one of S3 or Azure."""
    return in_bucket(place) or in_cloud(place)


def is_remote(place: str) -> bool:
    """Tell whether a place is none of this machine's: in a cloud, or on the web."""
    return is_far(place) or in_web(place)


def path_of(uri: str) -> str | None:
    """Return the path that a `file:` URI of RFC 8089 names, its percent signs decoded; None for what is none.

    Raises ValueError where it names another machine.
    """
    literal = _literal(uri)
    return None if literal is None else unquote(literal, errors="surrogateescape")


def _literal(uri: str) -> str | None:
    file = _FILE.fullmatch(uri)
    if file is None:
        return None
    if (file[1] or "").lower() not in _THIS_MACHINE:
        raise ValueError(f"names the machine {file[1]!r}; write file:///path")
    return file[2] or file[3]


def without_scheme(value: str) -> str:
    """Return a path or a `gs://` URI as it is, the path of a `file:` URI. Raises ValueError for other addresses."""
    path, literal = path_of(value), _literal(value)
    if path is not None and literal is not None:
        if os.path.exists(literal) and not os.path.exists(path):
            raise ValueError(f"means {path}, and there is only {literal}; write that path without file://")
        return path
    scheme = _SCHEME.match(value)
    if scheme is None:
        return value
    if scheme[1].lower() == "gs":
        return f"{SCHEME}{value[len(SCHEME) :]}"
    if scheme[1].lower() == "file":
        raise ValueError("names no path; write file:///path, or the path itself")
    raise ValueError(
        f"begins with {scheme[0]}, which is not read here; write a path of this machine, such as one below a mounted "
        "disk, or a gs:// URI"
    )


def read_place(value: str, folder: str) -> str:
    """Return a path, of which relative ones start from `folder`, or a `gs://` URI.

    Raises ValueError that says why the value can be neither, and what to write instead.
    """
    if not value:
        raise ValueError("is empty; write a path, '.' for the config file's folder, or remove the key")
    place = without_scheme(value)
    for start, why in _doubts(place):
        if in_bucket(place) or not _is_there(folder, start):
            raise ValueError(why)
    return place


def _doubts(place: str) -> Iterator[tuple[str, str]]:
    """Yield how far a place goes to the folder whose name is in doubt, and what is wrong if there is no such folder."""
    if found := _VARIABLE.search(place):
        yield (
            _up_to(place, found.end()),
            f"variables such as {found[0]} are not filled in; write the path itself: relative ones start from the "
            "config file's folder, ~ is the home folder",
        )
    if in_bucket(place):
        return
    if found := _CONTROL.search(place):
        yield (
            _up_to(place, found.end()),
            f"holds {found[0]!r}, for TOML reads a backslash in double quotes as the beginning of such a sign; write "
            "slashes",
        )
    if found := _DRIVE.match(place):
        here = f"/mnt/{found[1].lower()}{place[2:]}".replace("\\", "/")
        yield (_up_to(place, 2), f"is on a drive of Windows; write the path that it has here, such as {here!r}")
    if found := _SHARE.match(place):
        yield (_up_to(place, found.end()), "is on another machine; mount it here, and write the path that it then has")
    if "\\" in place:
        yield (
            _up_to(place, place.index("\\")),
            f"has backslashes; folders are parted by slashes: write {place.replace('\\', '/')!r}",
        )
    if (found := _HOME.match(place)) and os.path.expanduser(place) == place:
        yield (_up_to(place, found.end()), f"begins with the home folder of {found[0][1:]!r}, who is no user here")


def _up_to(place: str, end: int) -> str:
    """Return a place up to the end of the name in which a position is."""
    slash = place.find("/", end)
    return place if slash < 0 else place[:slash]


def _is_there(folder: str, start: str) -> bool:
    path = os.path.join(folder, os.path.expanduser(start))
    try:
        return Path(path).exists() or bool(glob.glob(path))
    except ValueError:  # a NUL, which no path holds
        return False


def validated_place(value: str, info: ValidationInfo) -> str:
    """Return what `read_place` makes of a value, for a validator; its context names the config file's folder."""
    return read_place(value, (info.context or {}).get(FOLDER, ""))


def _validated_source(value: str, info: ValidationInfo) -> str:
    return value if in_web(value) or in_cloud(value) else validated_place(value, info)


Source = Annotated[str, AfterValidator(_validated_source)]
"""A place that is only read from: one on the web, in S3 or in Azure, too."""
Place = Annotated[str, AfterValidator(validated_place)]
"""A path, a glob of paths or a `gs://` URI; `file:` URIs become paths."""
