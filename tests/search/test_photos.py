"""Query photos: which files a folder gives, and the order they come in."""

import errno
import os
from pathlib import Path

import pytest

from pipelines.search.photos import list_queries, prepare_queries
from transforms.photo import Limits, PrepSpec


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in list_queries([folder])]


def test_a_folder_gives_the_files_below_it_sorted_whatever_they_are_called(tmp_path: Path) -> None:
    folder, empty = tmp_path / "photos", tmp_path / "empty"
    kept = ["-k.jpg", "a/deep/y.tiff", "a/z.png", "b.JPG", "c.jfif", "noname", "notes.txt"]
    write(*(folder / name for name in kept), folder / "a/.hidden.jpg", folder / ".git/c.jpg")
    empty.mkdir()
    alone = folder / "notes.txt"
    assert list(list_queries([alone, empty])) == [alone, empty]
    assert names(folder) == kept


def test_nothing_in_a_folder_is_left_out_for_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write(folder / "a.jpg", tmp_path / "elsewhere" / "b.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "broken.jpg").symlink_to("none")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    assert names(folder) == ["a.jpg", "broken.jpg", "link/b.jpg", "pipe.jpg"]
    (batch,) = prepare_queries(list_queries([folder]), PrepSpec(32, 32), Limits(), 9)
    assert [photo.code for photo in batch] == ["empty", "missing", "empty", "not_a_file"]


def test_a_folder_that_cannot_be_read_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.jpg", tmp_path / "closed" / "b.jpg")
    scan, access, closed = os.scandir, os.access, str(tmp_path / "closed")

    def refusing(path: str) -> object:
        if os.fspath(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != closed and access(path, mode))
    assert names(tmp_path) == ["a.jpg", "closed"]
    (batch,) = prepare_queries([tmp_path / "closed"], PrepSpec(32, 32), Limits(), 9)
    assert (batch[0].code, batch[0].detail) == ("unreadable", "the folder's permissions are in the way")


def test_a_name_that_is_too_long_is_that_query_s_error(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".jpg")
    assert list(list_queries([path])) == [path]
    (batch,) = prepare_queries([path], PrepSpec(32, 32), Limits(), 9)
    assert batch[0].code == "unreadable"
    assert "File name too long" in batch[0].detail


def test_a_hidden_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    (tmp_path / ".photos").mkdir()
    (tmp_path / ".photos" / "a.jpg").write_bytes(b"")
    assert list(list_queries([tmp_path / ".photos"])) == [tmp_path / ".photos" / "a.jpg"]


def test_batches_keep_the_order_and_limits_hold(shop) -> None:
    limits = Limits(min_side=100)  # the photos are 90 x 120
    batches = list(prepare_queries(shop.photos[:4], PrepSpec(32, 32), limits, 2))
    assert [[photo.query for photo in batch] for batch in batches] == [
        [str(path) for path in shop.photos[start : start + 2]] for start in (0, 2)
    ]
    assert {photo.code for batch in batches for photo in batch} == {"too_small"}
