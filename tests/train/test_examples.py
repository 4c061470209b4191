"""What an example is: a photo once, with what its items agree on, in the most held-out of their splits."""

from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.runs.context import RunContext
from pipelines.store import Store, open_store
from pipelines.telemetry.progress import Progress
from pipelines.train import examples as module
from pipelines.train.examples import Examples, build_examples
from tests.train.conftest import BUCKETS
from tests.train.photos import SHAPE, Shown, build, prepare, read

SPLIT_UP = [Shown("n", 31), Shown("o", 31, split="test"), Shown("p", 32), Shown("q", 32, split="val")]
SPLIT_UP += [Shown("r", 33, split="val"), Shown("s", 33, split="test"), Shown("t", 34, split="test")]
ALL = [
    *(Shown(name, 1, colour="red") for name in "dcba"),
    Shown("a", 1, position=3, role="detail", colour="red"),
    Shown("e", 2, leaf="shoes", colour="blue"),
    *(Shown("f", 11), Shown("g", 11, leaf="shoes > clogs"), Shown("h", 12), Shown("i", 12, leaf="shoes")),
    *(Shown("j", 21, colour="red"), Shown("k", 21, colour="green")),
    *(Shown("l", 22, leaf="", colour="red"), Shown("h", 22), Shown("m", 23, leaf=""), Shown("n", 23, colour="")),
    *SPLIT_UP,
    *(Shown("u", 41), Shown("v", 42, code="truncated")),
]


def context_of(store: Store, run_id: str = "r1", **train: object) -> RunContext:
    columns = {"item_id": "i", "photos": "p", "category": "c"}
    raw = {"store": {"uri": store.uri}, "catalogue": {"snapshot": "feed.csv", "columns": columns}, "train": train}
    return RunContext(Config.model_validate(raw), store, run_id, BUCKETS, Progress(quiet=True))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Examples]:
    """The examples of ALL."""
    store = open_store(str(tmp_path_factory.mktemp("all") / "store"))
    return store, build(context_of(store), ALL)


@pytest.fixture
def learned(built: tuple[Store, Examples]) -> dict[int, dict[str, str]]:
    return read(*built)


def test_a_photo_is_one_example_however_many_items_show_it(learned) -> None:
    boots = {"leaf": "shoes > boots", "category_0": "shoes", "category_1": "shoes > boots"}
    first = {"item_id": "a", "role": "main", **boots, "attr_colour": "red"}
    shoes = {"leaf": "shoes", "category_0": "shoes", "category_1": ""}  # a leaf though there are deeper ones
    other = {"item_id": "e", "role": "main", **shoes, "attr_colour": "blue"}
    assert (learned[1], learned[2]) == (first, other)
    assert set(learned) == {1, 2, 21, 22, 23, 41}


def test_a_photo_of_two_leaves_teaches_nothing_and_is_counted_by_a_code(built) -> None:
    _, examples = built
    assert examples.rejects == {"leaf_disagrees": 2, "in_test_split": 2}
    assert examples.details["leaf_disagrees"] == "i: shoes / shoes > boots"  # the shortest of two


def test_every_photo_of_train_and_val_is_an_example_or_has_a_code(built) -> None:
    _, examples = built
    assert examples.counts == {"train": 6, "val": 1}
    assert examples.photos == 6 + 1 + 4  # neither that of the test split alone, nor the truncated one


def test_what_items_disagree_on_or_leave_out_is_not_learned_from_their_photo(learned) -> None:
    assert {number: learned[number]["attr_colour"] for number in (21, 22, 23)} == {21: "", 22: "red", 23: ""}
    assert {learned[number]["category_1"] for number in (21, 22, 23)} == {"shoes > boots"}


def test_a_photo_that_one_item_holds_out_another_one_does_not_teach(built, learned) -> None:
    assert set(read(*built, "val")) == {32}
    assert not {31, 33, 34} & set(learned)


SHOWN = [Shown(f"i{n}", n, split="val" if n % 5 == 0 else "train") for n in range(1, 11)]


OTHERS = [Shown("i3", 3, leaf="shoes > clogs"), Shown("i3", 3, split="val"), Shown("i3", 13)]
OTHERS += [Shown("i3", 3, colour="red")]


def test_examples_are_named_by_what_is_in_them_in_every_run_and_every_cut_into_units(store: Store) -> None:
    names = [build(context_of(store, f"r{units}"), SHOWN, unit_photos=units).checksum for units in (4, 3)]
    assert names[0] == names[1]
    for number, other in enumerate(OTHERS):
        changed = [other if one.item == "i3" else one for one in SHOWN]
        names.append(build(context_of(store, f"other{number}"), changed).checksum)
    assert len(set(names)) == 1 + len(OTHERS)


def test_a_day_has_its_sample_and_a_retry_on_the_next_day_that_of_its_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [Shown(f"i{n}", n) for n in range(1, 101)]

    def taken(run_id: str, day: str) -> set[int]:
        monkeypatch.setattr(module, "_today", lambda: day)
        if not store.exists(f"runs/{run_id}/preprocess/manifest.json"):
            prepare(store, run_id, shown)
        return set(read(store, build_examples(context_of(store, run_id, max_images=40), SHAPE)))

    monday = taken("r1", "2026-11-02")
    assert 20 < len(monday) < 60
    assert taken("r2", "2026-11-02") == monday
    assert taken("r3", "2026-11-03") != monday
    store.delete("runs/r1/train/examples.json")  # it was killed before it was done
    for entry in list(store.list("examples/r1")):
        store.delete(entry.name)
    assert taken("r1", "2026-11-03") == monday


def test_what_the_live_model_has_not_seen_is_learned_from_in_every_sample(store: Store) -> None:
    old = [Shown(f"i{n}", n) for n in range(1, 101)]
    examples = build(context_of(store, max_images=30), old)
    for entry in list(store.list(examples.digests)):
        store.create(f"models/live/photos/{entry.name.rpartition('/')[2]}", store.read(entry.name))
    new = [Shown("i1", 201), *(Shown(f"i{n}", n) for n in range(202, 221))]  # one is a new photo of an old item
    again = build(context_of(store, "r2", max_images=30), [*old, *new], beside="live")
    assert set(range(201, 221)) <= set(read(store, again))
    assert again.photos == 120
    assert sum(again.counts.values()) < 50


def test_no_leaf_falls_below_its_floor_in_a_sample(store: Store) -> None:
    rare = [Shown(f"r{n}", 500 + n, leaf=f"shoes > rare {n % 3}") for n in range(9)]
    rare += [Shown(f"s{n}", 600 + n, leaf="shoes > some") for n in range(12)]
    shown = [Shown(f"i{n}", n) for n in range(1, 301)]
    examples = build(context_of(store, max_images=50, min_leaf_images=4), [*shown, *rare])
    leaves = [row["category_1"] for row in read(store, examples).values()]
    assert [leaves.count(f"shoes > rare {n}") for n in range(3)] == [3, 3, 3]  # all that there are
    assert leaves.count("shoes > some") >= 4
    assert 20 <= leaves.count("shoes > boots") <= 60
