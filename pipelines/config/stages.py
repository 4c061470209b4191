"""What each stage after the catalogue does, how it is measured, and what watches it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from pipelines.config.base import Finite, Positive, Section, Share
from pipelines.config.engines import VertexSection
from pipelines.config.places import Place, validated_place
from trainer.weight_files import OF_TORCH, PUBLISHED, SUFFIXES
from transforms.photo import Limits, PrepSpec


class PreprocessSection(Section):
    """How photos are prepared, and into which splits new groups of items fall."""

    height: Annotated[int, Field(ge=16, le=2048)] = 96
    width: Annotated[int, Field(ge=16, le=2048)] = 96
    quality: Annotated[int, Field(ge=92, le=100)] = 95
    max_pixels: Positive = 64 << 20
    max_bytes: Positive = 64 << 20
    min_side: Positive = 16
    photos_a_unit: Positive = 2000
    val_share: Share = 0.1
    test_share: Share = 0.1
    max_group_share: Share = 0.02
    max_items_a_photo: Positive | None = Field(
        None, description="a photo, or its look, that more items have is a placeholder"
    )
    dropped_photos: Place | None = Field(None, description="file of digests of photos that show no product")
    max_rejected_share: Share = 0.1

    @model_validator(mode="after")
    def _leaves_some_to_learn_from(self) -> PreprocessSection:
        if self.val_share + self.test_share >= 1:
            raise ValueError(
                f"val_share = {self.val_share:g} and test_share = {self.test_share:g} leave nothing to learn from; "
                "lower them until their sum is below 1"
            )
        return self

    @property
    def spec(self) -> PrepSpec:
        """How photos are prepared."""
        return PrepSpec(self.height, self.width, self.quality)

    @property
    def limits(self) -> Limits:
        """What makes a photo a reject."""
        return Limits(max_bytes=self.max_bytes, max_pixels=self.max_pixels, min_side=self.min_side)


IMAGENET = "imagenet"
Trunk = Literal[
    "tiny",
    "small",
    "resnet50",
    "efficientnet_lite0",
    "efficientnet_v2_b0",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "resnet50_v1",
]
NAMED_ELSEWHERE = ("initial_weights", "head_share", "trunk_rate")
"""Keys of [train] that a training's name holds in another way: the bytes of the weights, and rates if there are any."""
WHEN_AND_WHERE = (
    "policy",
    "change_share",
    "retire_after_days",
    "max_images",
    "min_images",
    "memory_bytes",
    "warm_start",
    "checkpoint_s",
    "engine",
    "vertex",
)
"""Keys of [train] that decide nothing of what is learned from given examples and a given parent."""


def _imagenet_or_place(value: str, info: ValidationInfo) -> str:
    if value == IMAGENET:
        return value
    if not value.endswith(SUFFIXES):
        raise ValueError(f"is neither {IMAGENET!r} nor a file of weights, which ends with {', '.join(SUFFIXES)}")
    return validated_place(value, info)


class TrainSection(Section):
    """What is trained, how long, when, and where."""

    policy: Literal["reuse", "on_change", "always"] = "on_change"
    trunk: Trunk = "small"
    initial_weights: Annotated[str, AfterValidator(_imagenet_or_place)] | None = Field(
        None, description="of the trunk: 'imagenet', or a file; unset, it starts from scratch"
    )
    head_share: Annotated[float, Field(ge=0, lt=1)] = Field(0.2, description="before the trunk's weights move too")
    trunk_rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="of the learning rate, for the trunk")
    minutes: Annotated[float, Field(gt=0)] = 10.0
    steps: Positive | None = Field(None, description="instead of minutes")
    batch: Positive = 128
    learning_rate: Annotated[float, Field(gt=0)] = 1e-2
    seed: int = 1
    max_images: Positive = 500_000
    min_images: Positive = 100
    min_leaf_images: Positive = 5
    repeat: dict[str, Positive] = Field(default_factory=dict, description="role -> times in one pass over all photos")
    attributes: list[str] = Field(default_factory=list, description="attributes that get a head")
    attribute_weight: Annotated[float, Field(gt=0)] = Field(0.3, description="of an attribute's loss; the leaf's is 1")
    min_attribute_images: Positive = Field(10, description="a value of fewer photos gets no column of a head")
    max_attribute_values: Positive = Field(1000, description="the most columns of a head")
    held_out_leaves: Share = Field(0.0, description="leaves that are never learned from, to measure what is new")
    scenes: Share = Field(0.0, description="photos on a plain ground that are shown as customers take them")
    hash_minutes: Annotated[float, Field(gt=0)] = 1.0
    hash_steps: Positive | None = Field(None, description="instead of hash_minutes")
    memory_bytes: Positive = 4 << 30
    min_accuracy: Share = Field(0.0, description="absolute gate of the Evaluator on the leaf")
    max_accuracy_drop: Share = Field(0.05, description="gate of the Evaluator against the live model")
    change_share: Share = Field(0.05, description="on_change: retrain when this share of items is new since the model")
    retire_after_days: Positive = Field(90, description="a category that no item has had for so long is named no more")
    warm_start: bool = True
    checkpoint_s: Positive = 60
    engine: Literal["local", "vertex"] = Field("local", description="where the TFX pipeline runs")
    vertex: VertexSection | None = None

    @model_validator(mode="after")
    def _starts_from_what_there_is(self) -> TrainSection:
        told, trunk = self.initial_weights, self.trunk
        if told == IMAGENET and trunk not in PUBLISHED:
            raise ValueError(
                f"initial_weights = {IMAGENET!r}, and there are none of trunk = {trunk!r}; set trunk to one of "
                f"{', '.join(map(repr, PUBLISHED))}, or remove initial_weights"
            )
        if told is not None and told.endswith(".pth") and trunk != OF_TORCH:
            raise ValueError(
                f"initial_weights = {told!r} is a file of PyTorch, which is read for trunk = {OF_TORCH!r} alone, not "
                f"for {trunk!r}; name one of Keras"
            )
        return self

    @model_validator(mode="after")
    def _says_where(self) -> TrainSection:
        if self.engine == "vertex" and self.vertex is None:
            raise ValueError("engine = 'vertex', but there is no [train.vertex]; say there where, or set 'local'")
        return self

    @property
    def learned_by(self) -> list[str]:
        """The keys that decide what is learned from given examples and how it is judged, and not where or when."""
        return [f"train.{name}" for name in type(self).model_fields if name not in (*WHEN_AND_WHERE, *NAMED_ELSEWHERE)]


