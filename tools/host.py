"""Find on the running machine what a set-up cannot install by itself.

Owns where interpreters and compilers are looked for, and what to tell a person who lacks one. It changes nothing.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from tools.wheels import REPAIRED_FOR

VERSION = (3, 12)
_PROBE = """
import importlib.util, json, os, sys, sysconfig
print(json.dumps({
    "version": sys.version_info[:3],
    "executable": getattr(sys, "_base_executable", sys.executable),
    "headers": sysconfig.get_path("include"),
    "seeds": importlib.util.find_spec("ensurepip") is not None,
}))
"""
_GET_PYTHON = """\
  Ubuntu 24.04:      apt-get install python3.12 python3.12-venv python3.12-dev
  Fedora:            dnf install python3.12 python3.12-devel
  with pyenv:        pyenv install 3.12
  with uv:           uv python install 3.12
It is looked for in VISUAL_SEARCH_PYTHON, on PATH, among pyenv's versions and uv's."""
_GET_COMPILER = """\
  Debian, Ubuntu:    apt-get install g++
  Fedora:            dnf install gcc-c++"""
_C_COMPILERS = {"g++": "gcc", "clang++": "clang", "c++": "cc"}


class HostError(RuntimeError):
    """The machine lacks something that only its owner can install; the message says what and how."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs; `headers` is the folder where its `Python.h` should be."""

    executable: Path
    version: tuple[int, ...]
    headers: Path
    has_pip: bool

    @property
    def lacks(self) -> Optional[str]:
        """What is missing to build an environment with it, and how to get it; None when nothing is."""
        if not (self.headers / "Python.h").is_file():
            return f"its C headers ({self.headers / 'Python.h'}): apt-get install python3.12-dev"
        if not self.has_pip:
            return "the module ensurepip: apt-get install python3.12-venv"
        return None


def find_interpreter() -> Interpreter:
    """Return the first complete Python 3.12 of the machine.

    Raises:
        HostError: there is none, or the only ones lack headers or pip.
    """
    lacking, silent = [], ""
    for candidate in dict.fromkeys(_candidates()):
        found = probe(candidate)
        if found is None and candidate != sys.executable:
            silent = f" ({candidate} is there, but does not run)"
        if found is None or found.version[:2] != VERSION:
            continue
        if found.lacks is None:
            return found
        lacking.append(f"{found.executable} is Python 3.12, but lacks {found.lacks}")
    if lacking:
        raise HostError("\n".join(lacking))
    raise HostError(f"Python 3.12 was not found{silent}. To get it:\n{_GET_PYTHON}")


def probe(executable: str) -> Optional[Interpreter]:
    """Ask an interpreter what it is; None when it does not run, as pyenv's shims of versions not selected do."""
    try:
        done = subprocess.run([executable, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Interpreter(Path(facts["executable"]), tuple(facts["version"]), Path(facts["headers"]), facts["seeds"])


def _candidates() -> Iterator[str]:
    chosen = os.environ.get("VISUAL_SEARCH_PYTHON")
    if chosen:
        found = probe(chosen)
        if found is None or found.version[:2] != VERSION:
            raise HostError(f"VISUAL_SEARCH_PYTHON={chosen} is no Python 3.12 that runs: set it to one, or unset it")
        yield chosen
    yield sys.executable
    for folder in os.get_exec_path():
        path = os.path.join(folder, "python3.12")
        if os.access(path, os.X_OK):
            yield path
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    yield from sorted(
        glob.glob(os.path.join(glob.escape(pyenv), "versions", "3.12*", "bin", "python3.12")), reverse=True
    )
    uv = shutil.which("uv")
    if uv:
        command = [uv, "python", "find", "--system", "--no-project", "3.12"]
        asked = subprocess.run(command, check=False, capture_output=True, text=True)
        if asked.returncode == 0:
            yield asked.stdout.strip()


def find_compiler() -> str:
    """Return the path of a C++ compiler: `CXX`, or the first of the usual names.

    Raises:
        HostError: there is none.
    """
    names = [os.environ["CXX"]] if os.environ.get("CXX") else list(_C_COMPILERS)
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise HostError(f"a C++ compiler was not found (looked for {', '.join(names)}). To get one:\n{_GET_COMPILER}")


def check_compiler(compiler: str, interpreter: Interpreter) -> None:
    """Compile a line that needs the C++ library and Python's headers.

    Raises:
        HostError: it does not compile; the message holds the compiler's own.
    """
    command = [compiler, "-x", "c++", "-fsyntax-only", f"-I{interpreter.headers}", "-"]
    source = "#include <string>\n#include <Python.h>\n"
    done = subprocess.run(command, input=source, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise HostError(f"{compiler} cannot compile a line of C++:\n{done.stderr}To get a whole one:\n{_GET_COMPILER}")


def compiler_environment(compiler: str) -> dict[str, str]:
    """Return CC and CXX for the build of source distributions, the C compiler being the C++ compiler's sibling."""
    c_name = _C_COMPILERS.get(Path(compiler).name)
    c_compiler = os.environ.get("CC") or (shutil.which(c_name) if c_name else None)
    return {"CXX": compiler, "CC": c_compiler or compiler}


def check_platform() -> tuple[int, int]:
    """Return the glibc version of a machine for which TensorFlow and TFX publish wheels.

    Raises:
        HostError: it is not Linux on x86-64 with glibc 2.34 or later.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise HostError(
            f"{platform.system()} on {platform.machine()} has no TFX wheels: use Linux on x86_64, or a container"
        )
    library, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "no glibc").partition(" ")
    version = tuple(int(part) for part in number.split(".")[:2]) if library == "glibc" else (0, 0)
    if version < REPAIRED_FOR:
        needed = ".".join(map(str, REPAIRED_FOR))
        raise HostError(f"{library} {number} is too old: use a system with glibc {needed} or later, such as Debian 12")
    return version[0], version[1]


def check_space(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin what cannot end.

    Raises:
        HostError: the folder's file system has less free space than is needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise HostError(f"{folder} has {free / 1e9:.1f} GB free and {needed_bytes / 1e9:.1f} GB are needed: make room")
