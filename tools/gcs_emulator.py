"""Build fake-gcs-server, an emulator of Google Cloud Storage, and print where it is.

    python -m tools.gcs_emulator

Built once with Go, and kept beside the other downloads. Exit codes: 0 done, 1 failed, 2 the machine has no Go.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.host import HostError
from tools.installer import InstallError
from tools.setup_env import cache_folder

MODULE, VERSION = "github.com/fsouza/fake-gcs-server", "v1.56.1"


def main() -> int:
    """Print the path of the program, or say why there is none; return the exit code."""
    try:
        print(build(cache_folder()))
    except (HostError, InstallError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2 if isinstance(error, HostError) else 1
    return 0


def build(cache: Path) -> Path:
    """Return the program, built at first use, whole or not at all. Raises HostError without Go, and InstallError."""
    program = cache / f"fake-gcs-server-{VERSION}"
    if program.is_file():
        return program
    go = shutil.which("go")
    if go is None:
        raise HostError("fake-gcs-server is built with Go, and there is no `go` on PATH: install Go 1.21 or later")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        command = [go, "install", f"{MODULE}@{VERSION}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        os.replace(Path(folder, "fake-gcs-server"), program)
    return program


if __name__ == "__main__":
    sys.exit(main())
