"""Where the photos of a feed lie, and what size they are. Nothing is fetched from the web."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from pipelines.config.places import in_web, is_remote
from pipelines.shop_files.fetch import MISSING, Fetcher, FetchError
from pipelines.shop_files.uri import address_of
from pipelines.shop_files.web.addresses import is_public
from pipelines.survey.draft.pictures import photos_in
from trainer.files import SCHEME, in_bucket

LOOKED_AT = 100
MEASURED = 40
FOLDERS = (
    "photos", "images", "img", "imgs", "image", "pictures", "pics", "media", "media/catalog/product",
    "pub/media/catalog/product", "assets", "files", "uploads", "wp-content/uploads", "bilder", "fotos", "static",
)  # fmt: skip
_PAGE = re.compile(
    r"https?://(?:drive\.google\.com/(?:file/d/|open\?)|(?:www\.)?dropbox\.com/(?!.*[?&](?:raw|dl)=1(?:&|$))|1drv\.ms/"
    r"|(?:[\w-]+\.)?sharepoint\.com/:i:|photos\.app\.goo\.gl/|(?:www\.)?(?:imgur|flickr|pinterest|instagram)\.com/)",
    re.IGNORECASE,
)
"""Where people look at a photo in a page, of which the address is not the photo's."""
INSIDE = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""What names of machines end with that the internet does not resolve."""
_SOUGHT, _WALKED = 5, 2_000
"""Photos that are sought in all folders below the feed's, and how many of these are looked into."""
_DROPPED = 8
"""The most leading parts of a path that may stand for a place elsewhere."""
_STEP, SMALL_SIDE = 4, 96
"""Sides of prepared photos are multiples of the one; to train from scratch their area is that of the other's square."""


@dataclass(frozen=True)
class Place:
    """Where photos start from, what stands before their paths, and how many of those looked at are there.

    `files` of them are no addresses; `root` is None where these were found nowhere.
    """

    looked_at: int
    addresses: int = 0
    root: str | None = None
    prefix: str = ""
    there: int = 0
    tried: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many are paths or objects."""
        return self.looked_at - self.addresses


def place_of(uris: Sequence[str], folder: Path | None, given: str | None) -> Place:
    """Return where the first photos of a feed lie: below a given place, or beside the feed in its folder."""
    uris = uris[:LOOKED_AT]
    files = [uri for uri in uris if address_of(uri, "") is None]
    addresses = len(uris) - len(files)
    if given is not None and in_web(given):
        return Place(len(uris), len(uris), given)
    if not files and given is None:
        return Place(len(uris), addresses)
    roots = [given] if given is not None else [*roots_of(folder), *_common(files)]
    best = _best_of(roots, files or uris, Place(len(uris), addresses, tried=tuple(roots)))
    return best if best.there or given is not None else _best_of(_deep_roots(folder, files), files, best)


def _best_of(roots: Iterable[str], uris: Sequence[str], best: Place) -> Place:
    """Return the place below one of some folders at which most photos are there, or `best` where no more are."""
    for root in roots:
        for prefix in ("", *_prefixes(uris)):
            there = _there(root, prefix, uris)
            if there > best.there:
                best = replace(best, root=root, prefix=prefix, there=there)
    return best


def lost_columns(place: Place, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns whose first photos are all missing from the place where those of others are."""
    if place.root is None or len(columns) < 2:
        return []
    fetcher = Fetcher(place.root, 1)
    there: dict[str, list[bool]] = {}
    for name in columns:
        files = (uri for row in rows for uri in photos_in(row.get(name)) if address_of(uri, "") is None)
        paths = (uri.removeprefix(place.prefix) for uri in islice(files, MEASURED))
        there[name] = [fetcher.fingerprint(path) != MISSING for path in paths]
    lost = [name for name, found in there.items() if len(found) >= _SOUGHT and not any(found)]
    return lost if any(any(found) for found in there.values()) else []


def missing_of(place: Place, uris: Sequence[str]) -> str:
    """Return the first of the paths that were looked at that is not where they start from, "" where all are.

    It is said with the photo that is there and differs from it in spelling, if one does.
    """
    if place.root is None or place.there in (0, place.files):
        return ""
    fetcher = Fetcher(place.root, 1)
    paths = (uri.removeprefix(place.prefix) for uri in uris[:LOOKED_AT] if address_of(uri, "") is None)
    path = next((path for path in paths if fetcher.fingerprint(path) == MISSING), "")
    near = fetcher.near(path) if path else ""
    return f"{path!r}, but there is {near!r}" if near else repr(path)


