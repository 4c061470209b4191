"""Who builds the images of a test session: Docker on the real base images, or buildah on stand-ins for them.

A stand-in has what the steps of the Dockerfile and the tests need, from Debian's, Python's, Go's and this machine's own
packages, where no registry of images can be reached. What it is made of is told in the summary of the session.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.infra.dockerfile import DOCKERFILE, Dockerfile
from tools.flink_parts import FLINK
from tools.images import version
from tools.setup_env import ROOT

_LIBRARIES = (  # what python:slim has beyond Debian's smallest system
    *("ca-certificates", "netbase", "tzdata", "libbz2-1.0", "libexpat1", "libffi8", "libgdbm6t64", "liblzma5"),
    *("libncursesw6", "libreadline8t64", "libsqlite3-0", "libssl3t64", "libuuid1", "zlib1g"),
)
_SETTINGS = re.compile(r"(?i)(PIP|UV)_\w*INDEX\w*|PIP_CERT|PIP_TRUSTED_HOST|SSL_CERT_FILE|(https?|no)_proxy")
_COMMAND_S = 300
# As a container is: off the network, and nothing stays behind.
_ALONE = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class MissingError(Exception):
    """This machine cannot build images; the message says what it lacks."""


class Builder:
    """Builds targets of the Dockerfile, each once, and runs commands in them, off the network."""

    stand_ins: Mapping[str, str] = {}
    """What the stand-in for a base image, by its argument in the Dockerfile, is made of; empty where all are real."""

    def __init__(self) -> None:
        self._built: dict[str, str] = {}

    def build(self, target: str) -> str:
        """Return the image of a target, built at first use."""
        if target not in self._built:
            self._built[target] = self._build(target)
        return self._built[target]

    def run(self, target: str, *command: str, mounts: Mapping[Path, str] = {}) -> subprocess.CompletedProcess[str]:
        """Run a command in the image of a target, as its user. It reads folders of this machine at their `mounts`."""
        raise NotImplementedError

    def start(self, target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start a container as a cluster does: the image's own entrypoint, and arguments."""
        return self.run(target, *self._entrypoint(self.build(target)), *arguments)

    def _build(self, target: str) -> str:
        raise NotImplementedError

    def _entrypoint(self, image: str) -> list[str]:
        raise NotImplementedError


class Docker(Builder):
    """A Docker daemon, and whatever registries it reaches."""

    def run(self, target: str, *command: str, mounts: Mapping[Path, str] = {}) -> subprocess.CompletedProcess[str]:
        options = ["--rm", "--network", "none", *_volumes(mounts), "--entrypoint", command[0]]
        return _asked(["docker", "run", *options, self.build(target), *command[1:]])

    def _build(self, target: str) -> str:
        image = f"visual-search-test/{target}"
        _done(["docker", "build", *_build_options(target), "--tag", image, str(ROOT)])
        return image

    def _entrypoint(self, image: str) -> list[str]:
        inspected = _done(["docker", "image", "inspect", image])
        return list(json.loads(inspected)[0]["Config"]["Entrypoint"])


