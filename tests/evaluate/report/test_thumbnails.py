from __future__ import annotations

import base64
import io
from pathlib import Path

import pyarrow as pa
from PIL import Image

from pipelines.evaluate.report.thumbnails import thumbnails
from pipelines.store import UnitTable
from pipelines.store.folder import FolderStore
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS


def jpeg(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(sink, "JPEG")
    return sink.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_thumbnails_leave_out_what_cannot_be_read(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    images = [jpeg(200, 100), b"damaged"]
    rows = [
        {"digest": bytes([n]) * 32, "image": i, "width": 1, "height": 1, "phash": bytes(8)}
        for n, i in enumerate(images)
    ]
    keys = [{"digest": row["digest"], "code": "", "row": n, "phash": bytes(8)} for n, row in enumerate(rows)]
    table = UnitTable(store, "images/p")
    table.commit("u", pa.Table.from_pylist(keys, IMAGE_KEYS), pa.Table.from_pylist(rows, IMAGE_DATA))
    found = thumbnails(store, "p", [("u", 0), ("u", 1), ("gone", 0), ("", -1)])
    assert list(found) == [("u", 0)]
    head, _, data = found["u", 0].partition(",")
    assert head == "data:image/jpeg;base64"
    assert size_of(base64.b64decode(data)) == (128, 64)
