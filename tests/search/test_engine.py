"""Searching a release with photos and with items."""

import math
from pathlib import Path

import pytest
from PIL import Image

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.rows import UnknownItemError
from pipelines.search import engine as engine_module
from pipelines.search.engine import SearchEngine
from pipelines.store import Log, StoreError, open_store
from tests.search.conftest import SLOTS
from transforms.photo import Box


@pytest.fixture(scope="module")
def opened(shop):
    with SearchEngine.open(shop.config, shop.store) as opened:
        yield opened


def test_every_catalogue_photo_finds_its_item_first(shop, opened) -> None:
    answers = list(opened.search_photos(shop.photos, 5))
    assert [answer.query for answer in answers] == [str(path) for path in shop.photos]
    for answer, item_id in zip(answers[1:39], shop.item_ids[1:39], strict=True):
        assert answer.release_id == "r1"
        assert len(answer.results) == 5
        assert answer.results[0].item_id == item_id
    # the first and the last item show the same photo: both are found, either first
    for answer in (answers[0], answers[39]):
        assert {result.item_id for result in answer.results[:2]} == {shop.item_ids[0], shop.item_ids[39]}
        assert answer.results[0].score == pytest.approx(answer.results[1].score)
    assert answers[1].results[0].category == ("shop", "boots")
    assert answers[1].results[0].image_uri == "boots/01.jpg"


def test_a_score_is_a_similarity_of_at_most_one_whatever_the_ranking_adds(shop, opened) -> None:
    # the recipe ranks by 0.05 times the probability of the item's category beside the cosine
    for answer in opened.search_photos(shop.photos[:3], 10):
        assert answer.results[0].score == pytest.approx(1, abs=1e-3)
        assert all(result.score <= 1 for result in answer.results)


def test_items_leave_out_themselves_and_who_shows_the_same_photo(shop, opened) -> None:
    first, second = opened.search_items([shop.item_ids[0], shop.item_ids[1]], 6)
    assert len(first.results) == 6
    assert not {shop.item_ids[0], shop.item_ids[39]} & {result.item_id for result in first.results}
    assert shop.item_ids[1] not in {result.item_id for result in second.results}
    assert first.photo == b""


def test_an_unknown_item_is_that_query_s_error(shop, opened) -> None:
    unknown, known = opened.search_items(["nope", shop.item_ids[3]], 2)
    assert (unknown.code, unknown.results, unknown.failed) == ("unknown_item", (), True)
    assert "'nope' is not in the index" in unknown.detail
    assert len(known.results) == 2


