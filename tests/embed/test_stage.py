from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.embed import stage
from pipelines.embed import work as working
from pipelines.embed.model import Embedder
from pipelines.errors import StageError
from pipelines.models.facts import LeafFacts, ModelFacts, read_facts
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import Manifest, read_manifest
from pipelines.runs.sequence import run_stage
from pipelines.store import Store, StoreError, UnitTable
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_VECTORS
from tests.embed.world import BUCKETS, DIM, GREEN, RED, World, digest_of, drawn, jpeg
from tests.releases.live import make_live

Places = list[tuple[int, str, int]]


def embed(context: RunContext) -> Manifest:
    return run_stage(context, "embed", stage.run)


def ledger(manifest: Manifest) -> tuple[int, int, int, int]:
    counts = manifest["counts"]
    return counts["in"], counts["ok"], counts["skipped"], counts["rejected"]


def resolved(world: World, run_id: str) -> dict[int, dict[str, object]]:
    folder = f"runs/{run_id}/embed/vectors"
    tables = [read_bucket(world.store, folder, b, RESOLVED_VECTORS) for b in range(BUCKETS)]
    rows = pa.concat_tables(tables).to_pylist()
    found = {int.from_bytes(row["digest"], "big"): row for row in rows}
    assert len(found) == len(rows)
    return found


def embedding(world: World, space: str, row: dict[str, object]) -> np.ndarray:
    table = UnitTable(world.store, f"embeddings/{space}/{row['model_id']}")
    kept = table.read_rows(str(row["unit_id"]), [int(str(row["row"]))], ["digest", "embedding"])
    assert kept["digest"][0].as_py() == row["digest"]
    return np.frombuffer(kept["embedding"][0].as_py(), "<f2")


class StoppedError(Exception):
    pass


