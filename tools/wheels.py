"""Repair the two wheels that need a newer Linux than many machines have.

Owns which wheels those are and how a wheel is rewritten; what changes inside a shared object is `tools.elf`'s business.
`ml-metadata` and `tensorflow-data-validation` 1.21 are built for glibc 2.39. Where glibc is older, they are downloaded,
checked against the digests in `requirements/repaired.txt`, repaired, and kept in the cache; elsewhere nothing is done.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Iterable, Optional

from tools.elf import ElfError, relax

BUILT_FOR = (2, 39)
REPAIRED_FOR = (2, 34)
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)


class WheelError(RuntimeError):
    """A wheel that could not be fetched or repaired."""


def tag(glibc: tuple[int, int]) -> str:
    """Return the platform tag of wheels for a glibc version."""
    return "manylinux_{}_{}_x86_64".format(*glibc)


def needs_repair(glibc: tuple[int, int]) -> bool:
    """Tell whether the published wheels do not load with this glibc."""
    return glibc < BUILT_FOR


def prepare_wheelhouse(python: Path, requirements: Path, cache: Path, glibc: tuple[int, int]) -> Optional[Path]:
    """Return a folder with the repaired wheels, made at first use; None where the published ones load as they are.

    The folder's name holds the digest of the requirements and of this code, so that a change of either makes a new one.

    Args:
        python: an interpreter that has pip; the wheels are those of its version.
        requirements: names, versions and digests of the published wheels.
        cache: the folder under which the result is kept.
        glibc: the running system's version.

    Raises:
        WheelError: a wheel could not be downloaded or repaired.
    """
    if not needs_repair(glibc):
        return None
    house = cache / "wheelhouse" / _recipe_digest(requirements)
    if house.is_dir():
        return house
    house.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=house.parent) as scratch:
        download, repaired = Path(scratch, "download"), Path(scratch, "repaired")
        _download(python, requirements, download)
        repaired.mkdir()
        for wheel in sorted(download.glob("*.whl")):
            check_loads(python, repair_wheel(wheel, repaired))
        _publish(repaired, house)
    return house


def repair_wheel(wheel: Path, folder: Path) -> Path:
    """Write the repaired and retagged copy of a wheel into a folder and return its path.

    Equal input gives equal bytes: entries keep their order and get a fixed time.

    Raises:
        WheelError: a shared object in it cannot be repaired; the message names the wheel and the object.
    """
    with zipfile.ZipFile(wheel) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        contents = {entry.filename: _repair_entry(wheel, entry.filename, archive.read(entry)) for entry in entries}
    record = next(name for name in contents if name.endswith(".dist-info/RECORD"))
    contents[record] = _render_record(record, contents.items())
    target = folder / wheel.name.replace(tag(BUILT_FOR), tag(REPAIRED_FOR))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.filename, _FIXED_TIME)
            info.external_attr, info.compress_type = entry.external_attr, zipfile.ZIP_DEFLATED
            archive.writestr(info, contents[entry.filename], compresslevel=1)
    return target


def check_loads(python: Path, wheel: Path) -> None:
    """Load every shared object of a wheel in a process of its own.

    Raises:
        WheelError: one does not load; the message holds the loader's own.
    """
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as scratch:
        objects = [archive.extract(name, scratch) for name in archive.namelist() if name.endswith(".so")]
        program = "import ctypes, sys; [ctypes.CDLL(path) for path in sys.argv[1:]]"
        command = [str(python), "-c", program, *objects]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise WheelError(f"{wheel.name} does not load on this system after its repair: {done.stderr.splitlines()[-1]}")


def _repair_entry(wheel: Path, name: str, content: bytes) -> bytes:
    if name.endswith(".so"):
        try:
            return relax(content)[0]
        except ElfError as error:
            raise WheelError(f"{wheel.name}: {name}: {error}") from error
    if name.endswith(".dist-info/WHEEL"):
        return content.replace(tag(BUILT_FOR).encode(), tag(REPAIRED_FOR).encode())
    return content


def _render_record(record: str, contents: Iterable[tuple[str, bytes]]) -> bytes:
    lines = []
    for name, content in contents:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},," if name == record else f"{name},sha256={digest},{len(content)}")
    return ("\n".join(lines) + "\n").encode()


def _download(python: Path, requirements: Path, folder: Path) -> None:
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--require-hashes"]
    command += ["--no-deps", "--only-binary", ":all:", "--platform", tag(BUILT_FOR)]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    if subprocess.run(command, check=False).returncode != 0:
        raise WheelError(f"pip could not download the wheels of {requirements}: its own message is above")


def _recipe_digest(requirements: Path) -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in (requirements, here / "elf.py", here / "wheels.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _publish(folder: Path, target: Path) -> None:
    """Move a finished folder to its place; keep what another process put there meanwhile."""
    try:
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise
