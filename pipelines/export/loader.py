"""What a format of an export, and a server that it can be sent to, must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from pipelines.errors import StageError
from pipelines.export.points import Point
from pipelines.export.schemas import About


@dataclass(frozen=True)
class Loader:
    """How the photos of a release are written as files.

    `schema` is the version of the format; `folder` and `suffix` name its files, of at most `rows_a_part` photos each.
    `set_up` gives the JSON objects beside them that tell the target what to make: about the release, and the place
    that it is written to.
    """

    name: str
    schema: int
    folder: str
    suffix: str
    rows_a_part: int
    encode: Callable[[pa.Table], bytes]
    set_up: Callable[[About, str], Mapping[str, Any]]


class Target(Protocol):
    """A server that photos are sent to, under a name of the release's own; readers see it once it is whole."""

    def prepare(self, about: About) -> bool:
        """Make what takes the photos; return False where the release is there already, and is what readers see."""

    def load(self, points: Iterable[Point]) -> None:
        """Send photos; what is there already is replaced."""

    def publish(self, photos: int) -> str:
        """Count what is there and make it what readers see; return its name. Raises StageError if some are missing."""


def lacking(package: str, extra: str) -> StageError:
    """Return the error of a client that is not installed."""
    return StageError(f"sending needs {package}: pip install '{package}' (the extra {extra!r} of setup.py)")


def incomplete(name: str, found: int, expected: int) -> StageError:
    """Return the error of a server that does not hold what was sent."""
    return StageError(
        f"{name} holds {found:,} photos, {expected:,} were sent; readers still see what they saw before: remove it, "
        "and run the command again"
    )
