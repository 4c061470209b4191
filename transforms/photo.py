"""The words of photo preparation: what to make (PrepSpec), what to refuse (Limits, BadPhoto), what came out (Prepared).

It must not know how a photo is decoded, nor where its bytes came from.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Bump by hand, and only when prepared pixels change for good: every photo is then prepared again, and the vector
# space changes with it. The golden images of tests/transforms guard this number.
PREP_VERSION: Final = 2

CODES: Final[Mapping[str, str]] = {
    "empty": "the file has no bytes",
    "not_an_image": "the bytes are not a picture: HTML, PDF, text, an archive or noise",
    "unsupported_format": "a picture, of a format or colour mode that is not read",
    "truncated": "the file ends before the picture does",
    "corrupt": "the header or the pixels cannot be decoded",
    "too_large_bytes": "the file is larger than the limit",
    "too_many_pixels": "the header announces more pixels than the limit",
    "too_small": "the shorter side is below the limit",
}

_PREP_ID = re.compile(r"(\d+)x(\d+)-q(\d+)-v(\d+)")


class BadPhoto(Exception):  # noqa: N818 - it says what is wrong with a photo, not with the program
    """Tell why a photo is rejected: a stable `code` (a key of CODES) for ledgers, a `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        if code not in CODES:
            raise ValueError(f"unknown reject code {code!r}: use one of {', '.join(CODES)}")
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def unsupported(what: str, fix: str = "convert it to JPEG, PNG or WebP") -> BadPhoto:
    """Return the reject of a picture that is told by its true name, and what to do about it."""
    return BadPhoto("unsupported_format", f"{what}; {fix}")


@dataclass(frozen=True, slots=True)
class PrepSpec:
    """Name one way to prepare photos: a white `height` x `width` canvas in pixels, JPEG 4:4:4 of `quality`."""

    height: int
    width: int
    quality: int = 95
    version: int = PREP_VERSION

    def __post_init__(self) -> None:
        for name, value in (("height", self.height), ("width", self.width)):
            if not 8 <= value <= 4096:
                raise ValueError(f"{name}={value}: prepared photos have 8 to 4096 pixels a side")
        if not 92 <= self.quality <= 100:
            raise ValueError(f"quality={self.quality}: use 92 to 100, for the model must not see JPEG artefacts")
        if self.version < 1:
            raise ValueError(f"version={self.version}: versions start at 1")

    @property
    def prep_id(self) -> str:
        """Return the identity of this preparation, such as `224x224-q95-v2`."""
        return f"{self.height}x{self.width}-q{self.quality}-v{self.version}"

    @classmethod
    def from_prep_id(cls, prep_id: str) -> "PrepSpec":
        """Read a `prep_id` back; raise ValueError if it is not one."""
        found = _PREP_ID.fullmatch(prep_id)
        if found is None:
            raise ValueError(f"prep_id {prep_id!r} is not <height>x<width>-q<quality>-v<version>")
        height, width, quality, version = map(int, found.groups())
        return cls(height, width, quality, version)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what is tried at all: file size in bytes, decoded size in pixels, shorter side in pixels.

    They decide about rejects, never about pixels, so they are no part of the prep_id.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64 * 2**20
    min_side: int = 16

    def __post_init__(self) -> None:
        for name, value in (
            ("max_bytes", self.max_bytes),
            ("max_pixels", self.max_pixels),
            ("min_side", self.min_side),
        ):
            if value < 1:
                raise ValueError(f"{name}={value}: limits are positive")

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise BadPhoto for a picture of (width, height) pixels that is too large or too small."""
        width, height = size
        if width * height > self.max_pixels:
            raise BadPhoto("too_many_pixels", f"{width} x {height} pixels, the limit is {self.max_pixels} in all")
        if min(width, height) < self.min_side:
            raise BadPhoto("too_small", f"{width} x {height} pixels, the shorter side must have {self.min_side}")


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a photo in pixels as it is shown, from the upper left corner: left < right, top < bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right < math.inf and 0 <= self.top < self.bottom < math.inf):
            raise ValueError(
                f"{self.left},{self.top},{self.right},{self.bottom} is no box: left < right and top < bottom, "
                "none negative"
            )

    def within(self, size: tuple[int, int], limits: Limits) -> "Box":
        """Return what of it lies within a photo of (width, height) pixels. Raises BadPhoto for less than `limits`."""
        width, height = size
        right, bottom = min(self.right, width), min(self.bottom, height)
        if min(right - self.left, bottom - self.top) < min(limits.min_side, *size):
            raise BadPhoto(
                "too_small",
                f"a box of {max(0.0, right - self.left):g} x {max(0.0, bottom - self.top):g} "
                f"pixels of a photo of {width} x {height}, the shorter side must have {limits.min_side}",
            )
        return Box(self.left, self.top, right, bottom)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Hold a prepared photo: `jpeg` bytes, the original's `width` and `height` as shown, and its 8-byte `phash`."""

    jpeg: bytes
    width: int
    height: int
    phash: bytes
