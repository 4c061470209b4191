"""The synthetic catalogue with every kind of trouble: drawn once for all tests of a session, copied for each."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.writer import write_catalogue
from tests.catalogue.shop import Shop

ITEMS, LEAVES, SEED = 300, 60, 7


def drawn(factory: pytest.TempPathFactory) -> Path:
    """The folder as it was drawn, by whoever asks first; nobody changes it."""
    folder = factory.getbasetemp() / "drawn-catalogue"
    if not folder.exists():
        write_catalogue(folder, items=ITEMS, leaf_categories=LEAVES, seed=SEED, size=(48, 60), workers=1)
    return folder


def copy_of(folder: Path, to: Path) -> Shop:
    """A copy with the same times, to run in."""
    shutil.copytree(folder, to, symlinks=True)
    return Shop(to, "config.toml")


def truth_of(folder: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
    return truth
