import hashlib
import io
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from pipelines.config import FetchSection
from pipelines.preprocess.changes import TODO
from pipelines.preprocess.meanings import MEANINGS
from pipelines.preprocess.outcomes import UnitTables
from pipelines.preprocess.prepare import Preparer
from pipelines.shop_files.fetch import FETCH_CODES, Fetcher, FetchError
from tests.catalogue.shop import jpeg
from transforms.image import prepare
from transforms.photo import CODES, Limits, PrepSpec

SPEC = PrepSpec(32, 24)
GOOD = jpeg(1)


@pytest.fixture
def preparer(tmp_path: Path) -> Preparer:
    (tmp_path / "good.jpg").write_bytes(GOOD)
    (tmp_path / "copy.jpg").write_bytes(GOOD)
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "small.png").write_bytes(png((8, 40)))
    (tmp_path / "huge.png").write_bytes(png((200, 200)))
    (tmp_path / "long.jpg").write_bytes(GOOD + bytes(4000))
    (tmp_path / "folder.jpg").mkdir()
    return Preparer(Fetcher(str(tmp_path), 4000), SPEC, Limits(4000, 10_000, 16), 2, FetchSection())


def png(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "PNG")
    return out.getvalue()


def unit(preparer: Preparer, *uris: str, known: bytes | None = None) -> UnitTables:
    rows = [{"image_uri": uri, "fingerprint": f"f-{uri}", "digest": known, "previous": ""} for uri in uris]
    return preparer(pa.Table.from_pylist(rows, TODO))


def test_a_good_photo_is_a_source_a_key_and_an_image(preparer: Preparer) -> None:
    tables = unit(preparer, "good.jpg")
    digest, prepared = hashlib.sha256(GOOD).digest(), prepare(GOOD, SPEC)
    [source], [key], [image] = (t.to_pylist() for t in (tables.sources, tables.image_keys, tables.image_data))
    assert source.pop("fetched_at").tzinfo is not None
    assert source == {
        "image_uri": "good.jpg", "fingerprint": "f-good.jpg", "digest": digest, "code": "", "row": -1
    }  # fmt: skip
    assert key == {"digest": digest, "code": "", "row": 0, "phash": prepared.phash}
    assert image == {
        "digest": digest, "image": prepared.jpeg, "width": 24, "height": 32, "phash": prepared.phash
    }  # fmt: skip


def test_equal_bytes_are_prepared_once_and_rows_count_good_photos_only(preparer: Preparer) -> None:
    tables = unit(preparer, "text.jpg", "good.jpg", "copy.jpg")
    assert [(key["code"], key["row"]) for key in tables.image_keys.to_pylist()] == [("not_an_image", -1), ("", 0)]
    assert tables.image_data.num_rows == 1
    assert [row["code"] for row in tables.sources.to_pylist()] == ["", "", ""]


def test_bytes_that_are_prepared_already_are_a_source_only(preparer: Preparer) -> None:
    tables = unit(preparer, "good.jpg", known=hashlib.sha256(GOOD).digest())
    assert tables.sources["digest"].to_pylist() == [hashlib.sha256(GOOD).digest()]
    assert (tables.image_keys.num_rows, tables.image_data.num_rows) == (0, 0)
    other = unit(preparer, "good.jpg", known=bytes(32))
    assert other.image_keys.num_rows == 1


@pytest.mark.parametrize(
    ("uri", "code", "fingerprint"),
    [
        ("nothing.jpg", "missing", "f-nothing.jpg"),
        ("folder.jpg", "not_a_file", "f-folder.jpg"),
        ("ftp://shop/a.jpg", "unsupported_scheme", "f-ftp://shop/a.jpg"),
        ("long.jpg", "too_large_bytes", "f-long.jpg bytes<=4000"),
        ("huge.png", "too_many_pixels", "f-huge.png pixels<=10000"),
        ("small.png", "too_small", "f-small.png side>=16"),
    ],
)
def test_what_is_refused_before_it_has_a_digest(preparer: Preparer, uri: str, code: str, fingerprint: str) -> None:
    tables = unit(preparer, uri)
    [source] = tables.sources.to_pylist()
    assert (source["code"], source["digest"], source["fingerprint"]) == (code, None, fingerprint)
    assert tables.image_keys.num_rows == 0


def test_a_read_error_is_tried_again_next_time(preparer: Preparer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    [source] = unit(preparer, "good.jpg").sources.to_pylist()
    assert (source["code"], source["fingerprint"]) == ("unreadable", "f-good.jpg unreadable")


def test_a_lack_of_memory_is_not_the_photos_fault(preparer: Preparer, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(path: Path) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Path, "read_bytes", no_memory)
    with pytest.raises(MemoryError):
        unit(preparer, "good.jpg")


def test_every_code_is_explained_and_limits_name_their_setting(preparer: Preparer) -> None:
    def explain(code: str) -> str:
        return preparer.explain("good.jpg", code)

    assert all(explain(code) for code in (*CODES, *FETCH_CODES, *MEANINGS))
    assert explain("too_many_pixels").endswith("(preprocess.max_pixels)")
    assert explain("too_small").endswith("(preprocess.min_side)")
    assert explain("too_large_bytes").endswith("(preprocess.max_bytes)")
    assert "(" not in explain("truncated")


@pytest.mark.parametrize(
    ("uri", "code", "detail"),
    [
        ("phone.jpg", "unsupported_format", ": HEIC; convert it to JPEG, PNG or WebP"),
        ("huge.png", "too_many_pixels", " (preprocess.max_pixels): 200 x 200 pixels, the limit is 10000 in all"),
        ("long.jpg", "too_large_bytes", f" (preprocess.max_bytes): {len(GOOD) + 4000} bytes, the limit is 4000"),
        ("lost.jpg", "missing", "there is nothing at the uri: {root}/lost.jpg"),
    ],
)
def test_an_explanation_tells_what_it_is_in_this_photo(
    preparer: Preparer, tmp_path: Path, uri: str, code: str, detail: str
) -> None:
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    said = preparer.explain(uri, code)
    assert said.endswith(detail.replace("{root}", str(tmp_path)))


def test_a_fingerprint_changes_with_size_and_time(tmp_path: Path) -> None:
    fetcher = Fetcher(str(tmp_path), 1000)
    assert fetcher.fingerprint("a.jpg") == fetcher.fingerprint("http://a/b.jpg") == "missing"
    path = tmp_path / "a.jpg"
    path.write_bytes(b"123")
    first = fetcher.fingerprint("a.jpg")
    assert first == f"3-{path.stat().st_mtime_ns}"
    path.write_bytes(b"1234")
    assert fetcher.fingerprint("a.jpg") != first
    assert fetcher.fingerprint("a\0.jpg") == fetcher.fingerprint("x" * 5000) == "missing"


@pytest.mark.parametrize(("uri", "code"), [("x" * 5000, "unreadable"), ("a\0.jpg", "missing"), ("", "not_a_file")])
def test_strange_paths_are_rejects(tmp_path: Path, uri: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        Fetcher(str(tmp_path), 1000).fetch(uri)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("uri", "is_of_the_host"), [("/images/x.jpg", True), ("images/x.jpg", False), ("//o/x", False)]
)
def test_a_path_from_the_root_of_a_host_is_told_with_the_key_for_another_start(uri: str, is_of_the_host: bool) -> None:
    fetcher = Fetcher("https://cdn.shop/media", 4000)
    said = Preparer(fetcher, SPEC, Limits(4000, 10_000, 16), 2, FetchSection()).explain(uri, "missing")
    assert ('catalogue.photo_prefix = "/"' in said) == is_of_the_host
