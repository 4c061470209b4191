"""The synthetic catalogue after its first two stages, run once for all tests of the ledger."""

from dataclasses import dataclass
from typing import Any

import pytest

from pipelines.runs.manifest import Manifest, read_manifest
from tests.catalogue.shop import Shop
from tests.catalogue.synthetic import copy_of, drawn, truth_of


@dataclass(frozen=True)
class Done:
    """A shop whose run `r` is through catalogue and preprocess, what it printed, and the truth about its input."""

    shop: Shop
    truth: dict[str, Any]
    stdout: str
    stderr: str

    def manifest(self, stage: str) -> Manifest:
        manifest = read_manifest(self.shop.store, "r", stage)
        assert manifest is not None
        return manifest


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = drawn(tmp_path_factory)
    shop = copy_of(folder, tmp_path_factory.mktemp("ledger") / "shop")
    result = shop.cli("run", "--run-id", "r", "--to", "preprocess")
    assert result.exit_code == 0, result.output
    return Done(shop, truth_of(folder), result.stdout, result.stderr)
