"""The builder of container images, and what its images are made of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.builders import Buildah, Builder, MissingError, find_builder
from tests.infra.dockerfile import Dockerfile

_STAND_INS = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def builder(request: pytest.FixtureRequest) -> Iterator[Builder]:
    """What builds images here; for tests marked `images`. Where nothing can, they are skipped, and told why."""
    try:
        found = find_builder(Path(os.environ["VISUAL_SEARCH_IMAGES"]))
    except MissingError as missing:
        pytest.skip(str(missing))
    arguments = Dockerfile.read().arguments
    request.config.stash[_STAND_INS] = {arguments[name]: made_of for name, made_of in found.stand_ins.items()}
    yield found
    if isinstance(found, Buildah):
        found.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for image, made_of in config.stash.get(_STAND_INS, {}).items():
        terminalreporter.write_line(f"in the place of {image}: {made_of}", yellow=True, bold=True)
