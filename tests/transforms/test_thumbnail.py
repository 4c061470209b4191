from __future__ import annotations

import io

from PIL import Image

from transforms.thumbnail import shrink


def jpeg(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(sink, "JPEG")
    return sink.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_pictures_are_shrunk_in_proportion_and_never_enlarged() -> None:
    assert size_of(shrink(jpeg(400, 200), 128) or b"") == (128, 64)
    assert size_of(shrink(jpeg(48, 64), 128) or b"") == (48, 64)
    assert shrink(b"no picture", 128) is None