def test_bad_photos_are_their_own_errors_and_the_others_are_answered(shop, opened, tmp_path: Path) -> None:
    whole = shop.photos[2].read_bytes()
    files = {
        "cut.jpg": whole[: len(whole) // 2],
        "page.jpg": b"<html>not found</html>",
        "empty.jpg": b"",
        "good.jpg": whole,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    paths = [*(tmp_path / name for name in files), tmp_path / "folder", tmp_path / "none.jpg"]
    answers = list(opened.search_photos(paths, 3))
    assert [answer.code for answer in answers] == ["truncated", "not_an_image", "empty", "", "no_photos", "missing"]
    assert answers[3].results[0].item_id == shop.item_ids[2]
    assert all(answer.detail for answer in answers if answer.failed)


def test_a_rotated_transparent_png_finds_its_item(shop, opened, tmp_path: Path) -> None:
    picture = Image.open(shop.photos[5]).convert("RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise when shown
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    answer = next(opened.search_photos([tmp_path / "turned.png"], 1))
    assert answer.results[0].item_id == shop.item_ids[5]


def test_the_model_gets_full_batches_of_good_photos(shop, opened, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, model = [], opened._model

    def counted(jpegs):
        sizes.append(len(jpegs))
        return model(jpegs)

    monkeypatch.setattr(opened, "_model", counted)
    monkeypatch.setattr(engine_module, "BATCH", 16)
    assert len(list(opened.search_photos(shop.photos, 1))) == 40
    assert sizes == [16, 16, 8]


def test_more_results_than_items_are_all_items(shop, opened) -> None:
    answer = next(opened.search_photos([shop.photos[0]], 1000))
    assert sorted(result.item_id for result in answer.results) == sorted(shop.item_ids)
    assert all(math.isfinite(result.score) and result.score <= 1 for result in answer.results)


def test_items_need_no_model(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "QueryModel", None)
    with SearchEngine.open(shop.config, shop.store, "r1") as fresh:
        assert len(next(fresh.search_items([shop.item_ids[0]], 3)).results) == 3


def test_a_store_without_a_live_release(shop, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="has no live release yet; make one with `visual-search run`"):
        SearchEngine.open(shop.config, open_store(str(tmp_path)))
    with pytest.raises(StoreError, match="holds no release 'r7'"):
        SearchEngine.open(shop.config, shop.store, "r7")


def test_a_store_whose_only_run_was_refused_says_so(shop, tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    done = {"finished_at": "2026-11-21T10:00:00+00:00", "refusal": None}
    store.create_json("runs/r1/index/manifest.json", done)
    store.create_json("runs/r1/evaluate/manifest.json", done | {"refusal": "a gate"})
    with pytest.raises(StageError, match=r"yet: run 'r1' was refused in evaluate; `visual-search status` says why"):
        SearchEngine.open(shop.config, store)
    told = {"refusal": "it removes too much", "passes": "catalogue", "at": "2026-11-21T11:00:00+00:00"}
    store.create_json("runs/r2/catalogue/refused.json", told)
    with pytest.raises(StageError, match="run 'r2' was refused in catalogue"):
        SearchEngine.open(shop.config, store)


def test_a_store_without_a_live_release_whose_sample_has_one(shop, tmp_path: Path) -> None:
    whole, sample = (open_store(str(tmp_path / name)) for name in ("store", "store-sample"))
    with pytest.raises(StageError, match=r"`visual-search run`$"):
        SearchEngine.open(shop.config, whole)
    Log(sample, "live").append(1, {"release_id": "r1", "action": "promote", "run_id": "r"})
    with pytest.raises(StageError, match=r"The sample of `run --limit` has one: --sample looks into that"):
        SearchEngine.open(shop.config, whole)


def test_a_plan_that_the_index_was_not_built_for(shop) -> None:
    config = shop.config.model_dump() | {"search": {"candidates": "hnsw"}}
    with pytest.raises(StageError, match=r"index i1 cannot be searched: the plan searches 'hnsw', .* holds exact"):
        SearchEngine.open(Config.model_validate(config), shop.store)


def test_a_model_of_another_space_is_refused(shop) -> None:
    facts = shop.store.read_json("models/m1/model.json")
    shop.store.create_json("models/m2/model.json", facts | {"model_id": "m2", "space_id": "m2"})
    shop.store.create_json(
        "releases/r2/manifest.json", {"release_id": "r2", "model_id": "m2", "index_id": "i1", "catalogue_id": "c1"}
    )
    with pytest.raises(
        StageError, match="index i1 is of the space m1, model m2 of m2; their vectors cannot be compared"
    ):
        SearchEngine.open(shop.config, shop.store, "r2")


def test_categories_that_no_item_has_had_for_long_get_no_probability(shop, opened) -> None:
    """The catalogue of a later release says since when no item has boots."""
    since = {"leaf": {str(SLOTS[1]): "2026-01-01T00:00:00+00:00"}}
    shop.store.create_json("catalogue/log/00000007.json", {"at": "2026-06-01T00:00:00+00:00", "absent": since})
    manifest = shop.store.read_json("releases/r1/manifest.json")
    shop.store.create_json("releases/late/manifest.json", manifest | {"release_id": "late", "catalogue_number": 7})
    with SearchEngine.open(shop.config, shop.store, "late") as later:
        boots = later.facts.leaf.slots.index(SLOTS[1])
        assert SLOTS[1] not in later.facts.leaf.trained
        jpeg = next(iter(opened.search_photos([shop.photos[1]], 1))).photo
        named, not_named = (engine._model([jpeg]).probabilities[0] for engine in (opened, later))
        assert named.argmax() == later.facts.leaf.slots[boots]
        assert not_named[SLOTS[1]] == 0
        assert not_named.sum() == pytest.approx(1, abs=1e-3)


def test_a_photo_in_hand_is_answered_as_a_file_is(shop, opened) -> None:
    data = shop.photos[5].read_bytes()
    (answer,) = opened.search_photos([shop.photos[5]], 4)
    assert opened.prepare(data) == answer.photo
    outputs = opened.outputs([opened.prepare(data), opened.prepare(data, Box(0, 0, 90, 60))])
    whole, part = opened.found(outputs, 4)
    assert whole == answer.results
    assert part != whole
    (filtered, _) = opened.found(outputs, 4, [Filter(category=("shop", "lamps")), None])
    assert {result.category for result in filtered} == {("shop", "lamps")}


def test_how_results_were_found_is_told(shop, opened) -> None:
    outputs = opened.outputs([opened.prepare(shop.photos[5].read_bytes())])
    results, told = opened.explained(outputs, 4)
    assert list(results) == list(opened.found(outputs, 4)[0])
    assert told.seen[0].value == SLOTS[1]
    assert told.slots is not None
    assert SLOTS[1] in told.slots
    assert told.parts[0]["similarity"] == pytest.approx(results[0].score, abs=1e-6)


def test_hidden_items_are_not_found(shop) -> None:
    with SearchEngine.open(shop.config, shop.store) as engine:
        before = engine.similar(shop.item_ids[3], 3)
        engine.hide([before[0].item_id])
        assert engine.similar(shop.item_ids[3], 2) == before[1:]
        with pytest.raises(UnknownItemError):
            engine.item(before[0].item_id)
        assert engine.item(f" {shop.item_ids[3]} ")[0].item_id == shop.item_ids[3]
