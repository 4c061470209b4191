"""What uris name, and where photos may come from."""

from pathlib import Path

import pytest

from pipelines.shop_files.uri import UriError, absolute, address_of, is_relative, without_links


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("a/b.jpg", "/root/a/b.jpg"),
        ("/other/b.jpg", "/other/b.jpg"),
        ("12:30.jpg", "/root/12:30.jpg"),
        ("100%.jpg", "/root/100%.jpg"),
        ("a%20b.jpg", "/root/a%20b.jpg"),  # a path, no uri
        ("file:///a%20b/p%200.jpg", "/a b/p 0.jpg"),
        ("file://localhost/a/b.jpg", "/a/b.jpg"),
        ("FILE://LOCALHOST/a/b.jpg", "/a/b.jpg"),
        ("file:/a/b.jpg", "/a/b.jpg"),
        ("File:///a/%C3%BC.jpg", "/a/ü.jpg"),
        ("file:///a/%FC.jpg", "/a/\udcfc.jpg"),  # a name that is not UTF-8, as the file system knows it
        ("file:///a/b?c#d.jpg", "/a/b?c#d.jpg"),  # RFC 8089 knows neither queries nor fragments
        ("file:///a/100%.jpg", "/a/100%.jpg"),
        ("gs://bucket/a%20b.jpg", "gs://bucket/a%20b.jpg"),
        ("GS://bucket/A.jpg", "gs://bucket/A.jpg"),
    ],
)
def test_uris_name_paths_and_objects(uri: str, location: str) -> None:
    assert absolute(uri, "/root") == location


def test_relative_uris_start_in_a_bucket_too() -> None:
    assert absolute("a/b.jpg", "gs://shop/photos/") == "gs://shop/photos/a/b.jpg"
    assert absolute("file:///a.jpg", "gs://shop/photos") == "/a.jpg"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ftp://shop/a.jpg", "photos are read from paths, file://, gs://, https:// and http://"),
        ("//cdn.shop/a.jpg", "photos are read from"),
        ("data:image/png;base64,AAAA", "photos are read from"),
        ("SMB://nas/shop/a.jpg", "it is on a share of the machine 'nas'; mount that here"),
        ("file://nas/a.jpg", "it names the machine 'nas'; write file:///path, or mount what that has"),
        ("file://photos", "photos are read from"),
        ("file:a.jpg", "photos are read from"),
    ],
)
def test_what_is_read_from_nowhere(uri: str, said: str) -> None:
    with pytest.raises(UriError) as caught:
        absolute(uri, "/root")
    assert (caught.value.code, caught.value.detail[: len(said)]) == ("unsupported_scheme", said)


def test_which_uris_are_below_the_folder_of_photos() -> None:
    assert all(map(is_relative, ["a.jpg", "a/b.jpg", "12:30.jpg", "a//b.jpg"]))
    assert not any(map(is_relative, ["/a.jpg", "//a", "file:/a.jpg", "GS://b/a.jpg", "https://s/a.jpg", "data:,"]))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("photos/in", "more", "secret"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("photos/a.jpg", "more/b.jpg", "secret/key.jpg", "photos-old.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "photos/link.jpg").symlink_to(tmp_path / "secret/key.jpg")
    (tmp_path / "photos/folder").symlink_to(tmp_path / "secret")
    (tmp_path / "photos/good.jpg").symlink_to("in/../a.jpg")
    (tmp_path / "photos/more.jpg").symlink_to(tmp_path / "more/b.jpg")
    (tmp_path / "linked").symlink_to(tmp_path / "photos")
    return tmp_path


@pytest.mark.parametrize("path", ["photos/a.jpg", "photos/good.jpg", "photos/in/../a.jpg", "photos/none.jpg", "photos"])
@pytest.mark.parametrize("root", ["photos", "linked", "photos/", "secret/../photos"])
def test_what_is_below_a_root_links_followed(folders: Path, path: str, root: str) -> None:
    found = without_links(str(folders / path), [str(folders / root)])
    assert found == str((folders / path).resolve())
    assert without_links(str(folders / path).replace("photos", "linked", 1), [str(folders / root)]) == found


@pytest.mark.parametrize(
    "path",
    [
        "secret/key.jpg", "photos/../secret/key.jpg", "photos/link.jpg", "photos/folder/key.jpg", "photos-old.jpg",
        "photos/more.jpg",
    ],
)  # fmt: skip
def test_what_is_not(folders: Path, path: str) -> None:
    with pytest.raises(UriError) as caught:
        without_links(str(folders / path), [str(folders / "photos"), "gs://shop/photos"])
    assert caught.value.code == "outside_roots"
    assert caught.value.detail.endswith(f"is not below {folders}/photos or gs://shop/photos")
    if "link" in path:
        assert f"{folders}/photos/link.jpg, which is {folders}/secret/key.jpg, is not" in caught.value.detail


def test_another_root_may_be_allowed(folders: Path) -> None:
    roots = [str(folders / "photos"), str(folders / "more")]
    assert without_links(str(folders / "photos/more.jpg"), roots) == str(folders / "more/b.jpg")


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/dev/null"])
def test_the_systems_own_files_are_outside(folders: Path, path: str) -> None:
    with pytest.raises(UriError, match="outside_roots"):
        without_links(path, [str(folders)])


@pytest.mark.parametrize(
    ("uri", "inside"),
    [
        ("gs://shop/photos/a.jpg", True),
        ("gs://shop/photos/a/b.jpg", True),
        ("gs://shop/more/b.jpg", True),
        ("gs://other/photos/a.jpg", False),
        ("gs://shop/photos-old/a.jpg", False),
        ("gs://shop/photos/../secret/a.jpg", False),
        ("gs://shop/photos", False),
        ("/shop/photos/a.jpg", False),
    ],
)
def test_buckets_have_roots_too(uri: str, inside: bool) -> None:
    roots = ["gs://shop/photos/", "gs://shop/more"]
    if inside:
        assert without_links(uri, roots) == uri
        return
    with pytest.raises(UriError, match="outside_roots"):
        without_links(uri, roots)


@pytest.mark.parametrize(
    ("uri", "start", "address"),
    [
        ("a b.jpg", "https://cdn.shop/media/", "https://cdn.shop/media/a%20b.jpg"),
        ("/images/x y.jpg", "https://cdn.shop/media", "https://cdn.shop/images/x%20y.jpg"),  # as browsers have it
        ("/images/x.jpg?v=1", "http://cdn.shop:8080", "http://cdn.shop:8080/images/x.jpg?v=1"),
        ("//other.shop/x.jpg", "https://cdn.shop/media", "https://other.shop/x.jpg"),
        ("/images/x.jpg", "/photos", None),
        ("/images/x.jpg", "gs://shop/photos", None),
        ("file:///x.jpg", "https://cdn.shop/media", None),
    ],
)
def test_addresses(uri: str, start: str, address: str | None) -> None:
    assert address_of(uri, start) == address