class StopsAfter:
    """Loads a model that can be asked a number of times only, as if the process then died."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __call__(self, store: Store, facts: ModelFacts) -> "StopsAfter":
        self.model = Embedder(store, facts)
        self.decode, self.left = self.model.decode, self.calls
        return self

    def infer(self, pixels: np.ndarray) -> object:
        self.left -= 1
        if self.left < 0:
            raise StoppedError("stopped")
        return self.model(pixels)


def test_every_photo_gets_the_vector_that_the_model_gives_it_alone(world: World, twenty: Places) -> None:
    # Photo 3 is shown by two items; photo 99 was rejected by preprocess.
    manifest = embed(world.start_run("r", [*twenty, (3, "unit-1", 3), (99, "", -1)], "model-a", "model-a"))

    assert ledger(manifest) == (20, 20, 0, 0)
    assert manifest["counts"]["inferred"] == 20
    assert manifest["counts"]["units"] == 4  # 20 photos, at most 6 a unit
    assert manifest["outputs"] == {"model_id": "model-a", "space_id": "model-a", "vectors": "runs/r/embed/vectors"}
    found = resolved(world, "r")
    model = Embedder(world.store, read_facts(world.store, "model-a"))
    for number, row in found.items():
        alone = model(model.decode([drawn(number)])[0]).embedding[0]
        np.testing.assert_allclose(embedding(world, "model-a", row).astype(np.float32), alone, atol=1e-3)
    assert sorted(found) == list(range(20))


def test_a_query_through_serve_prepared_has_the_same_embedding(world: World, twenty: Places) -> None:
    import tensorflow as tf

    embed(world.start_run("r", twenty, "model-a", "model-a"))
    serve = tf.saved_model.load(str(world.exported["model-a"])).signatures["serve_prepared"]
    query = serve(images=tf.constant([drawn(7)]))["embedding"].numpy()[0]

    np.testing.assert_allclose(
        embedding(world, "model-a", resolved(world, "r")[7]).astype(np.float32), query, atol=1e-3
    )


def test_nothing_new_infers_nothing_and_says_so(world: World, twenty: Places) -> None:
    embed(world.start_run("one", twenty, "model-a", "model-a"))
    two = embed(world.start_run("two", twenty, "model-a", "model-a"))

    assert ledger(two) == (20, 0, 20, 0)
    assert two["counts"]["inferred"] == two["counts"]["units"] == 0
    assert two["notes"] == ["nothing new: all 20 photos have a vector of space model-a"]
    assert resolved(world, "two") == resolved(world, "one")


def test_only_what_is_new_is_inferred(world: World, twenty: Places) -> None:
    embed(world.start_run("one", twenty[:19], "model-a", "model-a"))
    two = embed(world.start_run("two", twenty[1:], "model-a", "model-a"))  # one photo left, another came

    assert ledger(two) == (19, 1, 18, 0)
    assert sorted(resolved(world, "two")) == list(range(1, 20))
    assert "1 of 19 photos" in two["notes"][0]


def test_a_model_that_opens_a_space_embeds_all_and_one_that_joins_it_only_what_is_new(
    world: World, twenty: Places
) -> None:
    world.add_model("model-b", space_id="model-a")
    opened = embed(world.start_run("one", twenty[:10], "model-a", "model-a"))
    joined = embed(world.start_run("two", twenty, "model-b", "model-a"))

    assert "model-a opens a new vector space: all 10 photos" in opened["notes"][0]
    assert ledger(joined) == (20, 10, 10, 0)
    models = {number: row["model_id"] for number, row in resolved(world, "two").items()}
    assert models == {n: "model-a" if n < 10 else "model-b" for n in range(20)}


def test_photos_that_are_all_other_ones_open_no_space(world: World, twenty: Places) -> None:
    embed(world.start_run("one", twenty[:10], "model-a", "model-a"))
    two = embed(world.start_run("two", twenty[10:], "model-a", "model-a"))

    assert ledger(two) == (10, 10, 0, 0)
    assert two["notes"][0].startswith(
        "10 of 10 photos have no vector of space model-a yet, nor the bytes of a photo that has one, and are inferred"
    )


def test_a_worker_killed_after_some_units_loses_only_the_unit_in_flight(
    world: World, twenty: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops = StopsAfter(5)  # a unit of 5 photos in batches of 4 takes 2 calls: two units, and half of the third
    context = world.start_run("r", twenty, "model-a", "model-a")
    with monkeypatch.context() as patch:
        patch.setattr(working, "Embedder", _called(stops))
        with pytest.raises(StoppedError):
            embed(context)
    table = UnitTable(world.store, "embeddings/model-a/model-a")
    before = {unit_id: table.data_name(unit_id) for unit_id in table.unit_ids()}
    assert len(before) == 2
    assert read_manifest(world.store, "r", "embed") is None

    counting = StopsAfter(1000)
    with monkeypatch.context() as patch:
        patch.setattr(working, "Embedder", _called(counting))
        manifest = embed(context)

    assert 1000 - counting.left == 4  # the other two units, once
    assert {unit_id: table.data_name(unit_id) for unit_id in before} == before
    assert ledger(manifest) == (20, 20, 0, 0)  # as if nothing had happened
    assert sorted(resolved(world, "r")) == list(range(20))


def test_a_rerun_of_a_finished_stage_returns_its_manifest(world: World, twenty: Places) -> None:
    context = world.start_run("r", twenty, "model-a", "model-a")
    assert embed(context) == embed(context)


def test_bad_records_are_rejected_one_by_one(world: World) -> None:
    odd = {20: jpeg(RED), 21: jpeg(GREEN), 22: b"no photo at all", 23: jpeg((9, 9, 9), (8, 8)), 24: drawn(24)}
    world.add_images("unit-3", odd)
    places = [(n, "unit-1", n) for n in range(5)] + [(n, "unit-3", n - 20) for n in odd]
    manifest = embed(world.start_run("r", places, "model-a", "model-a"))

    assert ledger(manifest) == (10, 6, 0, 4)
    assert manifest["rejects"] == {"inference_failed": 1, "nonfinite": 1, "bad_image": 2}
    codes = {number: row["code"] for number, row in resolved(world, "r").items() if row["code"]}
    assert codes == {20: "inference_failed", 21: "nonfinite", 22: "bad_image", 23: "bad_image"}


def test_a_reject_stays_one_and_is_not_tried_again(world: World) -> None:
    world.add_images("unit-3", {20: jpeg(RED)})
    places = [(0, "unit-1", 0), (20, "unit-3", 0)]
    embed(world.start_run("one", places, "model-a", "model-a"))
    two = embed(world.start_run("two", places, "model-a", "model-a"))

    assert ledger(two) == (2, 0, 1, 1)
    assert two["rejects"] == {"inference_failed": 1}


def test_too_many_rejects_fail_the_stage(world: World) -> None:
    world.add_images("unit-3", {20: jpeg(RED), 21: jpeg(GREEN)})
    world.max_rejected_share = 0.1
    places = [(0, "unit-1", 0), (20, "unit-3", 0), (21, "unit-3", 1)]
    with pytest.raises(StageError, match=r"rejected 2 of 3 records .* over embed.max_rejected_share = 10.0%"):
        embed(world.start_run("r", places, "model-a", "model-a"))


def test_a_damaged_image_unit_stops_the_stage(world: World, twenty: Places) -> None:
    path = next(Path(world.store.root, f"images/{world.prep_id}").glob("unit-2-*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"unit-2-\w+.parquet does not match its checksum"):
        embed(world.start_run("r", twenty, "model-a", "model-a"))


def test_mixed_spaces_are_refused(world: World, twenty: Places) -> None:
    with pytest.raises(StageError, match="model model-a is of space model-a, the train stage of this run says model-z"):
        embed(world.start_run("r", twenty, "model-a", "model-z"))


def test_photos_prepared_for_another_model_are_refused(world: World, twenty: Places) -> None:
    world.add_model("model-b", prep_id="32x32-q95-v1")
    with pytest.raises(StageError, match=r"reads photos prepared as 32x32-q95-v1, this run prepared 16x12-q95-v1"):
        embed(world.start_run("r", twenty, "model-b", "model-b"))


def test_nothing_to_embed_is_an_error(world: World) -> None:
    with pytest.raises(StageError, match="there is nothing to embed"):
        embed(world.start_run("r", [(99, "", -1)], "model-a", "model-a"))


def test_the_newest_model_of_the_space_stands_for_a_photo_in_both(world: World, twenty: Places) -> None:
    world.add_model("model-b", space_id="model-a")
    embed(world.start_run("one", twenty[:4], "model-a", "model-a"))
    zeros, n = np.zeros((1, DIM)), digest_of(2)
    from pipelines.embed.outputs import Outputs, unit_tables

    zeros[0, 0] = 1
    outputs = Outputs(zeros.astype(np.float32), *(np.zeros((1, 4), t) for t in (np.uint8, np.int32, np.float32)))
    UnitTable(world.store, "embeddings/model-a/model-b").commit("0" * 16, *unit_tables(pa.array([n]), [""], outputs))
    embed(world.start_run("two", twenty[:4], "model-b", "model-a"))

    assert {k: row["model_id"] for k, row in resolved(world, "two").items()} == {
        0: "model-a",
        1: "model-a",
        2: "model-b",
        3: "model-a",
    }


@pytest.mark.parametrize(
    ("metrics", "wanted", "todo", "is_new_space", "said"),
    [
        ({"images_per_s": 500.0}, 44072, 44072, True, "vector space: all 44,072 photos are inferred, about 88 s at"),
        ({}, 100, 100, True, "opens a new vector space: all 100 photos are inferred"),
        ({}, 100, 100, False, "100 of 100 photos have no vector of space m yet, nor the bytes of"),
        ({"images_per_s": 500.0}, 100, 1, False, "1 of 100 photos have no vector of space m yet, nor the bytes of a "
         "photo that has one, and are inferred, about 1 s"),
        ({}, 100, 0, False, "nothing new: all 100 photos have a vector"),
    ],
)  # fmt: skip
def test_the_cost_is_said(metrics: dict[str, float], wanted: int, todo: int, is_new_space: bool, said: str) -> None:
    facts = ModelFacts("m", "m", "p", 16, 12, 8, 8, LeafFacts("", (), (), None), (), (), {}, metrics)
    assert said in stage.cost(facts, {"wanted": wanted, "todo": todo, "is_new_space": is_new_space})


def _called(stops: StopsAfter) -> object:
    class Called:
        def __init__(self, store: Store, facts: ModelFacts) -> None:
            self.decode = stops(store, facts).decode

        def __call__(self, pixels: np.ndarray) -> object:
            return stops.infer(pixels)

    return Called


def test_where_nothing_is_new_the_vectors_of_the_live_release_are_taken(world: World, twenty: Places) -> None:
    first = embed(world.start_run("first", twenty, "model-a", "model-a"))
    make_live(world.store, "first")
    second = embed(world.follow("second", "first"))
    assert (second["outputs"], second["uri"]) == (first["outputs"], first["uri"])
    assert ledger(second) == (20, 0, 20, 0)
    assert (second["counts"]["inferred"], second["counts"]["units"], second["counts"]["models"]) == (0, 0, 1)
    assert not list(world.store.list("runs/second/embed/vectors"))


def test_a_unit_that_went_is_inferred_again(world: World, twenty: Places) -> None:
    embed(world.start_run("first", twenty, "model-a", "model-a"))
    make_live(world.store, "first")
    table = "embeddings/model-a/model-a"
    lost = UnitTable(world.store, table).unit_ids()[0]
    for entry in list(world.store.list(table)):
        if lost in entry.name:
            world.store.delete(entry.name)
    second = embed(world.follow("second", "first"))
    assert second["counts"]["inferred"] > 0
    assert second["outputs"]["vectors"] == "runs/second/embed/vectors"
    assert len(resolved(world, "second")) == 20