def _there(root: str, prefix: str, uris: Sequence[str]) -> int:
    fetcher = Fetcher(root, 1)
    first = [fetcher.fingerprint(uri.removeprefix(prefix)) != MISSING for uri in uris[:5]]
    if not any(first):  # most places are wrong ones
        return 0
    return sum(first) + sum(fetcher.fingerprint(uri.removeprefix(prefix)) != MISSING for uri in uris[5:])


def roots_of(folder: Path | None) -> Iterator[str]:
    """Yield the folders in which photos of a feed may lie that is in a folder."""
    for start in (folder, folder.parent) if folder else ():
        yield str(start)
        yield from (str(start / name) for name in FOLDERS if (start / name).is_dir())
        names = sorted(os.listdir(start)) if start == folder else []
        yield from (str(start / name) for name in names[:50] if name not in FOLDERS and (start / name).is_dir())


def _deep_roots(folder: Path | None, uris: Sequence[str]) -> Iterator[str]:
    """Yield the folders, further below the feed's, from which the paths of some photos start: html/upload/images."""
    wanted = {(name := path.replace("\\", "/").strip("/")).rpartition("/")[2]: name for path in uris[:_SOUGHT]}
    for place, _, names in islice(os.walk(folder), _WALKED) if folder and wanted else ():
        for name in wanted.keys() & {*names}:
            path = os.path.join(place, name)
            if path.endswith("/" + wanted[name]):
                yield path.removesuffix("/" + wanted[name])


def _common(uris: Sequence[str]) -> Iterator[str]:
    """Yield the folder or bucket that whole paths and gs:// URIs are below."""
    if uris and all(map(in_bucket, uris)):
        yield SCHEME + uris[0].removeprefix(SCHEME).partition("/")[0]
    elif uris and all(uri.startswith("/") for uri in uris):
        yield os.path.commonpath([os.path.dirname(uri) for uri in uris])


def _prefixes(uris: Sequence[str]) -> Iterator[str]:
    """Yield what all paths begin with, whole parts of them."""
    first, last = min(uris), max(uris)
    for place, (sign, other) in enumerate(zip(first, last, strict=False), 1):
        if sign != other:
            return
        if sign == "/" and first[:place].count("/") <= _DROPPED:
            yield first[:place]


def pages_of(uris: Sequence[str]) -> list[str]:
    """Return the addresses of pages that show a photo, as Google Drive and Dropbox share one."""
    return [uri for uri in uris[:LOOKED_AT] if _PAGE.match(uri)]


def hosts_inside(uris: Sequence[str]) -> tuple[str, ...]:
    """Return the hosts of addresses, where each is by its own name a machine that is not of the internet."""
    hosts = {
        host for uri in uris[:LOOKED_AT] if (address := address_of(uri, "")) and (host := urlsplit(address).hostname)
    }
    return tuple(sorted(hosts)) if all(map(_is_inside, hosts)) else ()


def _is_inside(host: str) -> bool:
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(INSIDE)


def size_of(place: Place, uris: Sequence[str], side: int = SMALL_SIDE) -> tuple[int, int, str] | None:
    """Return the height and width that photos should be prepared at, and why; None where none is at hand."""
    if place.root is None or is_remote(place.root):
        return None
    fetcher = Fetcher(place.root, 1)
    sizes = (_size(fetcher, uri.removeprefix(place.prefix)) for uri in uris)
    return recommended([size for size in sizes if size][:MEASURED], side)


def recommended(sizes: Sequence[tuple[int, int]], side: int = SMALL_SIDE) -> tuple[int, int, str] | None:
    """Return the height and width for photos of (width, height) pixels, and why: of their shape, and no larger.

    Their area is that of a square of `side`, where photos have it.
    """
    if not sizes:
        return None
    shape = median(width / height for width, height in sizes)
    wide, high = median(width for width, _ in sizes), median(height for _, height in sizes)
    scale = min(1.0, side / (wide * high) ** 0.5)
    height = max(16, round(high * scale / _STEP) * _STEP)
    width = max(16, round(height * shape / _STEP) * _STEP)
    usual = Counter(sizes).most_common(1)[0][0]
    return height, width, f"photos of {usual[0]} x {usual[1]} pixels (width x height) are most frequent"


def _size(fetcher: Fetcher, uri: str) -> tuple[int, int] | None:
    try:
        with Image.open(fetcher.location(uri)) as image:
            return image.size
    except (FetchError, OSError, ValueError, Image.DecompressionBombError):
        return None
