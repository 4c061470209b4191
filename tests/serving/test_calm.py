"""What keeps queries from waiting for a release that loads or closes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from pipelines.store import Store
from serving.release import calm
from serving.release.loading import Loader
from tests.embed.world import export_tiny
from tests.serving.shop import ServedShop

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="threads stand by themselves on Linux alone")

LOAD_AND_ASK = """
import sys
from pathlib import Path
import numpy as np
from pipelines.store import open_store
from pipelines.models.signature import Signature
from serving.release import calm
from tests.embed.world import HEIGHT, WIDTH
calm.set_up()
calm.prepare()
model = calm.behind_queries(lambda: Signature(open_store(sys.argv[1]), "m", "serve_pixels"))
assert model(np.full((64, HEIGHT, WIDTH, 3), 90, np.uint8))["embedding"].shape[0] == 64
for task in Path("/proc/self/task").iterdir():
    print((task / "stat").read_text().rpartition(")")[2].split()[16])
"""


@on_linux
def test_who_loads_stands_back_and_tells_what_went_wrong() -> None:
    assert calm.behind_queries(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == calm.NICE
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0
    with pytest.raises(ZeroDivisionError):
        calm.behind_queries(lambda: 1 // 0)


@on_linux
def test_the_threads_that_run_a_model_do_not_stand_back(tmp_path: Path) -> None:
    """A thread begins where the one stands that begins it, and TensorFlow begins its own when it is first used."""
    export_tiny(tmp_path / "store/models/m/saved_model", 1)
    command = [sys.executable, "-c", LOAD_AND_ASK, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    niceness = done.stdout.split()
    assert len(niceness) > 4
    assert set(niceness) == {"0"}


def test_the_collector_looks_at_releases_alone_and_they_are_collected(own_shop: ServedShop) -> None:
    own_shop.add_model(own_shop.root / "store/models/m1/saved_model", "m2", space_id="m1")
    own_shop.add_release("third", "second-index", "run-2", "m2")
    store: Store = own_shop.store
    loaded = Loader(own_shop.config(), store, None).load("third")
    assert gc.get_freeze_count() > 100_000  # TensorFlow's modules
    model = weakref.ref(loaded.engine._model._serve._model)
    assert model() is not None
    loaded.engine.close()
    del loaded
    calm.give_back()
    assert model() is None
