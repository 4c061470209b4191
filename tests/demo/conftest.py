"""One small catalogue with every kind of trouble, written once for all tests of the demo."""

import json
from pathlib import Path

import pytest

from pipelines.demo.fates import Shares
from pipelines.demo.writer import DemoSummary, write_catalogue

ITEMS, LEAVES, SEED = 150, 45, 3
SHARES = Shares(poison=0.03, odd=0.04, exact=0.02, near=0.02, street=0.4)


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    folder = tmp_path_factory.mktemp("demo") / "catalogue"
    return write_catalogue(
        folder, items=ITEMS, leaf_categories=LEAVES, seed=SEED, shares=SHARES, size=(80, 100), workers=1
    )


@pytest.fixture(scope="session")
def truth(summary: DemoSummary) -> dict:
    return json.loads((summary.folder / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def folder(summary: DemoSummary) -> Path:
    return summary.folder
