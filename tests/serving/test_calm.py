"""What keeps queries from waiting for a release that loads or closes."""

import gc
import weakref

from pipelines.store import Store
from serving.release import calm
from serving.release.loading import Loader
from tests.serving.shop import ServedShop


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
