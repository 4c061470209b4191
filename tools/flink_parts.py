"""Get what a Flink cluster of local processes is made of: Flink's jars, and Beam's job server for it.

    python -m tools.flink_parts

prints the folder of Flink's jars. Owns where all comes from and how it is kept: beside the other downloads, once, whole
or not at all. Flink's jars come from PyPI, in the package that PyFlink is started from; the job server comes from Maven
Central, by coordinates.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from tools.host import HostError
from tools.installer import InstallError
from tools.setup_env import cache_folder

FLINK = "apache-flink-libraries"
FLINK_VERSION = "1.19.3"
FLINK_SHA256 = "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60"
FLINK_JARS = ("flink-dist-", "log4j-")
"""Of its jars, those that a cluster needs which runs no SQL."""
OFFICIAL = "org.apache.beam:beam-runners-flink-1.19-job-server:2.77.0"
"""The job server that Beam publishes, of the workers' version."""
PARTS = "org.apache.beam:beam-runners-flink-1.19:2.62.0"
"""The runner that a job server can be made of, where a registry has its parts but not the jar above."""
POM = Path(__file__).resolve().parent.parent / "infra" / "flink" / "job-server.xml"


@dataclass(frozen=True)
class Parts:
    """Where the jars lie; `what` tells which job server it is."""

    flink: Path
    job_server: Path
    what: str


def main() -> int:
    """Print where Flink's jars are, or say why there are none; return the exit code."""
    try:
        print(get(cache_folder()).flink)
    except (HostError, InstallError) as error:
        print(f"flink: {error}", file=sys.stderr)
        return 2 if isinstance(error, HostError) else 1
    return 0


def get(cache: Path, wanted: str = "") -> Parts:
    """Return the parts, fetched at first use. `wanted` is the job server: a jar, or Maven coordinates.

    Without it the official one is taken, and where the registry lacks that, one is made of its parts: `what` says so.

    Raises:
        HostError: there is no Java, or no Maven where it is needed.
        InstallError: a download failed.
    """
    if shutil.which("java") is None:
        raise HostError("Flink runs on Java, and there is no `java` on PATH: apt-get install openjdk-17-jre-headless")
    cache.mkdir(parents=True, exist_ok=True)
    return Parts(_flink(cache), *_job_server(cache, wanted or os.environ.get("VISUAL_SEARCH_FLINK_JOB_SERVER", "")))


def _flink(cache: Path) -> Path:
    kept = cache / f"flink-{FLINK_VERSION}"
    if kept.is_dir():
        return kept
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        _call([*pip, "--dest", scratch, f"{FLINK}=={FLINK_VERSION}"])
        archive = Path(scratch, f"{FLINK}-{FLINK_VERSION}.tar.gz")
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != FLINK_SHA256:
            raise InstallError(
                f"{archive.name} has the sha256 {found}, not {FLINK_SHA256}: it is not what it should be"
            )
        jars = Path(scratch, "jars")
        jars.mkdir()
        with tarfile.open(archive) as opened:
            for member in opened:
                name = Path(member.name).name
                if member.isfile() and "/deps/lib/" in member.name and name.startswith(FLINK_JARS):
                    stream = opened.extractfile(member)
                    assert stream is not None  # it is a file
                    with stream, (jars / name).open("wb") as jar:
                        shutil.copyfileobj(stream, jar)
        _publish(jars, kept)
    return kept


def _job_server(cache: Path, wanted: str) -> tuple[Path, str]:
    if wanted.endswith(".jar"):
        if not Path(wanted).is_file():
            raise HostError(f"VISUAL_SEARCH_FLINK_JOB_SERVER={wanted}: there is no such file")
        return Path(wanted), wanted
    if wanted:
        return _published(cache, wanted), wanted
    made = _kept(cache, PARTS)
    if not made.is_file():
        try:
            return _published(cache, OFFICIAL), OFFICIAL
        except InstallError:
            _make(cache, PARTS, made)
    return made, f"made of {PARTS}, for the registry here has no {OFFICIAL}"


def _published(cache: Path, coordinates: str) -> Path:
    kept = _kept(cache, coordinates)
    if kept.is_file():
        return kept
    if coordinates.count(":") != 2:
        raise HostError(f"VISUAL_SEARCH_FLINK_JOB_SERVER={coordinates}: neither a jar nor group:artifact:version")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        copy = ["dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={scratch}"]
        _maven(copy, Path(scratch))
        _publish(next(Path(scratch).glob("*.jar")), kept)
    return kept


def _make(cache: Path, coordinates: str, kept: Path) -> None:
    group, artifact, version = coordinates.split(":")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        shutil.copy(POM, Path(scratch, "pom.xml"))
        which = [f"-Drunner.group={group}", f"-Drunner.artifact={artifact}", f"-Drunner.version={version}"]
        _maven(["package", *which], Path(scratch))
        _publish(Path(scratch, "target", "job-server.jar"), kept)


def _kept(cache: Path, coordinates: str) -> Path:
    return cache / f"{'-'.join(coordinates.split(':')[1:])}.jar"


def _publish(made: Path, kept: Path) -> None:
    try:
        os.rename(made, kept)
    except OSError:  # another process was first
        if not kept.exists():
            raise


def _maven(arguments: Sequence[str], folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise HostError("Beam's job server is fetched with Maven, and there is no `mvn` on PATH: apt-get install maven")
    _call([maven, "--quiet", "--batch-mode", *arguments], folder)


def _call(command: Sequence[str], folder: Path = Path("/")) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InstallError(f"{' '.join(command)} failed: {' '.join(said[:3])}")


if __name__ == "__main__":
    sys.exit(main())
