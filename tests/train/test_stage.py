"""What is trained beside which live model, and when an equal training is adopted."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.config import VertexSection
from pipelines.errors import StageError
from pipelines.runs.context import Overrides
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.store import Store, open_store
from pipelines.tables.buckets import write_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS
from pipelines.tables.taxonomy import extend_taxonomy, read_taxonomy, values_of
from pipelines.telemetry.progress import Progress
from pipelines.train import stage
from pipelines.train.examples import Examples
from pipelines.train.stage import run
from tests.models.model_json import model_json
from tests.train.conftest import PREP, FakeTraining, MakeContext, finish_preprocess, go_live, write_items, write_photos


def test_the_first_model_has_nothing_to_start_from_or_to_be_compared_with(
    make_context: MakeContext, training: FakeTraining
) -> None:
    assert run(make_context()).outputs.decision == "trained"
    assert [(spec.parent, spec.baseline) for spec in training.specs] == [(None, None)]


@pytest.mark.parametrize(
    ("floor", "count"),
    [
        (2, None),
        (3, "1 of the 2 leaf categories with a usable photo has 3 photos"),
        (9, "none of the 2 leaf categories"),
    ],
)
def test_what_nothing_can_be_learned_of_is_told_before_the_training(
    floor: int,
    count: str | None,
    make_context: MakeContext,
    training: FakeTraining,
    store: Store,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finish_preprocess(store, "thin", "of-thin")
    write_items(store, "of-thin", ["a", "b"], {"a": ("shoes > boots", ""), "b": ("bags", "")})
    write_photos(store, "thin", {"a": 4, "b": 2})
    run(replace(make_context("thin", min_leaf_images=floor), progress=Progress()))
    lines = [line for line in capsys.readouterr().err.splitlines() if "the model will name no other" in line]
    assert len(lines) == (count is not None)
    assert count is None or f"train: {count}" in lines[0]


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return next(line for line in capsys.readouterr().err.splitlines() if "training takes" in line)


def test_what_a_training_costs_counts_copies_of_a_photo_once(
    make_context: MakeContext, training: FakeTraining, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is embedded again when there was no model."""
    rows = [
        {
            "item_id": name,
            "role": "main",
            "split": "train",
            "code": code,
            "digest": digest and digest.rjust(32, b"-")[::-1],
        }
        for name, code, digest in (("a", "", b"1"), ("b", "", b"1"), ("c", "", b"2"), ("d", "corrupt", None))
    ]
    write_bucket(store, "runs/r1/preprocess/photos", 0, pa.Table.from_pylist(rows, RESOLVED_PHOTOS))
    run(replace(make_context(), progress=Progress()))
    assert told(capsys).endswith("and then all 2 different photos are embedded")
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1")
    write_bucket(store, "runs/r2/preprocess/photos", 0, pa.Table.from_pylist(rows, RESOLVED_PHOTOS))
    run(replace(make_context("r2", policy="always", seed=2), progress=Progress()))
    assert told(capsys).endswith("the new model opens a space: all 2 different photos will be embedded again")


