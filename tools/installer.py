"""Install locked packages with uv.

Owns how uv is got and called. It knows nothing of which packages are installed, nor when.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

UV_VERSION = "0.13.9"
_UV_NAME_OF = {"cert": "SSL_CERT_FILE", "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX"}


class InstallError(RuntimeError):
    """A command of the set-up failed."""


@dataclass(frozen=True)
class Installer:
    """uv, bound to one environment; `environment` holds the variables it is called with."""

    uv: str
    python: Path
    environment: dict[str, str]

    @classmethod
    def find(cls, python: Path, cache: Path, extra: dict[str, str]) -> Installer:
        """Bind the uv on PATH, or one kept in the cache, to the environment that `python` belongs to."""
        uv = _working_uv() or str(_fetch_uv(python, cache))
        environment = {**pip_settings(python), "UV_CACHE_DIR": str(cache / "uv"), **os.environ, **extra}
        return cls(uv, python, environment)

    def sync(self, locks: Sequence[Path], wheelhouse: Optional[Path]) -> None:
        """Make the environment hold exactly what the lock files name, wheels in `wheelhouse` first."""
        links = ["--find-links", str(wheelhouse)] if wheelhouse else []
        self._call("sync", *links, *map(str, locks))

    def install_editable(self, project: Path) -> None:
        """Install a project from its own folder, without its dependencies: the lock has named them."""
        self._call("install", "--no-deps", "--no-build-isolation", "--editable", str(project))

    def compile(self, folder: Path, name: str, options: Sequence[str]) -> None:
        """Resolve `<name>.in` of a folder into `<name>.txt`, keeping the versions there that still fit."""
        self._call("compile", *options, f"{name}.in", "--output-file", f"{name}.txt", folder=folder)

    def _call(self, verb: str, *arguments: str, folder: Optional[Path] = None) -> None:
        command = [self.uv, "pip", verb, "--quiet", "--no-config", "--python", str(self.python), *arguments]
        run(command, self.environment, folder)


def pip_settings(python: Path) -> dict[str, str]:
    """Return, as uv's variables, where pip is told to download from: uv does not read pip's files.

    A company's own index or certificate is set there on many machines.
    """
    listed = subprocess.run([str(python), "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)
    settings = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        variable = _UV_NAME_OF.get(name.rpartition(".")[2])
        if variable:
            settings[variable] = value.strip("'\"")
    return settings


def run(command: Sequence[str], environment: Optional[dict[str, str]] = None, folder: Optional[Path] = None) -> None:
    """Run a command in a folder, its output shown.

    Raises:
        InstallError: it did not exit with 0.
    """
    code = subprocess.run(command, check=False, env=environment, cwd=folder).returncode
    if code != 0:
        raise InstallError(f"exit code {code} from: {' '.join(command)}")


def _working_uv() -> Optional[str]:
    """Return the uv on PATH if it runs: a version manager's shim may not."""
    uv = shutil.which("uv")
    if uv and subprocess.run([uv, "--version"], check=False, capture_output=True).returncode == 0:
        return uv
    return None


def _fetch_uv(python: Path, cache: Path) -> Path:
    """Return the uv kept in the cache, put there with pip at first use, whole or not at all."""
    home = cache / f"uv-{UV_VERSION}"
    if not home.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            target = Path(scratch, "uv")
            run(
                [
                    str(python),
                    "-m",
                    "pip",
                    "--quiet",
                    "--disable-pip-version-check",
                    "install",
                    "--target",
                    str(target),
                    f"uv=={UV_VERSION}",
                ]
            )
            try:
                os.rename(target, home)
            except OSError:  # another process was first
                if not home.is_dir():
                    raise
    return home / "bin" / "uv"
