"""The feed that a config is to be written for: its files, and one of them at hand to be read again and again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalogue.deltas import order
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.rows import files_in
from pipelines.config import Config, ConfigError
from pipelines.config.places import in_web, read_place
from pipelines.errors import StageError
from pipelines.shop_files.files import File
from pipelines.shop_files.locations import divide, find

_PARTS = 8
"""Of many files so many are looked at."""
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Source:
    """A feed as a person named it: what a config says of it, the last of its files, and the ones before it.

    `folder` is where relative photos may lie: the file's own, None of what is not on this machine's disks. The last two
    files are `by_number` where their names differ by a number or a date alone. Files that are not on this machine are
    copied below `scratch` when they are asked for.
    """

    place: str
    file: Path
    scratch: Path
    earlier: tuple[File, ...] = ()
    folder: Path | None = None
    by_number: bool = False

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self.earlier) + 1

    def before(self) -> Path | None:
        """Return the file before the last one."""
        return self._copied(len(self.earlier) - 1) if self.earlier else None

    def parts(self) -> list[Path]:
        """Return some of the files, evenly from the first to the last, which stands first, all where they are few."""
        count = min(_PARTS, self.files)
        places = {round(n * (self.files - 1) / (count - 1)) for n in range(count - 1)} if count > 1 else set()
        return [self.file, *(self._copied(place) for place in sorted(places))]

    def _copied(self, place: int) -> Path:
        return _at_hand(self.earlier[place], self.scratch / str(place))


def open_source(feed: str, scratch: Path, allowed_networks: Sequence[str] = ()) -> Source:
    """Find a feed; what is not on this machine is copied below `scratch`.

    Raises ConfigError for what can be no place, StageError where there is no such file.
    """
    if in_web(feed):
        return Source(feed, _fetched(feed, scratch, allowed_networks), scratch)
    try:
        place = os.path.expanduser(read_place(feed, os.getcwd()))
    except ValueError as error:
        raise ConfigError(f"{feed!r} {error}") from error
    folder, pattern = divide(place)
    found = sorted(find(folder or os.getcwd(), pattern), key=lambda one: order(one[0]))
    if not found:
        raise StageError(f"{feed!r} names no file; check the path")
    *others, last = (file for _, file in found)
    by_number = len({_NUMBERS.sub("", name) for name, _ in found[-2:]}) == 1
    if isinstance(last, Path) and last.is_dir():
        raise StageError(f"{feed} is a folder; name the files in it, as '{feed.rstrip('/')}/{files_in(last)}'")
    own = last.absolute().parent if isinstance(last, Path) else None
    return Source(place, _at_hand(last, scratch), scratch, tuple(others), own, by_number)


def _fetched(address: str, scratch: Path, allowed_networks: Sequence[str]) -> Path:
    from pipelines.shop_files.web.feeds import fetch_feed

    columns = {"item_id": "-", "photos": "-", "category": "-"}
    config = Config.model_validate(
        {
            "store": {"uri": str(scratch / "store")},
            "catalogue": {"snapshot": address, "columns": columns},
            "fetch": {"allowed_networks": list(allowed_networks)},
        }
    )
    return _at_hand(fetch_feed(config, address), scratch)


def _at_hand(file: File, scratch: Path) -> Path:
    if isinstance(file, Path):
        return file.absolute()
    path = scratch.joinpath(*(folder for folder in file.path.parts[:-1] if "=" in folder), file.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open() as stream, path.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
    except OSError as error:
        raise FeedError(f"{file} cannot be copied to {path}: {error.strerror}") from error
    return path
