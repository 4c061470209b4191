"""The project as a package for workers that install it: what `setup.py` of a checkout packs, made once a process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from pipelines.errors import StageError

_made: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends


@cache
def package(setup_file: str) -> Path:
    """Return the source distribution of a project. Raises StageError when there is none to make it of, or it fails."""
    if not Path(setup_file).is_file():
        raise StageError(f"beam.flink.setup_file = {setup_file!r}: there is no such file; name a checkout's setup.py")
    _made.append(tempfile.TemporaryDirectory(prefix="visual-search-package-"))
    folder = _made[-1].name
    options = ["--no-isolation", "--sdist", "--outdir", folder]  # isolated, it would download what is there already
    command = [sys.executable, "-m", "build", *options, str(Path(setup_file).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError(f"beam.flink.setup_file = {setup_file!r} cannot be packed: {done.stderr.strip()}")
    return next(Path(folder).glob("*.tar.gz"))
