"""A stage that is given what it was given in the run of the live release takes what was done there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import Config
from pipelines.releases.unchanged import digest_of, done_for_live, skipped
from pipelines.runs.context import Overrides, RunContext
from pipelines.runs.ledger import Ledger
from pipelines.store import open_store
from pipelines.telemetry.progress import Progress
from tests.releases.live import make_live

GIVEN = "0123456789abcdef"


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    """The run "new" of a store in which "old" is live, whose embed stage took what "older" had done."""
    store = open_store(str(tmp_path / "store"))
    columns = {"item_id": "sku", "photos": "image", "category": "path"}
    section = {"snapshot": "feed.csv", "columns": columns}
    config = Config.model_validate({"store": {"uri": str(tmp_path / "store")}, "catalogue": section})
    done: dict[str, Any] = {"rejects": {"corrupt": 1}, "given": GIVEN, "run_id": "older", "taken_from": ""}
    done["counts"] = {"in": 5, "ok": 1, "skipped": 3, "rejected": 1}
    store.create_json("runs/older/embed/manifest.json", done)
    store.create_json("runs/old/embed/manifest.json", done | {"run_id": "old", "taken_from": "older"})
    make_live(store, "old")
    return RunContext(config, store, "new", 2, Progress(quiet=True))


def test_the_same_is_taken_and_its_folder_is_kept_meanwhile(context: RunContext) -> None:
    done = done_for_live(context, "embed", GIVEN)
    assert done is not None
    assert done["run_id"] == "older"
    assert skipped(done) == Ledger(5, 0, 4, 1, {"corrupt": 1})
    assert context.store.exists("pins/runs/older/new.embed")


def test_nothing_is_taken_when_another_thing_was_given(context: RunContext) -> None:
    assert done_for_live(context, "embed", GIVEN[::-1]) is None
    assert done_for_live(context, "index", GIVEN) is None


def test_nothing_is_taken_from_a_run_that_is_not_live(context: RunContext) -> None:
    make_live(context.store, "bare")
    assert done_for_live(context, "embed", GIVEN) is None


def test_nothing_is_taken_from_a_release_that_names_no_run(context: RunContext) -> None:
    context.store.put("releases/r-old/manifest.json", b'{"release_id": "r-old"}')
    assert done_for_live(context, "embed", GIVEN) is None


def test_nothing_is_taken_when_the_folder_or_the_release_is_gone(context: RunContext) -> None:
    context.store.delete("runs/older/embed/manifest.json")
    assert done_for_live(context, "embed", GIVEN) is None
    context.store.delete("releases/r-old/manifest.json")
    assert done_for_live(context, "embed", GIVEN) is None


def test_a_run_of_the_past_does_everything_again(context: RunContext) -> None:
    assert done_for_live(replace(context, overrides=Overrides(catalogue=1)), "embed", GIVEN) is None


def test_what_was_given_is_told_apart_by_stage_config_and_inputs(context: RunContext) -> None:
    known = digest_of(context, "embed", "photos", {"unit": "1"})
    assert known == digest_of(context, "embed", "photos", {"unit": "1"})
    section = context.config.embed.model_copy(update={"batch": context.config.embed.batch + 1})
    other = replace(context, config=context.config.model_copy(update={"embed": section}))
    digests = {
        known,
        digest_of(context, "index", "photos", {"unit": "1"}),
        digest_of(context, "embed", "photos", {"unit": "2"}),
        digest_of(other, "embed", "photos", {"unit": "1"}),
    }
    assert len(digests) == 4
