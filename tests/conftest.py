"""What every test starts from: quiet, on the CPU's one thread pool, without real photos unless they are there."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, override

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.gcs.emulator import SERVER, Emulator, running
from trainer import process

# Before anything imports TensorFlow or Keras, in this process and in those that tests start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
process.set_up()

FLINK = "VISUAL_SEARCH_FLINK"
OPENSEARCH = "VISUAL_SEARCH_OPENSEARCH"
_PHOTOS = "VISUAL_SEARCH_PHOTOS"
_NEEDS = {
    "photos": (_PHOTOS, "the folder of real photos"),
    "flink": (FLINK, "the folder of Flink's jars, or use `make test-flink`"),
    "gcs": (SERVER, "the program fake-gcs-server, or use `make test-gcs`"),
    "opensearch": (OPENSEARCH, "the folder of OpenSearch's jars, or use `make test-opensearch`"),
    "browser": ("VISUAL_SEARCH_CHROMIUM", "the program chromium, or use `make test-browser`"),
    "images": ("VISUAL_SEARCH_IMAGES", "a folder to build container images in, or use `make test-images`"),
}
"""By marker: the variable that names what such tests need, and what that is."""

LONGEST = ("e2e", "evaluate", "e2e/past")
"""The folders that take longest, which are begun first; the third uses the shop that the first has made by then."""


def _named(variable: str) -> Path | None:
    name = os.environ.get(variable)
    return Path(name) if name and Path(name).exists() else None


def _reason(variable: str) -> str:
    return f"{variable} names nothing that is there"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, (variable, _) in _NEEDS.items():
            if item.get_closest_marker(marker) and not _named(variable):
                item.add_marker(pytest.mark.skip(reason=_reason(variable)))
    items.sort(key=lambda item: [*LONGEST, ByFolder.folder(item.nodeid)].index(ByFolder.folder(item.nodeid)))


class ByFolder(LoadScopeScheduling):
    """Gives each process whole folders of tests, for a folder shares what is costly to make."""

    @staticmethod
    def folder(nodeid: str) -> str:
        """Return the folder of a test, or its file where that lies in none."""
        file = nodeid.split("::", maxsplit=1)[0].removeprefix("tests/")
        return file.rpartition("/")[0] or file

    @override
    def _split_scope(self, nodeid: str) -> str:
        return self.folder(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    return ByFolder(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for marker, (variable, what) in _NEEDS.items():
        if count := sum(_reason(variable) in text for text in skipped):
            line = f"{count} tests marked '{marker}' were skipped: set {variable} to {what}"
            terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def hardly_timed() -> Iterator[None]:
    """An evaluation times each kind of index for a moment, not for a second; its numbers have the same names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.evaluate.engine.TIMED_S", 0.02)
        yield


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos; for tests marked `photos`, which are skipped where there is none."""
    folder = _named(_PHOTOS)
    assert folder is not None, "mark the test with pytest.mark.photos"
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of photos of 24 x 16, which fails on red ones, and gives no finite numbers for green ones."""
    from tests.embed.world import export_tiny
    from tests.trace.shop import HEIGHT, WIDTH

    folder = tmp_path_factory.mktemp("model") / "saved"
    export_tiny(folder, 0, HEIGHT, WIDTH)
    return folder


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Google Cloud Storage on this machine; for tests marked `gcs`, which are skipped where there is none."""
    with running(tmp_path_factory.mktemp("gcs")) as emulator:
        yield emulator
