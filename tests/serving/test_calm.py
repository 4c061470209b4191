"""What keeps queries from waiting for a release that loads or closes."""

from __future__ import annotations

import gc
import weakref

from pipelines.store import Store
from serving.release import calm
from serving.release.loading import Loader
from tests.serving.shop import ServedShop


def test_the_collector_looks_at_releases_alone_and_they_are_collected(own_shop: ServedShop) -> None:
    store: Store = own_shop.store
    loaded = Loader(own_shop.config(), store, None).load("first")
    assert gc.get_freeze_count() > 50_000  # modules
    searcher = weakref.ref(loaded.engine._searcher)
    assert searcher() is not None
    loaded.engine.close()
    del loaded
    calm.give_back()
    assert searcher() is None
