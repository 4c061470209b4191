"""What every test starts from: quiet, on the CPU's one thread pool, without real photos unless they are there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports TensorFlow or Keras, in this process and in those that tests start.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

_PHOTOS = "VISUAL_SEARCH_PHOTOS"
_skipped_for_photos = pytest.StashKey[int]()


def _photos_folder() -> Path | None:
    named = os.environ.get(_PHOTOS)
    return Path(named) if named and Path(named).is_dir() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("photos")]
    if _photos_folder() is None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"no real photos: {_PHOTOS} names no folder"))
        config.stash[_skipped_for_photos] = len(marked)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield
    count = config.stash.get(_skipped_for_photos, 0)
    if count:
        line = f"{count} tests on real photos were skipped: set {_PHOTOS} to the folder that holds them"
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos; for tests marked `photos`, which are skipped where there is none."""
    folder = _photos_folder()
    assert folder is not None, "mark the test with pytest.mark.photos"
    return folder
