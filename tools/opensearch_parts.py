"""Get what one node of OpenSearch is made of, for the tests of exports: its jars and those of its k-NN plugin.

    python -m tools.opensearch_parts

prints the folder that they lie in. They come from Maven Central, by the coordinates of a POM, and are kept beside the
other downloads, whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.host import HostError
from tools.installer import InstallError
from tools.setup_env import ROOT, cache_folder

POM = ROOT / "tests" / "export" / "opensearch" / "pom.xml"


def main() -> int:
    """Print where the jars are, or say why there are none; return the exit code."""
    try:
        print(get(cache_folder()))
    except (HostError, InstallError) as error:
        print(f"opensearch: {error}", file=sys.stderr)
        return 2 if isinstance(error, HostError) else 1
    return 0


def get(cache: Path) -> Path:
    """Return the folder of jars, fetched at first use.

    Raises:
        HostError: there is no JDK (the node is started from its source) or no Maven.
        InstallError: a download failed.
    """
    kept = cache / f"opensearch-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if kept.is_dir():
        return kept
    for program, package in (("javac", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            raise HostError(f"OpenSearch needs `{program}`, which is not on PATH: apt-get install {package}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=str(cache)) as scratch:
        jars = Path(scratch, "jars")
        shutil.copy(str(POM), str(Path(scratch, "pom.xml")))
        _copy_dependencies(Path(scratch), jars)
        for archive in sorted(jars.glob("*.zip")):
            _unpack(archive, jars)
        try:
            os.rename(str(jars), str(kept))
        except OSError:  # another process was first
            if not kept.is_dir():
                raise
    return kept


def _copy_dependencies(folder: Path, jars: Path) -> None:
    command = ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
    done = subprocess.run(command, cwd=str(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InstallError(f"{' '.join(command)} failed: {' '.join(said[:3])}")


def _unpack(archive: Path, jars: Path) -> None:
    """Put a plugin's jars beside the others."""
    with zipfile.ZipFile(str(archive)) as plugin:
        for name in plugin.namelist():
            if name.endswith(".jar") and "/" not in name:
                (jars / name).write_bytes(plugin.read(name))
    archive.unlink()


if __name__ == "__main__":
    sys.exit(main())
