"""What only a folder has: temporary files, disks that fill up, and folders that may not be written."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.store import StoreError, UnusableError, folder
from pipelines.store.folder import FolderStore
from trainer.files import is_plain

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
    assert store.sweep_temporary(3600, time.time(), dry_run=True) == 1
    assert store.sweep_temporary(3600, time.time()) == 1
    assert store.sweep_temporary(3600, time.time(), dry_run=True) == 0
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


def without(code: int):
    """A call that the file system does not know."""

    def refuse(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])  # exFAT, network shares, FUSE
def test_where_there_are_no_hard_links_objects_are_created_once_by_renames(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", without(code))
    store.check()
    assert store.create("a/b.txt", b"first") is True
    assert store.create("a/b.txt", b"second") is False
    assert store.read("a/b.txt") == b"first"
    assert hidden(store) == []


def test_where_there_are_neither_no_store_is_kept(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", without(errno.EPERM))
    monkeypatch.setattr(folder, "_rename_once", without(errno.ENOTSUP))
    with pytest.raises(UnusableError, match=r"has neither hard links nor renames that keep .* or gs://BUCKET/PREFIX"):
        store.check()
    assert list(store.root.iterdir()) == []


def test_a_rename_that_the_kernel_does_not_know_is_not_supported(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", without(errno.EPERM))
    monkeypatch.setattr(folder.ctypes, "CDLL", lambda *_, **__: object())
    with pytest.raises(UnusableError):
        store.check()


def test_a_folder_that_cannot_be_written_is_not_unusable(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_write", without(errno.EROFS))
    with pytest.raises(StoreError, match="give this user write access to the store") as caught:
        store.check()
    assert not isinstance(caught.value, UnusableError)


@pytest.mark.parametrize("name", [b"sto[r]e v2", b"a*b", b"what?", b"{a,b}", b"back\\slash", b"caf\xe9"])
def test_libraries_see_a_path_that_is_no_pattern_to_them(tmp_path: Path, name: bytes) -> None:
    store = FolderStore(tmp_path / os.fsdecode(name))
    store.create("models/m1/saved_model/variables.index", b"7")
    with store.stage_in("models/m1") as path:
        assert is_plain(str(path))
        assert path.name == "m1"
        assert (path / "saved_model" / "variables.index").read_bytes() == b"7"
    assert store.read("models/m1/saved_model/variables.index") == b"7"


@pytest.mark.parametrize("name", ["store", "blank and ö", "50%25", "a#b"])
def test_other_paths_are_seen_as_they_are(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / name)
    store.create("models/m1.json", b"7")
    with store.stage_in("models/m1.json") as path:
        assert path == tmp_path / name / "models/m1.json"


def test_a_file_system_without_locks_keeps_no_store(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder.fcntl, "flock", without(errno.ENOLCK))
    with pytest.raises(
        UnusableError, match=r"cannot lock .*/\.lock \(No locks available\); use a folder of a local disk"
    ):
        store.check()
