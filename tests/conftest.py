"""What every test starts from: quiet, on the CPU's one thread pool, without real photos unless they are there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gcs.emulator import SERVER, Emulator, running

# Before anything imports TensorFlow or Keras, in this process and in those that tests start.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

_PHOTOS = "VISUAL_SEARCH_PHOTOS"
_NEEDS = {
    "photos": (_PHOTOS, "the folder of real photos"),
    "gcs": (SERVER, "the program fake-gcs-server, or use `make test-gcs`"),
}
"""By marker: the variable that names what such tests need, and what that is."""
_skipped = pytest.StashKey[dict[str, int]]()


def _named(variable: str) -> Path | None:
    name = os.environ.get(variable)
    return Path(name) if name and Path(name).exists() else None


@pytest.hookimpl(trylast=True)  # what -m and -k leave out is gone by then
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skipped = config.stash.setdefault(_skipped, {})
    for marker, (variable, _) in _NEEDS.items():
        if _named(variable):
            continue
        marked = [item for item in items if item.get_closest_marker(marker)]
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"{variable} names nothing that is there"))
        skipped[marker] = len(marked)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield
    for marker, count in config.stash.get(_skipped, {}).items():
        if count:
            variable, what = _NEEDS[marker]
            line = f"{count} tests marked '{marker}' were skipped: set {variable} to {what}"
            terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos; for tests marked `photos`, which are skipped where there is none."""
    folder = _named(_PHOTOS)
    assert folder is not None, "mark the test with pytest.mark.photos"
    return folder


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Google Cloud Storage on this machine; for tests marked `gcs`, which are skipped where there is none."""
    with running(tmp_path_factory.mktemp("gcs")) as emulator:
        yield emulator