class EmbedSection(Section):
    """How photos become vectors."""

    batch: Positive = 256
    photos_a_unit: Positive = 4000
    max_rejected_share: Share = 0.01
    accelerator: str | None = Field(
        None, description="Beam resource hint, such as 'type:nvidia-l4;count:1;install-nvidia-driver'"
    )
    min_ram_bytes: Positive | None = Field(None, description="Beam resource hint: memory of a machine for this step")


class IndexSection(Section):
    """Which indexes are built from which photos, and how much memory they may take."""

    kinds: list[Literal["hnsw", "ivf_pca", "binary"]] | None = Field(None, description="what the recipe lists if unset")
    roles: list[str] = Field(default_factory=lambda: ["main"], description="photos of these roles are the gallery")
    memory_bytes: Positive = 8 << 30
    similar: Annotated[int, Field(ge=0)] = 20


class SearchSection(Section):
    """The query plan; what is unset comes from the recipe."""

    candidates: Literal["exact", "hnsw", "ivf_pca", "binary"] | None = None
    depth: Positive | None = None
    categories: Positive | None = None
    category_mass: Share | None = Field(None, description="what the model was calibrated to if unset")
    unit: Literal["item", "group"] | None = None
    category_weight: Annotated[Finite, Field(ge=0)] | None = None
    attribute_weights: dict[str, Finite] | None = Field(None, description="attribute -> its weight")
    signal_weights: dict[str, Finite] = Field(default_factory=dict, description="our name of a signal -> its weight")


class EvaluateSection(Section):
    """How a release is measured, and the gates it must pass."""

    queries: Positive = 1000
    roles: list[str] = Field(
        default_factory=list, description="photos of these roles are queries; if empty, the test split"
    )
    floors: dict[str, float] = Field(default_factory=lambda: {"recall.candidates_at_10": 0.9})
    margins: dict[str, float] = Field(
        default_factory=lambda: {
            "recall.candidates_at_10": 0.02,
            "retrieval.p_at_10": 0.05,
            "retrieval.leaf_{attribute}_p_at_10": 0.05,
            "retrieval.same_item_hit_at_5": 0.05,
            "retrieval.cold_p_at_10": 0.05,
            "retrieval.cold_same_item_hit_at_5": 0.05,
        }
    )
    anchor_releases: Annotated[int, Field(ge=0)] = Field(
        10, description="the last releases that were live, whose best is a bound too"
    )
    histogram_margin: Annotated[float, Field(ge=-1, le=1)] = Field(
        0.05, description="lead over colour histograms in what ten results hold of those of the leaf"
    )
    examples: Positive = 30


ServiceAddress = Annotated[str, Field(pattern=r"^https?://[^/\s@?#]+(/[^\s?#]*)?$")]


class PromoteSection(Section):
    """How many releases are kept, to go back to or to accept, who serves what is live, and who judges it first."""

    keep: Positive = 5
    keep_refused_days: Annotated[float, Field(ge=0)] = 7.0
    services: list[ServiceAddress] = Field(
        [], description="addresses of `visual-search serve`; promote and rollback wait until each answers with it"
    )
    services_wait_s: Annotated[float, Field(gt=0)] = Field(600.0, description="then promote fails, and says which not")
    judged: Literal["never", "new_model", "always"] = Field("never", description="which releases people judge first")
    preference_lower: Annotated[float, Field(ge=-1, le=1)] = Field(
        -0.03, description="the least judge.preference_lower with which a judged release goes live"
    )


class MonitoringSection(Section):
    """Where Prometheus' node exporter finds what the stages have done."""

    folder: Place | None = Field(None, description="folder of its textfile collector; it must be there")
    environment: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,50}$")] = "default"
