"""Fill an environment with what its lock files name, once.

    python3 -m tools.setup_env [pipeline | airflow | image | image-gpu | image-serving]

Owns the order of the steps and the stamp that says they are done. A set-up that was killed is begun anew, two at once
wait for each other, and one that has nothing to do returns at once. Downloads are kept under `VISUAL_SEARCH_CACHE`
(default `$XDG_CACHE_HOME/visual-search`), outside the checkout. Exit codes: 0 done, 1 failed, 2 the machine lacks
something.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence

from tools import host, installer, wheels

ROOT = Path(__file__).resolve().parent.parent
_STAMP = "set-up.json"


@dataclass(frozen=True)
class Environment:
    """One environment: its folder, its lock files, and whether what the pipeline imports and the project are there."""

    folder: str
    locks: tuple[str, ...]
    holds_libraries: bool
    holds_project: bool
    download: str
    needed_bytes: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """The files that decide what it holds."""
        libraries = ("requirements/repaired.txt",) if self.holds_libraries else ()
        project = ("setup.py", "pyproject.toml") if self.holds_project else ()
        return (*self.locks, *libraries, *project, "tools/*.py")


_LIBRARIES = "requirements/pipeline.txt"
PIPELINE = Environment(".venv", (_LIBRARIES, "requirements/dev.txt"), True, True, "about 1 GB", 4_000_000_000)
AIRFLOW = Environment(".venv-airflow", ("requirements/airflow.txt",), False, False, "about 100 MB", 1_000_000_000)
IMAGE = Environment(".venv", (_LIBRARIES,), True, False, "about 1 GB", 4_000_000_000)
"""What a container image holds: the project comes in a layer of its own (infra/images/Dockerfile)."""
IMAGE_GPU = Environment(".venv", (_LIBRARIES, "requirements/gpu.txt"), True, False, "about 4 GB", 8_000_000_000)
IMAGE_SERVING = Environment(".venv", ("requirements/serving.txt",), False, False, "about 700 MB", 3_000_000_000)
ENVIRONMENTS = {
    "pipeline": PIPELINE,
    "airflow": AIRFLOW,
    "image": IMAGE,
    "image-gpu": IMAGE_GPU,
    "image-serving": IMAGE_SERVING,
}


def main(arguments: Sequence[str]) -> int:
    """Set an environment up, or say why that is not possible; return the exit code."""
    name = arguments[0] if arguments else "pipeline"
    if name not in ENVIRONMENTS or len(arguments) > 1:
        return _fail(f"usage: python3 -m tools.setup_env [{' | '.join(ENVIRONMENTS)}]", 2)
    try:
        set_up(ROOT, cache_folder(), ENVIRONMENTS[name])
    except host.HostError as error:
        return _fail(str(error), 2)
    except (installer.InstallError, wheels.WheelError, OSError) as error:
        return _fail(str(error), 1)
    return 0


def set_up(root: Path, cache: Path, environment: Environment = PIPELINE) -> bool:
    """Make an environment below `root` hold what its lock files name; return False when it did already.

    Raises:
        HostError: the machine lacks an interpreter, a compiler, a library or room.
        InstallError, WheelError: a step failed; the next call begins anew.
    """
    if is_done(root, environment):
        return False
    with _alone(root):
        if is_done(root, environment):  # by the process that was waited for
            return False
        started = time.monotonic()
        _build(root, cache, environment)
        _say(f"done in {time.monotonic() - started:.0f} s")
    return True


def is_done(root: Path, environment: Environment) -> bool:
    """Tell whether the environment was finished, from the same inputs, at this place, and still has its interpreter."""
    venv = root / environment.folder
    stamp = _read_stamp(venv)
    return stamp is not None and stamp == _new_stamp(root, environment) and (venv / "bin" / "python").exists()


def inputs_digest(root: Path, environment: Environment = PIPELINE) -> str:
    """Return the sha256 of every file that decides what the environment holds."""
    digest = hashlib.sha256()
    for pattern in environment.inputs:
        for path in sorted(root.glob(pattern)):
            digest.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return where downloads and repaired wheels are kept between set-ups."""
    chosen = os.environ.get("VISUAL_SEARCH_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "visual-search"


def _build(root: Path, cache: Path, environment: Environment) -> None:
    glibc = host.check_platform()
    interpreter = host.find_interpreter()
    extra: dict[str, str] = {}
    if environment.holds_libraries:
        compiler = host.find_compiler()
        host.check_compiler(compiler, interpreter)
        extra = host.compiler_environment(compiler)
    cache.mkdir(parents=True, exist_ok=True)
    venv = root / environment.folder
    _prepare_venv(root, venv, interpreter, environment.needed_bytes)
    tool = installer.Installer.find(venv / "bin" / "python", cache, extra)
    house = None
    if environment.holds_libraries:
        house = wheels.prepare_wheelhouse(tool.python, root / "requirements" / "repaired.txt", cache, glibc)
    if house:
        _say(f"glibc {glibc[0]}.{glibc[1]}: two wheels repaired (docs/dependencies.md)")
    _say(f"installing the locked packages; the first time they are downloaded, {environment.download}")
    tool.sync([root / lock for lock in environment.locks], house)
    if environment.holds_project:
        tool.install_editable(root)
    _write_stamp(venv, _new_stamp(root, environment))


def _prepare_venv(root: Path, venv: Path, interpreter: host.Interpreter, needed_bytes: int) -> None:
    """Keep a finished environment of the same interpreter, to be brought up to date; make any other anew."""
    stamp = _read_stamp(venv)
    same = stamp is not None and stamp["root"] == str(root) and _base_of(venv) == interpreter.version
    if same:
        (venv / _STAMP).unlink()
        return
    _say(f"Python {'.'.join(map(str, interpreter.version))}: {interpreter.executable}")
    host.check_space(root, needed_bytes)
    if venv.is_symlink():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)
    installer.run([str(interpreter.executable), "-m", "venv", str(venv)])


def _base_of(venv: Path) -> Optional[tuple[int, ...]]:
    found = host.probe(str(venv / "bin" / "python"))
    return found.version if found else None


def _new_stamp(root: Path, environment: Environment) -> dict[str, str]:
    return {"root": str(root), "inputs": inputs_digest(root, environment)}


def _read_stamp(venv: Path) -> Optional[dict[str, str]]:
    try:
        stamp = json.loads((venv / _STAMP).read_text())
    except (OSError, ValueError):
        return None
    return dict(stamp)


def _write_stamp(venv: Path, stamp: dict[str, str]) -> None:
    """Write it beside and move it: the last act of a set-up, whole or not at all."""
    beside = venv / f"{_STAMP}.new"
    beside.write_text(json.dumps(stamp, indent=2) + "\n")
    os.replace(beside, venv / _STAMP)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock on the checkout's folder itself; the kernel drops it when the process dies."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another set-up of this checkout")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _say(line: str) -> None:
    print(f"set-up: {line}", file=sys.stderr, flush=True)


def _fail(message: str, code: int) -> int:
    _say(message)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
