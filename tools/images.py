"""Build the container images with Docker: `make images`.

    python3 -m tools.images [launcher serving worker launcher-gpu worker-gpu flink]

Owns the targets of infra/images/Dockerfile and how they are named: REGISTRY/visual-search/TARGET:VERSION, with REGISTRY
from the environment. Exit codes: 0 done, 1 a build failed, 2 there is no Docker to build with, or no such target.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

from tools.host import HostError
from tools.installer import InstallError, run
from tools.setup_env import ROOT

TARGETS = ("launcher", "serving", "worker", "launcher-gpu", "worker-gpu", "flink")


def main(arguments: Sequence[str]) -> int:
    """Build the targets named, or all of them, and print each image's name; return the exit code."""
    try:
        for target in _checked(arguments or TARGETS):
            build(ROOT, target, os.environ.get("REGISTRY", ""))
    except (HostError, InstallError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 2 if isinstance(error, HostError) else 1
    return 0


def build(root: Path, target: str, registry: str) -> None:
    """Build one target of a checkout and print the image's name. Raises HostError without Docker, and InstallError."""
    docker = find_docker()
    tag = image_name(target, version(root), registry)
    options = ["--file", str(root / "infra/images/Dockerfile"), "--target", target, "--tag", tag]
    run([docker, "build", *options, "--build-arg", f"VERSION={version(root)}", str(root)])
    print(tag, flush=True)


def find_docker() -> str:
    """Return the path of a `docker` whose daemon answers.

    Raises:
        HostError: there is none, or its daemon does not answer; the message holds its own.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise HostError("images are built with Docker, and there is no `docker` on PATH: see docs/images.md")
    asked = subprocess.run([docker, "info"], check=False, capture_output=True, text=True)
    if asked.returncode != 0:
        said = (asked.stderr.strip() or asked.stdout.strip()).splitlines()[-1:]
        raise HostError(f"{docker} cannot build here: {' '.join(said)} Start the daemon, or see docs/images.md")
    return docker


def image_name(target: str, number: str, registry: str = "") -> str:
    """Return the name that an image is given, below the registry if there is one."""
    return "/".join(filter(None, (registry.rstrip("/"), "visual-search", f"{target}:{number}")))


def version(root: Path) -> str:
    """Return the project's version, as setup.py states it, without running it."""
    tree = ast.parse((root / "setup.py").read_text())
    keywords = [one for node in ast.walk(tree) if isinstance(node, ast.Call) for one in node.keywords]
    return str(next(ast.literal_eval(one.value) for one in keywords if one.arg == "version"))


def _checked(targets: Sequence[str]) -> Sequence[str]:
    unknown = [target for target in targets if target not in TARGETS]
    if unknown:
        raise HostError(f"no image {', '.join(unknown)}: there are {', '.join(TARGETS)}")
    return targets


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
