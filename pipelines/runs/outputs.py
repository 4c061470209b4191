"""What each stage hands on to the later ones of its run; it stands in the stage's manifest, under `outputs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, Self

from pipelines.errors import StageError


@dataclass(frozen=True)
class StageOutputs:
    """The outputs of one stage; names of folders and objects are those of the store."""

    stage: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """Return them as they stand in a manifest."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what a manifest holds; what has a default, earlier versions have not written.

        Raises StageError when the run was made by a version that wrote others.
        """
        names = [field.name for field in fields(cls) if field.name in kept or field.default is MISSING]
        lacking = [name for name in names if name not in kept]
        if lacking:
            raise StageError(
                f"the {cls.stage} stage of this run says nothing of {lacking[0]!r}: another version of the program ran "
                "it; start a new run with another --run-id"
            )
        return cls(**{name: kept[name] for name in names})


@dataclass(frozen=True)
class CatalogueOutputs(StageOutputs):
    """The state of the shop that the run works on: its number in the catalogue's log, and how far each feed is read.

    `curated` names the object that lists the curators' decisions that the run keeps to.
    """

    stage = "catalogue"
    catalogue_id: str
    number: int
    positions: dict[str, str]
    curated: str = ""


@dataclass(frozen=True)
class PreprocessOutputs(StageOutputs):
    """The resolved table of photos, how they were prepared, and how many have a prepared photo."""

    stage = "preprocess"
    prep_id: str
    catalogue_id: str
    photos: str
    with_image: int

    @property
    def placeholders(self) -> str:
        """Name of the object, beside the table, that lists the keys of group_ids that make no variants."""
        return f"{self.photos.rpartition('/')[0]}/placeholders.json"


@dataclass(frozen=True)
class TrainOutputs(StageOutputs):
    """The model of the run; `decision` is trained, adopted (of an equal training), reused or refused."""

    stage = "train"
    model_id: str
    space_id: str
    decision: str
    reason: str


@dataclass(frozen=True)
class EmbedOutputs(StageOutputs):
    """The resolved table of vectors, and the model that queries must be embedded with."""

    stage = "embed"
    model_id: str
    space_id: str
    vectors: str


@dataclass(frozen=True)
class IndexOutputs(StageOutputs):
    """The index, the model and space of its vectors, and the object that lists the items hidden when it was built."""

    stage = "index"
    index_id: str
    space_id: str
    model_id: str
    hidden: str = ""


@dataclass(frozen=True)
class EvaluateOutputs(StageOutputs):
    """The release that was measured, and whether it passed its gates."""

    stage = "evaluate"
    release_id: str
    blessed: bool


@dataclass(frozen=True)
class PromoteOutputs(StageOutputs):
    """The release that went live, and the number of its entry in the live log."""

    stage = "promote"
    release_id: str
    live: int
