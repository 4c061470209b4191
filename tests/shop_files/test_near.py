"""Names that lead to no photo, and the ones that they may have meant."""

import unicodedata
from pathlib import Path

import pytest

from pipelines.shop_files.fetch import Fetcher

COMPOSED, APART = (unicodedata.normalize(form, "Möbel.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("uri", "there"),
    [
        ("a\\b\\x.jpg", "a/b/x.jpg"), ("a%20b/x.jpg", "a b/x.jpg"), ("a%20b\\x.jpg", "a b/x.jpg"), (APART, COMPOSED),
        (COMPOSED, APART), ("x.jpg?v=2", "x.jpg"), ("/a/x.jpg", "a/x.jpg"), ("X.JPG", "x.jpg"), ("a/x.jpg", "a/X.JPG"),
        ("x", "x.jpg"), ("x.png", "x.jpg"), ("a\\X.jpg", "a/x.jpg"),
    ],
)  # fmt: skip
def test_a_name_that_was_meant_is_found(tmp_path: Path, uri: str, there: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"photo")
    assert Fetcher(str(tmp_path), 100).near(uri) == there


@pytest.mark.parametrize("uri", ["y.jpg", "b/x.jpg", "../x.jpg", "http://x/x.jpg", "a\0b", "x.jpg/y.jpg"])
def test_another_name_is_not(tmp_path: Path, uri: str) -> None:
    (tmp_path / "x.jpg").write_bytes(b"photo")
    assert Fetcher(str(tmp_path / "."), 100).near(uri) == ""
