"""A store in a local folder: temporary file beside, fsync, then a hard link, which fails when the name is taken.

Where the file system has no hard links (exFAT, some network shares) it is a rename that keeps what is there.
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, override

from pipelines.store.base import Entry, NotFoundError, Store, StoreError, UnusableError, check_name
from trainer.files import is_plain

TEMPORARY_PREFIX = ".tmp-"
LOCK = ".lock"
"""In the root: what a swap locks. It is never removed, for two processes could then hold locks of two files."""
ATTEMPTS = 100
"""How often a write makes its folder, when concurrent deletes keep removing it."""
NO_SUCH_CALL = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK)
"""What file systems answer that have no hard links, or no rename that keeps what is there."""
RENAME_NOREPLACE, AT_FDCWD = 1, -100
ANOTHER_PLACE = "use a folder of a local disk (ext4, xfs), of NFS, or gs://BUCKET/PREFIX"


class FolderStore(Store):
    """A store in one folder of a local or shared file system."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.uri = str(self.root)

    def __reduce__(self) -> tuple[type[FolderStore], tuple[Path]]:
        return FolderStore, (self.root,)

    def path(self, name: str) -> Path:
        """Return the local path of a name. Raises StoreError for a name that would leave the store."""
        return self.root.joinpath(*check_name(name).split("/"))

    @override
    def check(self) -> None:
        first, second = (self.root / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}" for _ in range(2))
        try:
            _make_folder(self.root)
            _write(first, b"")
            _create_once(first, second)
            with self._locked():
                pass
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                raise UnusableError(
                    f"the file system of {self.root} has neither hard links nor renames that keep what is there, so "
                    f"two runs could overwrite each other's files; {ANOTHER_PLACE}"
                ) from error
            raise _explain(error, self.root) from error
        finally:
            for path in (first, second):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    @override
    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    @override
    def open(self, name: str) -> BinaryIO:
        try:
            return self.path(name).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFoundError(f"{self.uri} holds no object {name!r}") from error

    @override
    def create(self, name: str, data: bytes) -> bool:
        return self._publish(name, lambda temporary: _write(temporary, data), _create_once)

    @override
    def create_from(self, name: str, path: Path) -> bool:
        return self._publish(name, lambda temporary: _copy(path, temporary), _create_once)

    @override
    def put(self, name: str, data: bytes) -> None:
        self._publish(name, lambda temporary: _write(temporary, data), os.replace)

    @override
    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        with self._locked():
            try:
                held: bytes | None = self.read(name)
            except NotFoundError:
                held = None
            if held != expected:
                return False
            if data is None:
                self.delete(name)
            else:
                self.put(name, data)
        return True

    @override
    def exists(self, name: str) -> bool:
        return self.path(name).is_file()

    @override
    def list(self, prefix: str) -> Iterator[Entry]:
        start = self.path(prefix) if prefix else self.root
        for folder, _, files in os.walk(start):
            within = Path(folder).relative_to(self.root).as_posix()
            above = "" if within == "." else f"{within}/"
            for file in files:
                if file.startswith(TEMPORARY_PREFIX) or above + file == LOCK:
                    continue
                with suppress(FileNotFoundError):  # deleted while we list
                    status = os.stat(f"{folder}/{file}")  # a Path for each takes six times as long
                    yield Entry(above + file, status.st_size, status.st_mtime)

    @override
    def folders(self, prefix: str) -> builtins.list[str]:
        start = self.path(prefix) if prefix else self.root
        try:
            return sorted(path.name for path in start.iterdir() if path.is_dir())
        except (FileNotFoundError, NotADirectoryError):  # never there, or deleted while we look
            return []

    @override
    def delete(self, name: str) -> None:
        path = self.path(name)
        path.unlink(missing_ok=True)
        for parent in path.parents:  # a folder without objects does not exist in a bucket either
            if parent == self.root:
                break
            try:
                parent.rmdir()
            except OSError:
                break

    @override
    @contextmanager
    def stage_in(self, name: str) -> Iterator[Path]:
        path = self.path(name)
        if not path.exists():
            raise NotFoundError(f"{self.uri} holds no object or folder {name!r}")
        if is_plain(str(path)):
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="visual-search-") as folder:
            link = Path(folder, path.name)
            link.symlink_to(path)
            yield link

    def sweep_temporary(self, older_than_s: float, now: float, *, dry_run: bool = False) -> int:
        """Remove temporary files that killed processes left behind, or only count them; return how many."""
        found = 0
        for folder, _, files in os.walk(self.root):
            for path in (Path(folder, file) for file in files if file.startswith(TEMPORARY_PREFIX)):
                with suppress(FileNotFoundError):
                    if now - path.stat().st_mtime > older_than_s:
                        if not dry_run:
                            path.unlink()
                        found += 1
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other swaps out, of this process and of others, on whatever machine the folder is mounted."""
        path = self.root / LOCK
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = path.open("ab")
        except OSError as error:
            raise _explain(error, path) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise UnusableError(f"cannot lock {path} ({error.strerror}); {ANOTHER_PLACE}") from error
            yield

    def _publish(self, name: str, write: Callable[[Path], None], publish: Callable[[Path, Path], None]) -> bool:
        target = self.path(name)
        temporary = target.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    _make_folder(target.parent)
                    write(temporary)
                    publish(temporary, target)
                    break
                except FileNotFoundError:  # a concurrent delete removed the folder while it was still empty
                    if attempt == ATTEMPTS:
                        raise
            return True
        except FileExistsError:
            return False
        except OSError as error:
            raise _explain(error, target) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _create_once(temporary: Path, target: Path) -> None:
    """Give a file a name that is free. Raises FileExistsError if it is not, OSError ENOTSUP if that cannot be known."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise
        _rename_once(temporary, target)


def _rename_once(temporary: Path, target: Path) -> None:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    source, wanted = os.fsencode(temporary), os.fsencode(target)
    if rename is not None and rename(AT_FDCWD, source, AT_FDCWD, wanted, RENAME_NOREPLACE) == 0:
        return
    code = errno.ENOSYS if rename is None else ctypes.get_errno()
    code = errno.ENOTSUP if code in NO_SUCH_CALL else code
    raise OSError(code, os.strerror(code), str(target))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # never let through: to the caller it would mean that the new name is taken
        if folder.is_file():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is an object, not a folder") from error
        raise FileNotFoundError(errno.ENOENT, "a concurrent delete removed the folder", str(folder)) from error


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _copy(source: Path, path: Path) -> None:
    with source.open("rb") as reader, path.open("wb") as file:
        shutil.copyfileobj(reader, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _explain(error: OSError, target: Path) -> StoreError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreError(f"no space left on the device for {target}; free some (`visual-search gc`) and run again")
    if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
        return StoreError(f"cannot write {target} ({error.strerror}); give this user write access to the store")
    return StoreError(f"cannot write {target}: {error.strerror or error}")
