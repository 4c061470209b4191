"""A tiny shop with a model of a few numbers, taken through the real stages; each stage may be left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import Result

from pipelines.config import load_config
from pipelines.releases.history import append, make_entry, read_history
from pipelines.releases.release import read_release
from pipelines.runs.commands import typed
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import Manifest
from pipelines.runs.outputs import EvaluateOutputs, IndexOutputs, PromoteOutputs, StageOutputs, TrainOutputs
from pipelines.runs.sequence import open_run, run_stage
from pipelines.telemetry.progress import Progress
from tests.catalogue.shop import COLUMNS, Shop
from tests.embed.world import CODE_BYTES, DIM, LEAVES, LEVELS
from tests.models.model_json import model_json
from transforms.photo import PrepSpec

MODEL, HEIGHT, WIDTH = "m1", 24, 16
PREP_ID = PrepSpec(HEIGHT, WIDTH).prep_id
LEAF = {"slots": LEAVES, "trained": LEAVES, "category_mass": 0.95}


class TracedShop(Shop):
    """A shop of which items are traced."""

    def write_config(self, **sections: Any) -> Path:
        catalogue = {"columns": COLUMNS, "max_rejected_share": 1.0, **sections.pop("catalogue", {})}
        preprocess = {"height": HEIGHT, "width": WIDTH, "max_rejected_share": 1.0, **sections.pop("preprocess", {})}
        embed = {"max_rejected_share": 1.0}
        return super().write_config(catalogue=catalogue, preprocess=preprocess, embed=embed, **sections)

    def add_model(self, exported: Path) -> None:
        """Put an exported model where train leaves it."""
        self.store.stage_out(exported, f"models/{MODEL}/saved_model")
        sizes = {"height": HEIGHT, "width": WIDTH, "dim": DIM, "bits": 8 * CODE_BYTES}
        self.store.create_json(
            f"models/{MODEL}/model.json", model_json(MODEL, prep_id=PREP_ID, levels=LEVELS, leaf=LEAF, **sizes)
        )

    def take(self, run_id: str, **more: Any) -> None:
        """Take a run to its index; the model is the one that was put there."""
        self.run(run_id, "catalogue", "preprocess", **more)
        self.stage(run_id, TrainOutputs(MODEL, MODEL, "reused", ""))
        self.run(run_id, "embed", "index")

    def stage(self, run_id: str, outputs: StageOutputs, refusal: str | None = None) -> Manifest:
        """Leave behind what a stage does, without its work."""
        context = self.context(run_id)
        return run_stage(context, outputs.stage, lambda _: StageResult(Ledger(0, 0), {}, outputs, refusal=refusal))

    def context(self, run_id: str) -> RunContext:
        return open_run(load_config(self.config), run_id, Progress(quiet=True))

    def promote(self, run_id: str, release_id: str) -> None:
        """Make the index of a run the live one."""
        index = self.context(run_id).outputs(IndexOutputs)
        number, head = self.head()
        parts = {"model": {"model_id": MODEL}, "index": {"index_id": index.index_id}, "space": {"space_id": MODEL}}
        catalogue = {"catalogue_id": head["catalogue_id"], "catalogue_number": number, "run_id": run_id}
        self.store.create_json(f"releases/{release_id}/manifest.json", {"release_id": release_id, **parts, **catalogue})
        release, history = read_release(self.store, release_id), read_history(self.store)
        entry = make_entry(release, "promote", None, run_id=run_id, config_digest="", reason=None)
        assert append(self.store, history, entry)
        self.stage(run_id, EvaluateOutputs(release_id, True))
        self.stage(run_id, PromoteOutputs(release_id, history.number + 1))

    def trace(self, item_id: str, *arguments: str, code: int | None = None) -> dict[str, Any]:
        """Trace an item by the command line; return its JSON."""
        result = self.traced(item_id, "--json", *arguments)
        assert code is None or result.exit_code == code, f"{result.exit_code}: {result.output}"
        value: dict[str, Any] = json.loads(result.stdout)
        return value

    def typed(self, command: str, *words: str) -> str:
        """A command as it is typed for this shop."""
        return typed(command, str(self.config), *words)

    def traced(self, item_id: str, *arguments: str) -> Result:
        result = self.cli("trace", *arguments, "--", item_id)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result
