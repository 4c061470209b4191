"""Names that lead to no photo, and the ones that they may have meant."""

import unicodedata
from pathlib import Path

import pytest

from pipelines.shop_files.fetch import Fetcher, FetchError

COMPOSED, APART = (unicodedata.normalize(form, "Möbel.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("uri", "there"),
    [
        ("a\\b\\x.jpg", "a/b/x.jpg"), ("a%20b/x.jpg", "a b/x.jpg"), ("a%20b\\x.jpg", "a b/x.jpg"), (APART, COMPOSED),
        (COMPOSED, APART), ("x.jpg?v=2", "x.jpg"), ("/a/x.jpg", "a/x.jpg"), ("X.JPG", "x.jpg"), ("a/x.jpg", "a/X.JPG"),
        ("x", "x.jpg"), ("x.png", "x.jpg"), ("a\\X.jpg", "a/X.jpg"),
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


@pytest.mark.parametrize(
    ("uri", "there"),
    [
        ("IMG_1.jpg", "IMG_1.JPG"), ("bilder/Rot/a.JPG", "Bilder/rot/A.jpg"), (APART, COMPOSED), (COMPOSED, APART),
        ("STRASSE.jpg", "straße.JPG"),
    ],
)  # fmt: skip
def test_a_photo_is_read_whose_names_differ_in_case_alone(tmp_path: Path, uri: str, there: str) -> None:
    """As Windows and macOS have it, where such feeds are made; a photo that changes is another one all the same."""
    fetcher, path = Fetcher(str(tmp_path), 100), tmp_path / there
    assert fetcher.fingerprint(uri) == "missing"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"photo")
    assert fetcher.fetch(uri) == b"photo"
    assert fetcher.fingerprint(uri) == fetcher.fingerprint(there) != "missing"
    path.write_bytes(b"another")
    assert (fetcher.fetch(uri), fetcher.fingerprint(uri)) == (b"another", fetcher.fingerprint(there))
    path.unlink()
    assert fetcher.fingerprint(uri) == "missing"


def test_a_name_as_it_is_written_counts_first_and_several_alike_are_none(tmp_path: Path) -> None:
    for name in ("A.jpg", "a.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    fetcher = Fetcher(str(tmp_path), 100)
    assert (fetcher.fetch("a.jpg"), fetcher.fetch("A.jpg")) == (b"a.jpg", b"A.jpg")
    assert fetcher.fingerprint("A.JPG") == "missing"
    assert fetcher.near("A.JPG") == "A.jpg"


def test_another_spelling_leads_out_of_the_folder_of_photos_no_more_than_a_name_does(tmp_path: Path) -> None:
    (tmp_path / "Secret.jpg").write_bytes(b"secret")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/Link.jpg").symlink_to(tmp_path / "Secret.jpg")
    fetcher = Fetcher(str(tmp_path / "photos"), 100)
    for uri in ("link.jpg", "../secret.jpg", str(tmp_path / "secret.jpg")):
        with pytest.raises(FetchError, match="outside_roots"):
            fetcher.fetch(uri)
        assert fetcher.fingerprint(uri) == "missing"