class Buildah(Builder):
    """Runs every step of the Dockerfile without a daemon, in a folder that is the root of a system of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        for program in ("buildah", "debootstrap"):
            if shutil.which(program) is None:
                raise MissingError(f"no Docker daemon runs here, and {program} is not there: apt-get install {program}")
        if os.geteuid() != 0:
            raise MissingError("no Docker daemon runs here, and a system of its own can only be made by root")
        self.folder = folder.resolve()
        store = ["--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")]
        self._buildah = ["buildah", *store, "--storage-driver", "overlay"]
        self._containers: dict[str, str] = {}
        self.file = Dockerfile.read()
        self._release = self.file.arguments["PYTHON"].rpartition("-")[2]
        self.stand_ins = {
            "PYTHON": f"Debian {self._release} by debootstrap, with Python {platform.python_version()} of this machine",
            "BEAM": f"Beam's boot alone, built with Go from the sources of {self.file.version('BEAM')}",
            "FLINK": f"Flink's libraries {self.file.version('FLINK')} from PyPI and this machine's Java 17, no scripts",
        }
        for name in self.stand_ins:
            if _asked([*self._buildah, "inspect", _stand_in(name)]).returncode != 0:
                self._make(name, _stand_in(name))

    def run(self, target: str, *command: str, mounts: Mapping[Path, str] = {}) -> subprocess.CompletedProcess[str]:
        if target not in self._containers:
            self._containers[target] = _done([*self._buildah, "from", self.build(target)]).strip()
        options = ["--isolation", "chroot", *_volumes(mounts)]
        run = [*self._buildah, "run", *options, self._containers[target], "--", *command]
        return _asked([*_ALONE, 'ip link set lo up && exec "$@"', "sh", *run])

    def close(self) -> None:
        """Remove the containers; images stay for the next session."""
        for container in self._containers.values():
            _done([*self._buildah, "rm", container])

    def _build(self, target: str) -> str:
        image = f"localhost/{target}"
        bases = [word for name in self.stand_ins for word in ("--build-arg", f"{name}={_stand_in(name)}")]
        options = ["--isolation", "chroot", "--layers", *bases, *_build_options(target), "--tag", image]
        _done([*self._buildah, "build", *options, str(ROOT)])
        return image

    def _entrypoint(self, image: str) -> list[str]:
        inspected = json.loads(_done([*self._buildah, "inspect", "--type", "image", image]))
        return list(inspected["OCIv1"]["config"]["Entrypoint"])

    def _make(self, name: str, image: str) -> None:
        make = {"PYTHON": self._python, "BEAM": self._beam, "FLINK": self._flink}[name]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            make(Path(folder))
            container = _done([*self._buildah, "from", "scratch"]).strip()
            _done([*self._buildah, "copy", container, folder, "/"])
            settings = [f"{key}={value}" for key, value in os.environ.items() if _SETTINGS.fullmatch(key)]
            _done([*self._buildah, "config", *(word for one in settings for word in ("--env", one)), container])
            _done([*self._buildah, "commit", "--rm", container, image])

    def _python(self, root: Path) -> None:
        """Debian of the base image's release, and this machine's Python where the base image has its own."""
        prefix = Path(sys.base_prefix)
        if prefix == Path("/usr"):
            raise MissingError(
                f"{sys.executable} belongs to the system: use a Python 3.12 with a folder of its own (pyenv, uv)"
            )
        sources = Path("/etc/apt/sources.list.d/debian.sources")
        mirror = re.findall(r"^URIs: (\S+)", sources.read_text(), re.MULTILINE)[:1] if sources.is_file() else []
        _done(
            ["debootstrap", "--variant=minbase", f"--include={','.join(_LIBRARIES)}", self._release, str(root), *mirror]
        )
        local = root / "usr/local"
        for name in ("lib/python3.12", "include/python3.12"):
            left_out = shutil.ignore_patterns("site-packages", "__pycache__", "test")
            shutil.copytree(prefix / name, local / name, symlinks=True, ignore=left_out)
        for library in (prefix / "lib").glob("libpython3*.so*"):
            shutil.copy2(library, local / "lib", follow_symlinks=False)
        (local / "lib/python3.12/site-packages").mkdir()
        shutil.copy2(prefix / "bin/python3.12", local / "bin")
        for name in ("python", "python3"):
            (local / "bin" / name).symlink_to("python3.12")
        for settings in (Path("/etc/pip.conf"), _CERTIFICATES):
            if settings.is_file():
                shutil.copy2(settings, root / settings.relative_to("/"))
        _done(["chroot", str(root), "ldconfig"])

    def _beam(self, root: Path) -> None:
        """Beam's boot, built from its sources."""
        if shutil.which("go") is None:
            raise MissingError("Beam's boot is built with Go, and there is no `go` on PATH")
        beam = root / "opt/apache/beam"
        beam.mkdir(parents=True)
        module = f"github.com/apache/beam/sdks/v2/python/container@v{self.file.version('BEAM')}"
        _done(["go", "install", module], GOBIN=str(beam), CGO_ENABLED="0")
        (beam / "container").rename(beam / "boot")

    def _flink(self, root: Path) -> None:
        """Flink's libraries from PyPI, this machine's Java 17, and an entrypoint that only runs its arguments."""
        java = shutil.which("java")
        home = Path(java).resolve().parents[1] if java else Path("/nowhere")
        if 'JAVA_VERSION="17' not in ((home / "release").read_text() if (home / "release").is_file() else ""):
            raise MissingError(
                "Flink is run on Java 17, and `java` on PATH is none: apt-get install openjdk-17-jre-headless"
            )
        wanted = f"{FLINK}=={self.file.version('FLINK')}"
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            _done([*fetch, "--dest", folder, wanted])
            with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
                archive.extractall(folder, filter="data")
            shutil.copytree(next(Path(folder).glob("*/deps")), root / "opt/flink")
        left_out = shutil.ignore_patterns("src.zip", "jmods", "docs", "man", "include")
        shutil.copytree(home, root / "opt/java/openjdk", ignore=left_out, ignore_dangling_symlinks=True)
        entrypoint = root / "docker-entrypoint.sh"
        entrypoint.write_text('#!/bin/sh\nexec "$@"\n')
        entrypoint.chmod(0o755)


def _stand_in(name: str) -> str:
    return f"localhost/stand-in-{name.lower()}"


def find_builder(folder: Path) -> Builder:
    """Return what can build on this machine. Raises MissingError."""
    if shutil.which("docker") and _asked(["docker", "info"]).returncode == 0:
        return Docker()
    return Buildah(folder)


def _volumes(mounts: Mapping[Path, str]) -> list[str]:
    return [word for folder, inside in mounts.items() for word in ("--volume", f"{folder}:{inside}:ro")]


def _build_options(target: str) -> Sequence[str]:
    return ["--file", str(DOCKERFILE), "--target", target, "--build-arg", f"VERSION={version(ROOT)}"]


def _asked(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMMAND_S)


def _done(command: Sequence[str], **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return done.stdout
