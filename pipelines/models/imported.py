"""Models that were not trained here: a SavedModel becomes a model of the store, which opens a space of its own.

What it says of categories is put in the store's words: a `taxonomy.json` beside it (as stores keep beside their models)
tells which category each column is, and its `model.json`, if there is one, which of them were learned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipelines.errors import StageError
from pipelines.models.contract import ATTRIBUTE, Capabilities, capabilities_of
from pipelines.store import Store
from pipelines.tables.taxonomy import LEAF, extend_taxonomy, read_taxonomy
from trainer.config import LEAF_OUTPUT
from transforms.photo import PrepSpec

TAXONOMY: Final = "taxonomy.json"
EVERYTHING: Final = 1.0
"""The mass of categories to scan of a model that nobody has calibrated."""


@dataclass(frozen=True)
class Foreign:
    """A SavedModel's folder, and what is told beside it: words of its columns, and facts where a store exported it."""

    saved_model: Path
    words: Mapping[str, Any]
    told: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> Foreign:
        """Return what is in a folder: a SavedModel, or one in `saved_model/` as stores keep them."""
        inner = folder / "saved_model"
        saved_model = inner if inner.is_dir() else folder
        words, told = (_json(folder / name) for name in (TAXONOMY, "model.json"))
        return cls(saved_model, words, told)

    def checksum(self) -> str:
        """Return the sha256 of all files of the SavedModel, by name."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.saved_model.rglob("*") if path.is_file()):
            name = path.relative_to(self.saved_model).as_posix()
            digest.update(f"{name}|{hashlib.sha256(path.read_bytes()).hexdigest()}|".encode())
        return digest.hexdigest()


def import_model(store: Store, folder: Path, prep_id: str, origin: str | None = None) -> dict[str, Any]:
    """Check a SavedModel and put it into the store; return its `model.json`. The same model again is the same one.

    `prep_id` is how the store's photos are prepared, `origin` where the model is from. Raises StageError that says what
    of the contract the model lacks.
    """
    foreign = Foreign.of(folder)
    found = capabilities_of(foreign.saved_model)
    _check_preparation(foreign, found, prep_id)
    columns = _columns(foreign, found)
    checksum = foreign.checksum()
    named = json.dumps([checksum, prep_id, columns], sort_keys=True)
    model_id = hashlib.sha256(named.encode()).hexdigest()[:16]
    target = f"models/{model_id}"
    if not store.exists(f"{target}/model.json"):
        facts = _facts(store, foreign, found, columns)
        lineage = {"origin": origin or folder.resolve().name, "sha256": checksum, "at": datetime.now(UTC).isoformat()}
        ids = {"model_id": model_id, "space_id": model_id, "prep_id": prep_id}
        store.stage_out(foreign.saved_model, f"{target}/saved_model")
        store.create_json(f"{target}/model.json", {**ids, **facts, "lineage": {"imported": lineage, "train_key": None}})
    return dict(store.read_json(f"{target}/model.json"))


def is_imported(facts: Mapping[str, Any]) -> bool:
    """Tell of a `model.json` whether the model was imported: nothing goes on from it, or is compared with it."""
    return "imported" in (facts.get("lineage") or {})


def _check_preparation(foreign: Foreign, found: Capabilities, prep_id: str) -> None:
    prepared, told = PrepSpec.from_prep_id(prep_id), foreign.told.get("prep_id", prep_id)
    if (found.height, found.width) != (prepared.height, prepared.width):
        raise StageError(
            f"the model reads photos of {found.height} x {found.width}, the config prepares {prepared.height} x "
            f"{prepared.width}; set preprocess.height = {found.height} and preprocess.width = {found.width}"
        )
    if told != prep_id:
        raise StageError(
            f"the model's model.json says that it reads photos prepared as {told}, the config prepares {prep_id}; set "
            "preprocess.quality to the same, and import models of the same version of this program"
        )


def _columns(foreign: Foreign, found: Capabilities) -> dict[str, list[str]]:
    """Return the word of every column, by output. Raises StageError where the words are missing or others in number."""
    levels: list[Mapping[str, int]] = foreign.words.get("levels", [])
    words: dict[str, Mapping[str, int]] = {LEAF_OUTPUT: foreign.words.get("leaves", {})}
    words |= dict(zip(found.levels, levels, strict=False))
    words |= {f"{ATTRIBUTE}{name}": values for name, values in foreign.words.get("attributes", {}).items()}
    columns = {}
    for output, count in found.columns.items():
        known = words.get(output, {})
        columns[output] = sorted(known, key=known.__getitem__)
        if sorted(known.values()) != list(range(count)):
            raise StageError(
                f"the model gives {output!r} of {count} columns, and {TAXONOMY} beside it names {len(known)}; write "
                '{"leaves": {"Shoes > Boots": 0, ...}, "levels": [{"Shoes": 0, ...}, ...], "attributes": {"colour": '
                '{"red": 0, ...}}} there, a number from 0 for each column, or export the model without this output'
            )
    return columns


def _facts(store: Store, foreign: Foreign, found: Capabilities, columns: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what `model.json` says of a model beside its names; categories get slots of this store."""
    leaves, levels = columns.get(LEAF_OUTPUT, []), [columns[name] for name in found.levels]
    seen = [(LEAF, value) for value in leaves]
    seen += [(f"level:{level}", value) for level, values in enumerate(levels) for value in values]
    extend_taxonomy(store, seen)
    taxonomy = read_taxonomy(store)
    slots = [taxonomy["leaves"][value] for value in leaves]
    by_level = [[taxonomy["levels"][level][value] for value in values] for level, values in enumerate(levels)]
    told = foreign.told.get("leaf") or {}
    learned = [slots[column] for column in told.get("trained", range(len(slots)))]
    trained = foreign.told.get("trained") or [range(len(values)) for values in levels]
    return {
        "height": found.height,
        "width": found.width,
        "dim": found.dim,
        "bits": found.bits,
        "leaf": {
            "slots": slots,
            "trained": learned,
            "temperature": told.get("temperature", 1.0),
            "category_mass": told.get("category_mass", EVERYTHING),
            "photos": told.get("photos", 0),
        },
        "levels": by_level,
        "trained": [[of[column] for column in known] for of, known in zip(by_level, trained, strict=True)],
        "attributes": {name: columns[f"{ATTRIBUTE}{name}"] for name in found.attributes},
        "ranking": foreign.told.get("ranking"),
        "metrics": {},
    }


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StageError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise StageError(f"{path} holds no object of names and values; a store writes such a file beside each model")
    return found
