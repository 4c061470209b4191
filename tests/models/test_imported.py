"""A SavedModel of elsewhere becomes a model of the store, or is told what it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipelines.errors import StageError
from pipelines.models.facts import read_facts
from pipelines.models.imported import import_model, is_imported
from pipelines.models.signature import Signature
from pipelines.models.weights import Weights
from pipelines.store import Store, open_store
from pipelines.tables.taxonomy import extend_taxonomy, read_taxonomy, values_of
from tests.models.foreign import BITS, DIM, HEADS, HEIGHT, PREP, WIDTH, Fault, export, name_columns


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(str(tmp_path / "store"))
    extend_taxonomy(opened, [*values_of(["Hats"]), *values_of(["Shoes"])])  # what its own feeds have seen
    return opened


def test_embedding_and_hash_are_enough(store: Store, tmp_path: Path) -> None:
    kept = import_model(store, export(tmp_path / "bare"), PREP, "a paper, MIT")
    facts = read_facts(store, kept["model_id"])
    assert (facts.space_id, facts.prep_id) == (facts.model_id, PREP)
    assert (facts.height, facts.width, facts.dim, facts.bits) == (HEIGHT, WIDTH, DIM, BITS)
    assert (facts.leaf.slots, facts.leaf.trained, facts.levels, facts.attributes) == ((), (), (), {})
    facts.check_leaves()  # it is no model of the days before leaves had a head
    assert kept["lineage"]["imported"]["origin"] == "a paper, MIT"
    assert is_imported(kept)
    served = Signature.of(store, facts.model_id, "serve_pixels")(np.full((2, HEIGHT, WIDTH, 3), 9, np.uint8))
    assert np.linalg.norm(served["embedding"], axis=1) == pytest.approx(1.0, abs=1e-5)


def test_categories_get_slots_of_this_store_column_by_column(store: Store, tmp_path: Path) -> None:
    folder = export(tmp_path / "heads", HEADS)
    name_columns(folder)
    facts = read_facts(store, import_model(store, folder, PREP)["model_id"])
    taxonomy = read_taxonomy(store)
    assert taxonomy["leaves"] == {"Hats": 0, "Shoes": 1, "Lamps": 2, "Shoes > Boots": 3}
    assert facts.leaf.slots == (3, 1, 2)  # columns are Boots, Shoes, Lamps
    assert facts.leaf.trained == (3, 1, 2)
    assert facts.leaf.category_mass == 1.0  # nobody has calibrated it: queries scan all
    assert facts.levels == ((taxonomy["levels"][0]["Lamps"], taxonomy["levels"][0]["Shoes"]),)
    assert facts.attributes == {"colour": ("red", "green")}


def test_what_another_store_says_of_its_model_is_taken_over(store: Store, tmp_path: Path) -> None:
    """The folder of a model as stores keep it: the SavedModel inside, model.json and taxonomy.json beside it."""
    folder = tmp_path / "0123456789abcdef"
    export(folder / "saved_model", HEADS)
    name_columns(folder)
    leaf = {"slots": [0, 1, 2], "trained": [0, 2], "temperature": 1.5, "category_mass": 0.9, "photos": 300}
    ranking = {"category": 0.1, "attributes": {"colour": 0.2}, "photos": 300}
    told = {"prep_id": PREP, "leaf": leaf, "trained": [[1]], "ranking": ranking}
    (folder / "model.json").write_text(json.dumps(told))
    kept = import_model(store, folder, PREP)
    facts = read_facts(store, kept["model_id"])
    assert (facts.leaf.slots, facts.leaf.trained, facts.leaf.category_mass) == ((3, 1, 2), (3, 2), 0.9)
    assert facts.trained == ((facts.levels[0][1],),)
    assert facts.weights == Weights(0.1, {"colour": 0.2})
    assert kept["lineage"]["imported"]["origin"] == "0123456789abcdef"


def test_the_same_model_again_is_the_same_and_another_is_another(store: Store, tmp_path: Path) -> None:
    first = import_model(store, export(tmp_path / "one"), PREP)
    assert import_model(store, tmp_path / "one", PREP, "elsewhere") == first
    folder = export(tmp_path / "two", HEADS)
    name_columns(folder)
    second = import_model(store, folder, PREP)
    name_columns(folder, leaves={"Boots": 0, "Shoes": 1, "Lamps": 2})  # the same numbers, meant in another way
    third = import_model(store, folder, PREP)
    assert len({kept["model_id"] for kept in (first, second, third)}) == 3


def without(name: str) -> Fault:
    return lambda outputs: {key: value for key, value in outputs.items() if key != name}


def changed(name: str, change: Any) -> Fault:
    return lambda outputs: {**outputs, name: change(outputs[name])}


def among_others(embedding: tf.Tensor) -> tf.Tensor:
    """As a batch norm in training mode does."""
    return tf.math.l2_normalize(embedding - tf.reduce_mean(embedding, axis=0) * 0.5, axis=1)


def constant(embedding: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(tf.ones_like(embedding), axis=1)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"leave_out": "serve_prepared"},
            r"no signature 'serve_prepared' \(string \[batch\] -> embedding, hash\); it",
        ),
        ({"leave_out": "serve_pixels"}, r"no signature 'serve_pixels' .* it has: serve_prepared\. Export it with both"),
        ({"fault": without("hash")}, r"must give 'hash' as uint8 \[batch, bits / 8\]; it gives none"),
        (
            {"fault": without("embedding")},
            r"must give 'embedding' as float32 \[batch, dim\], .*; it gives none",
        ),
        (
            {"fault": changed("hash", lambda bits: tf.cast(bits, tf.float32))},
            r"must give 'hash' as uint8 .*; it gives float32 \[3, 4\]",
        ),
        ({"fault": changed("embedding", lambda unit: 3.0 * unit)}, r"norms of 3, 3, 3, not 1; export it L2-normalised"),
        ({"fault": changed("embedding", lambda unit: unit * np.nan)}, r"norms of nan, nan, nan, not 1"),
        ({"fault": changed("embedding", constant)}, r"the same for all photos; does the model read its pixels as 0"),
        (
            {"fault": changed("embedding", among_others)},
            r"a photo alone gives another embedding .* export it in inference mode",
        ),
        (
            {"prepared_fault": changed("embedding", lambda unit: tf.roll(unit, 1, axis=1))},
            r"serve_prepared gives other outputs than serve_pixels: 'embedding' is .* apart",
        ),
        (
            {"prepared_fault": without("hash")},
            r"serve_prepared gives other outputs .*: 'hash' is missing",
        ),
        (
            {"pixels": tf.TensorSpec([None, None, None, 3], tf.uint8)},
            r"'serve_pixels' takes uint8 \[None, None, None, 3\], needed is .* with height and width fixed",
        ),
        (
            {"pixels": tf.TensorSpec([None, HEIGHT, WIDTH, 3], tf.float32)},
            r"'serve_pixels' takes float32 \[None, 20, 16, 3\], needed is uint8",
        ),
        (
            {"heads": HEADS},
            r"'attribute_probabilities_colour' of 2 columns, and taxonomy\.json .* names 0",
        ),
    ],
)
def test_what_a_model_lacks_is_said(store: Store, tmp_path: Path, told: dict[str, Any], message: str) -> None:
    folder = export(tmp_path / "lacking", **told)
    with pytest.raises(StageError, match=message):
        import_model(store, folder, PREP)
    assert not list(store.list("models"))


def test_words_that_do_not_fit_the_columns_are_refused(store: Store, tmp_path: Path) -> None:
    folder = export(tmp_path / "heads", HEADS)
    for leaves in ({"Shoes": 0}, {"Shoes": 0, "Boots": 1, "Lamps": 3}, {"Shoes": 0, "Boots": 1, "Lamps": 1}):
        name_columns(folder, leaves=leaves)
        with pytest.raises(StageError, match=r"'leaf_probabilities' of 3 columns, and taxonomy\.json beside it names"):
            import_model(store, folder, PREP)
    (folder / "taxonomy.json").write_text("[1]")
    with pytest.raises(StageError, match=r"taxonomy\.json holds no object of names and values"):
        import_model(store, folder, PREP)
    (folder / "taxonomy.json").write_text("{")
    with pytest.raises(StageError, match=r"taxonomy\.json cannot be read as JSON"):
        import_model(store, folder, PREP)
    assert read_taxonomy(store)["leaves"] == {"Hats": 0, "Shoes": 1}


def test_photos_of_another_size_or_preparation_are_refused(store: Store, tmp_path: Path) -> None:
    folder = export(tmp_path / "bare")
    with pytest.raises(StageError, match=r"photos of 20 x 16, the config prepares 96 x 96; set preprocess\.height"):
        import_model(store, folder, "96x96-q95-v2")
    (folder / "model.json").write_text(json.dumps({"prep_id": PREP}))
    with pytest.raises(StageError, match=rf"as {PREP}, the config prepares 20x16-q92-v2; set preprocess\.quality"):
        import_model(store, folder, "20x16-q92-v2")


def test_a_folder_that_is_no_saved_model_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=rf"{tmp_path}/empty holds no saved_model\.pb"):
        (tmp_path / "empty").mkdir()
        import_model(store, tmp_path / "empty", PREP)
    (tmp_path / "empty" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(StageError, match=r"cannot be loaded as a SavedModel"):
        import_model(store, tmp_path / "empty", PREP)