def test_too_few_examples_are_told_with_why_photos_teach_nothing(
    make_context: MakeContext, training: FakeTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejects = {"in_test_split": 5, "leaf_disagrees": 60}
    details = {"in_test_split": "c: shoes / shoes", "leaf_disagrees": "a: shoes > boots / shoes > clogs"}
    found = Examples("examples/r1", "runs/r1/train/photos", 68, {"train": 3}, rejects, details, "checksum")
    monkeypatch.setattr("pipelines.train.examples.build_examples", lambda *_: found)
    with pytest.raises(StageError) as caught:
        run(make_context())
    assert str(caught.value).splitlines() == [
        "too few images to train: 3 to learn from and 0 held out, train.min_images = 100; "
        "65 of 68 photos teach nothing:",
        "  leaf_disagrees 60: the items that show the photo are of several leaf categories, for example "
        "a: shoes > boots / shoes > clogs",
        "  in_test_split 5: an item of the test split shows the photo too, for example c: shoes / shoes",
    ]


@pytest.mark.parametrize(
    ("counts", "fix"), [({"train": 3, "val": 1}, "add photos, or lower it"), ({"train": 300}, "add photos")]
)
def test_too_few_examples_of_too_few_photos(
    make_context: MakeContext, training: FakeTraining, monkeypatch: pytest.MonkeyPatch, counts: dict[str, int], fix: str
) -> None:
    found = Examples("examples/r1", "runs/r1/train/photos", sum(counts.values()), counts, {}, {}, "checksum")
    monkeypatch.setattr("pipelines.train.examples.build_examples", lambda *_: found)
    with pytest.raises(StageError, match=rf"{counts.get('val', 0)} held out, train\.min_images = 100; {fix}$"):
        run(make_context())


def notes_of_kept(make_context: MakeContext, store: Store, trained: list[str], today: dict[str, str]) -> list[str]:
    """Return what is told of a live model that knows boots, clogs and sandals, beside today's items by their leaves."""
    run(make_context())
    go_live(store, "model1")
    extend_taxonomy(store, [*values_of(["shoes", "sandals"]), *values_of(["lamps"])])
    slots = read_taxonomy(store)["leaves"]
    known = [slots[f"shoes > {name}"] for name in ("boots", "clogs", "sandals")]
    facts = store.read_json("models/model1/model.json")
    facts["leaf"] |= {"slots": known, "trained": [slots[name] for name in trained]}
    store.put("models/model1/model.json", json.dumps(facts).encode())
    write_items(store, "of-r2", today, {item: (leaf, "") for item, leaf in today.items()})
    write_photos(store, "r2", dict.fromkeys(today, 1))
    finish_preprocess(store, "r2", "of-r2")
    kept, *notes = run(make_context("r2", policy="reuse", min_leaf_images=4)).notes
    assert kept == "the live model model1 is kept (reuse)"
    return notes


@pytest.mark.parametrize(
    ("trained", "today", "told"),
    [
        (["shoes > boots"], {"a": "shoes > boots"}, None),  # clogs and sandals are of the past
        (
            ["shoes > boots"],
            {"a": "shoes > boots", "b": "shoes > clogs"},
            "1 of the 2 leaf categories with a usable photo was learned: the others had fewer than 4 photos to learn "
            "from (train.min_leaf_images; those held out to choose and measure by left out). Their items are found by "
            "likeness, but the model names only the categories above them",
        ),
        (
            ["shoes > boots"],
            {"a": "shoes > clogs", "b": "lamps"},
            "none of the 2 leaf categories with a usable photo was learned: they had fewer than 4 photos to learn from "
            "(train.min_leaf_images; those held out to choose and measure by left out) or are newer than the model. "
            "Their items are found by likeness, but the model names only the categories above them, where there are "
            "any",
        ),
        (
            ["shoes > boots"],
            {"a": "shoes > boots", "b": "lamps"},
            "1 of the 2 leaf categories with a usable photo was learned: the others are newer than the model. Their "
            "items are found by likeness, but the model names none of them",
        ),
    ],
)
def test_leaves_of_today_that_were_not_learned_are_said_while_the_model_lives(
    make_context: MakeContext,
    training: FakeTraining,
    store: Store,
    trained: list[str],
    today: dict[str, str],
    told: str | None,
) -> None:
    assert notes_of_kept(make_context, store, trained, today) == ([] if told is None else [told])


def test_photos_are_of_the_size_they_were_prepared_in_whatever_the_configuration_says_by_now(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    finish_preprocess(store, "r2", "c1", "32x48-q95-v1")
    run(make_context("r2"))  # its configuration says 24 x 16
    assert (training.specs[0].height, training.specs[0].width) == (32, 48)


@pytest.mark.parametrize("warm_start", [True, False])
def test_a_new_model_is_compared_with_the_live_one_warm_start_or_not(
    make_context: MakeContext, training: FakeTraining, store: Store, warm_start: bool
) -> None:
    run(make_context())
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1")
    run(make_context("r2", policy="always", warm_start=warm_start, seed=2))
    spec = training.specs[1]
    assert spec.baseline is not None
    assert Path(spec.baseline).name == "model1"
    assert spec.parent == (spec.baseline if warm_start else None)
    lineage = store.read_json("models/model2/model.json")["lineage"]
    assert lineage["parent"] == ("model1" if warm_start else None)


def test_a_live_model_of_other_photos_can_neither_be_compared_nor_started_from(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1", "32x32-q95-v1")
    run(make_context("r2"))
    assert (training.specs[1].parent, training.specs[1].baseline) == (None, None)


@pytest.mark.parametrize("policy", ["reuse", "on_change"])
def test_photos_that_are_prepared_in_another_version_are_trained_on_whatever_the_policy(
    make_context: MakeContext, training: FakeTraining, store: Store, policy: str
) -> None:
    run(make_context())
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1", PREP.replace("-v1", "-v2"))
    result = run(make_context("r2", policy=policy))
    assert (result.outputs.decision, len(training.specs)) == ("trained", 2)
    wanted = f"photos are prepared as {training.specs[1].prep_id}, the live model reads {PREP}"
    assert result.outputs.reason == f"trained model2: {wanted}"
    assert (training.specs[1].parent, training.specs[1].baseline) == (None, None)


def forget_leaves(store: Store, model_id: str) -> None:
    """Leave a model as one that was exported before leaves had a head."""
    name = f"models/{model_id}/model.json"
    facts = store.read_json(name)
    del facts["leaf"]
    store.put(name, json.dumps(facts).encode())


@pytest.mark.parametrize("policy", ["reuse", "on_change", "always"])
def test_a_live_model_without_a_leaf_head_is_replaced_whatever_the_policy(
    make_context: MakeContext, training: FakeTraining, store: Store, policy: str
) -> None:
    run(make_context())
    go_live(store, "model1")
    forget_leaves(store, "model1")
    finish_preprocess(store, "r2", "c1")
    outputs = run(make_context("r2", policy=policy)).outputs
    assert (outputs.decision, outputs.model_id) == ("trained", "model2")
    assert training.specs[1].parent is not None  # its trunk is worth starting from
    assert training.specs[1].baseline is None  # what it says of leaves cannot be compared


def test_a_live_model_without_a_leaf_head_cannot_stand_in_for_a_refused_one(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    go_live(store, "model1")
    forget_leaves(store, "model1")
    training.refused = "accuracy of leaf is 0.1000, under the bound train.min_accuracy = 0.5"
    finish_preprocess(store, "r2", "c1")
    with pytest.raises(StageError, match=r"the first model with a leaf head was refused: accuracy of leaf"):
        run(make_context("r2"))


def test_a_model_without_a_leaf_head_is_not_used_by_name(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    forget_leaves(store, "model1")
    with pytest.raises(
        StageError, match=r"model model1 was made before a category at any depth .* `visual-search run`"
    ):
        run(replace(make_context(), overrides=Overrides(model_id="model1")))


def use_imported(make_context: MakeContext, store: Store) -> None:
    """Have a run use a model that was imported, and promote it."""
    facts = model_json("theirs", prep_id=PREP) | {"lineage": {"imported": {"origin": "a paper"}, "train_key": None}}
    store.create_json("models/theirs/model.json", facts)
    outputs = run(replace(make_context(), overrides=Overrides(model_id="theirs"))).outputs
    assert (outputs.model_id, outputs.space_id, outputs.decision) == ("theirs", "theirs", "reused")
    go_live(store, "theirs")


def test_an_imported_model_is_kept_until_there_is_news_since_its_first_run(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    use_imported(make_context, store)
    finish_preprocess(store, "r2", "c1")
    kept = run(make_context("r2"))
    assert (kept.outputs.decision, kept.outputs.model_id) == ("reused", "theirs")
    assert kept.notes == ["the live model theirs is kept (on_change)"]  # no word of leaves: it names none
    write_items(store, "c3", ["a", "b", "c", "d", "e"])
    finish_preprocess(store, "r3", "c3")
    trained = run(make_context("r3"))
    assert trained.outputs.reason == (
        "trained model1: 1 of 5 items are new since the live model, over train.change_share = 0.05"
    )


def test_a_training_neither_goes_on_from_an_imported_model_nor_is_compared_with_it(
    make_context: MakeContext, training: FakeTraining, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    use_imported(make_context, store)
    finish_preprocess(store, "r2", "c1")
    run(replace(make_context("r2", policy="always"), progress=Progress()))
    assert (training.specs[0].parent, training.specs[0].baseline) == (None, None)
    assert (
        "the live model theirs was imported: train.max_accuracy_drop has nothing to compare" in capsys.readouterr().err
    )


def test_a_refused_model_leaves_the_live_one_and_is_not_trained_again(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    go_live(store, "model1")
    training.refused = "accuracy changed by -0.2"
    for name in ("r2", "r3"):
        finish_preprocess(store, name, "c1")
        result = run(make_context(name, policy="always", warm_start=False, seed=2))
        assert (result.outputs.decision, result.outputs.model_id) == ("refused", "model1")
    assert len(training.specs) == 2


def test_the_verdict_of_another_live_model_is_not_adopted(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    go_live(store, "model1")
    training.refused = "accuracy changed by -0.2"
    finish_preprocess(store, "r2", "c1")
    cold = {"policy": "always", "warm_start": False}
    run(make_context("r2", **cold, seed=2))
    training.refused = None
    finish_preprocess(store, "r3", "c1")
    run(make_context("r3", **cold, seed=3))
    go_live(store, "model3")
    finish_preprocess(store, "r4", "c1")
    result = run(make_context("r4", **cold, seed=2))  # refused beside model1; nobody has compared it with model3
    assert result.outputs.model_id == "model4"
    assert Path(training.specs[3].baseline or "").name == "model3"


def test_an_equal_cold_training_adopts_the_live_model(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    cold = {"policy": "always", "warm_start": False}
    run(make_context(**cold))
    go_live(store, "model1")
    finish_preprocess(store, "r2", "c1")
    assert run(make_context("r2", **cold)).outputs.model_id == "model1"
    assert len(training.specs) == 1


def test_a_refused_first_model_fails_the_run(make_context: MakeContext, training: FakeTraining) -> None:
    training.refused = "accuracy of leaf is 0.1000, under the bound train.min_accuracy = 0.5"
    with pytest.raises(StageError, match=r"the first model was refused: accuracy of leaf is 0\.1000, under"):
        run(make_context(min_accuracy=0.5))


def test_one_category_is_refused_by_name_before_anything_is_trained(
    make_context: MakeContext, training: FakeTraining, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "one"))
    extend_taxonomy(store, values_of(["Shoes"]))
    finish_preprocess(store, "r1", "c1")
    with pytest.raises(StageError, match=r"all items are in one category \(Shoes\); a model needs two .* finer column"):
        run(replace(make_context(), store=store))
    assert training.specs == []
    assert not list(store.list("models"))


def test_the_training_is_told_which_roles_to_repeat(make_context: MakeContext, training: FakeTraining) -> None:
    run(make_context(repeat={"catalogue": 8}))
    assert training.specs[0].repeat == {"catalogue": 8}


def test_vertex_ai_reads_the_examples_in_the_store_and_is_told_the_name_of_its_job(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    from pipelines.train.launch import VERTEX_MODULE
    from pipelines.train.vertex_job import VertexJob

    context = make_context()
    place = {"project": "p-1", "region": "europe-west4", "image": "r/worker:1", "pipeline_root": "gs://work/vertex"}
    section = VertexSection.model_validate({**place, "service_account": "trainer@p-1"})
    there = context.config.train.model_copy(update={"engine": "vertex", "vertex": section})
    run(replace(context, config=context.config.model_copy(update={"train": there})))
    (spec,) = training.specs
    assert training.modules == [VERTEX_MODULE]
    assert spec.examples == f"{store.uri}/examples/all"
    key = store.read_json("models/model1/model.json")["lineage"]["train_key"]
    assert training.jobs == [VertexJob.of(section, store.uri, "r1", key)]
    run(make_context("r1"))  # where it was learned is not what was learned: the model is adopted
    assert len(training.specs) == 1


def test_photos_are_accounted_for_and_what_teaches_nothing_is_told_with_an_example(
    make_context: MakeContext, training: FakeTraining
) -> None:
    result = run(make_context())
    assert result.ledger.counts() == {"in": 600, "ok": 550, "skipped": 47, "rejected": 3}
    assert result.ledger.rejects == {"leaf_disagrees": 3}
    assert result.notes[2:] == ["3 of 600 rejected: leaf_disagrees 3", "  leaf_disagrees, for example a: b / c"]


@pytest.mark.parametrize(
    "other",
    [{"policy": "always"}, {"change_share": 0.5}, {"memory_bytes": 1 << 20}, {"checkpoint_s": 5}, {"min_images": 9}],
)
def test_an_equal_training_of_another_run_is_adopted_whenever_and_wherever_it_is_to_be_done(
    make_context: MakeContext, training: FakeTraining, store: Store, other: dict[str, object]
) -> None:
    extend_taxonomy(store, [("attribute:brand", "one")])
    run(make_context())
    extend_taxonomy(store, [("attribute:brand", "another")])  # no head learns brands
    finish_preprocess(store, "r2", "c1")
    outputs = run(make_context("r2", **other)).outputs
    assert (outputs.model_id, outputs.decision) == ("model1", "adopted")
    assert "adopted, of an equal training, model1: there is no live model yet" in outputs.reason
    assert len(training.specs) == 1


@pytest.mark.parametrize("other", [{"seed": 2}, {"steps": 5}, {"min_accuracy": 0.1}, {"attributes": ["brand"]}])
def test_another_training_is_done(
    make_context: MakeContext, training: FakeTraining, store: Store, other: dict[str, object]
) -> None:
    extend_taxonomy(store, [("attribute:brand", "one")])
    run(make_context())
    finish_preprocess(store, "r2", "c1")
    assert run(make_context("r2", **other)).outputs.model_id == "model2"


def test_photos_that_were_prepared_in_another_way_are_another_training(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context())
    finish_preprocess(store, "r2", "c1", "24x16-q95-v2")
    assert run(make_context("r2")).outputs.model_id == "model2"


def test_a_training_that_died_goes_on_on_another_machine_and_leaves_no_checkpoints(
    make_context: MakeContext, training: FakeTraining, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    training.dies_after = 120
    with pytest.raises(StageError) as died:
        run(make_context(steps=200))
    (kept,) = [entry.name for entry in store.list("runs/r1/train/checkpoints")]
    assert str(died.value).splitlines() == [
        "training failed in Trainer: the loss is nan",
        f"the last checkpoint is {store.uri}/{kept}: the same run, with the same [train], goes on from there",
    ]
    monkeypatch.setattr(stage.tempfile, "gettempdir", lambda: str(tmp_path / "another machine"))
    training.dies_after = None
    run(make_context(steps=200))
    assert training.found == [[], ["checkpoint", "ckpt-120.data-00000-of-00001", "ckpt-120.index"]]
    assert not list(store.list("runs/r1/train/checkpoints"))


def test_a_training_with_other_settings_starts_anew(make_context: MakeContext, training: FakeTraining) -> None:
    training.dies_after = 120
    with pytest.raises(StageError):
        run(make_context(learning_rate=0.1))
    training.dies_after = None
    run(make_context(learning_rate=0.01))
    assert training.found == [[], []]


def test_categories_that_no_item_has_had_for_long_are_told(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    slot = read_taxonomy(store)["leaves"]["shoes > clogs"]
    absent = {"leaf": {str(slot): "2026-01-01T00:00:00+00:00"}}
    store.create_json("catalogue/log/00000002.json", {"at": "2026-04-11T00:00:00+00:00", "absent": absent})
    outputs = CatalogueOutputs("c1", 2, {}).as_json()
    store.put("runs/r1/catalogue/manifest.json", json.dumps({"outputs": outputs}).encode())
    told = "categories that no item has had for 100 days or more, which models name no more"
    assert any(
        note.startswith(told) and note.endswith(": 1, such as 'shoes > clogs'")
        for note in run(make_context(retire_after_days=100)).notes
    )
    assert not any("no item has had" in note for note in run(make_context(retire_after_days=101)).notes)
