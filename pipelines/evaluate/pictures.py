"""Prepared photos as small pictures inside a page.

Owns reading them by unit and shrinking them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from PIL import Image, UnidentifiedImageError

from pipelines.store import NotFoundError, Place, Store, UnitTable

SIDE = 128
QUALITY = 82


def thumbnails(store: Store, prep_id: str, places: Iterable[Place]) -> dict[Place, str]:
    """Return JPEG data URIs of prepared photos, at most 128 pixels a side, without those that cannot be read."""
    by_unit: dict[str, list[int]] = {}
    for unit, row in sorted(set(places)):
        if unit and row >= 0:
            by_unit.setdefault(unit, []).append(row)
    found: dict[Place, str] = {}
    table = UnitTable(store, f"images/{prep_id}")
    for unit, rows in by_unit.items():
        try:
            images = table.read_rows(unit, rows, ["image"])["image"].to_pylist()
        except NotFoundError:
            continue
        for row, image in zip(rows, images, strict=True):
            small = shrink(image)
            if small is not None:
                found[unit, row] = data_uri(small, "image/jpeg")
    return found


def shrink(jpeg: bytes, side: int = SIDE) -> bytes | None:
    """Return a picture as a JPEG of at most `side` pixels a side, never enlarged; None when it cannot be read."""
    try:
        with Image.open(io.BytesIO(jpeg)) as picture:
            small = picture.convert("RGB")
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError):
        return None
    sink = io.BytesIO()
    small.save(sink, "JPEG", quality=QUALITY, optimize=True)
    return sink.getvalue()


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
