"""Resolve `requirements/*.in` into the lock files.

    python -m tools.lock [--upgrade] [--upgrade-package NAME ...]

Owns the options of the resolution. A version in a lock is kept while it still fits; more options go to uv as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools import host, installer
from tools.setup_env import ROOT, cache_folder
from tools.wheels import BUILT_FOR

NAMES = ("pipeline", "serving", "gpu", "dev", "airflow")
# Their source distributions need build systems of their own, which no set-up should ask for.
_WHEELS_ONLY = (
    "apache-beam",
    "faiss-cpu",
    "grpcio",
    "ml-metadata",
    "numpy",
    "pyarrow",
    "tensorflow",
    "tensorflow-data-validation",
    "tfx-bsl",
)


def main(options: list[str]) -> int:
    """Rewrite the lock files; return the exit code."""
    try:
        tool = installer.Installer.find(Path(sys.executable), cache_folder(), {})
        for name in NAMES:
            tool.compile(ROOT / "requirements", name, [*resolution_options(), *options])
    except (host.HostError, installer.InstallError, OSError) as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    return 0


def resolution_options() -> list[str]:
    """Return the options that make the result the same on every machine."""
    options = ["--python-version", ".".join(map(str, host.VERSION))]
    options += ["--python-platform", "x86_64-manylinux_{}_{}".format(*BUILT_FOR)]
    # Neither the command's own paths nor the index used belong in a file that others read.
    options += ["--custom-compile-command", "make lock", "--no-emit-index-url", "--no-emit-find-links"]
    for package in _WHEELS_ONLY:
        options += ["--only-binary", package]
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
