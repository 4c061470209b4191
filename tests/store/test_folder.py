"""What only a folder has: temporary files, disks that fill up, and folders that may not be written."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.store import StoreError, folder
from pipelines.store.folder import FolderStore

WRITER = """
import sys
from pathlib import Path
from pipelines.store.folder import FolderStore
store, i = FolderStore(Path(sys.argv[1])), 0
print("ready", flush=True)
while True:
    store.create(f"k/{i}.bin", b"x" * 100_000)
    i += 1
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    mount = subprocess.run(command, capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def hidden(store: FolderStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.name.startswith(folder.TEMPORARY_PREFIX)]


def test_temporary_files_are_not_listed_and_are_swept_when_old(store: FolderStore) -> None:
    store.create("a/kept.txt", b"kept")
    old, new = (store.root / "a" / f"{folder.TEMPORARY_PREFIX}{name}" for name in ("old", "new"))
    for path, age_s in ((old, 7200), (new, 60)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    assert [entry.name for entry in store.list("")] == ["a/kept.txt"]
    assert store.sweep_temporary(3600, time.time()) == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_a_delete_removes_just_before_it_is_made_is_made_again(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, is_dir = store.root / "f" / "deep", Path.is_dir
    parent.mkdir(parents=True)

    def emptied(path: Path) -> bool:  # what `mkdir` asks when the folder is there already
        if path == parent:
            parent.rmdir()
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", emptied)
    assert store.create("f/deep/a.txt", b"a") is True
    assert store.read("f/deep/a.txt") == b"a"


def test_a_folder_that_deletes_remove_before_anything_is_in_it_is_made_again(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, write, deletes = store.root / "f" / "deep", folder._write, 3

    def late(path: Path, data: bytes) -> None:
        nonlocal deletes
        if deletes:
            deletes -= 1
            parent.rmdir()
        write(path, data)

    monkeypatch.setattr(folder, "_write", late)
    assert store.create("f/deep/a.txt", b"a") is True
    assert (deletes, store.read("f/deep/a.txt")) == (0, b"a")


def test_a_killed_writer_leaves_whole_objects_only(store: FolderStore) -> None:
    for delay_s in (0.05, 0.11):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(store.root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.kill()
        process.communicate()
    entries = list(store.list("k"))
    assert entries
    assert {entry.size_bytes for entry in entries} == {100_000}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["create", "put", "create_from"])
def test_no_space_left_says_so_and_leaves_nothing(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, call: str
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    source = tmp_path / "source"
    source.write_bytes(b"data")
    monkeypatch.setattr(folder.os, "fsync", full)
    text = r"no space left on the device for .*big\.bin; free some \(`visual-search gc`\) and run again"
    with pytest.raises(StoreError, match=text):
        getattr(store, call)("t/big.bin", source if call == "create_from" else b"data")
    assert not store.exists("t/big.bin")
    assert hidden(store) == []


def test_a_disk_that_is_really_full(tiny_disk: Path) -> None:
    store = FolderStore(tiny_disk / "store")
    store.create("small.bin", b"x" * 1000)
    with pytest.raises(StoreError, match=r"no space left on the device for .*big\.bin"):
        store.create("big.bin", b"x" * 1_000_000)
    assert [entry.name for entry in store.list("")] == ["small.bin"]
    assert hidden(store) == []
    assert store.create("next.bin", b"x" * 1000)


def test_a_folder_that_may_not_be_written(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(source: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(folder.os, "link", forbidden)
    with pytest.raises(StoreError, match=r"cannot write .*x\.bin \(Permission denied\); give this user write access"):
        store.create("x.bin", b"")


def test_a_source_that_is_gone(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*x\.bin: No such file"):
        store.create_from("x.bin", tmp_path / "gone")
    assert hidden(store) == []


def test_an_object_under_an_object_is_an_error_and_not_a_lost_race(store: FolderStore) -> None:
    store.create("a", b"object")
    for write in (store.create, store.put):
        for name in ("a/b", "a/b/c"):
            with pytest.raises(StoreError, match="cannot write"):
                write(name, b"x")
