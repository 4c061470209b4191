"""Small pictures inside a page: prepared photos shrunk, as data URIs."""

from __future__ import annotations

import base64
import io

from PIL import Image, UnidentifiedImageError

QUALITY = 82


def shrink(jpeg: bytes, side: int) -> bytes | None:
    """Return a picture as a JPEG of at most `side` pixels a side, never enlarged; None when it cannot be read."""
    try:
        with Image.open(io.BytesIO(jpeg)) as picture:
            small = picture.convert("RGB")
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError):
        return None
    return encoded(small)


def encoded(picture: Image.Image) -> bytes:
    """Return an RGB picture as the JPEG that pages show."""
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=QUALITY, optimize=True)
    return sink.getvalue()


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
