"""One TOML file -> frozen sections, one a stage, validated when loaded.

Unknown keys, missing files and impossible sizes are errors that name the key, the value and the fix. Paths in the file
are relative to the file's folder. Owns no stage logic; imports nothing heavy.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from transforms.photo import Limits, PrepSpec

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]

ImageName = Annotated[
    str, Field(pattern=r"^[\w.-]+(:\d+)?(/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]{64})$", description="with tag or digest")
]
LabelKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,63}$")]

OUR_LABELS = "visual-search-"
LEARNS_NOT = "train.attributes does not name (it names {})"
MAPS_NOT = "catalogue.columns.signals does not map (it maps {})"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key, the value and the fix."""


class Section(BaseModel):
    """A frozen section in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class StoreSection(Section):
    """Where the store is, and its number of hash buckets, fixed when it is created."""

    uri: str
    buckets: Annotated[int, Field(gt=0, le=4096)] = 16


class Columns(Section):
    """Which columns of the shop's feed hold what; names are the shop's own."""

    item_id: str
    photos: str | list[str] = Field(description="one column, or numbered columns")
    photo_separator: str | None = Field(None, description="splits a list column, such as 'a.jpg|b.jpg'")
    category: str | list[str] = Field(description="one column with a separated path, or one column a level")
    category_separator: str = ">"
    title: str | None = None
    group_id: str | None = None
    price: str | None = None
    updated_at: str | None = None
    role: str | None = None
    split: str | None = None
    deleted: str | None = Field(None, description="true, 1, yes, delete or d: the item is gone")
    attributes: dict[str, str] = Field(default_factory=dict, description="our name -> the feed's column")
    signals: dict[str, str] = Field(default_factory=dict, description="our name -> the feed's numeric column")


class MediaColumns(Section):
    """Which columns of a separate table of photos hold what."""

    item_id: str
    photo: str
    role: str | None = None
    split: str | None = None
    box: list[str] | None = Field(None, description="four columns: left, top, right, bottom in pixels")

    @field_validator("box")
    @classmethod
    def _has_four_sides(cls, box: list[str] | None) -> list[str] | None:
        if box is not None and len(box) != 4:
            raise ValueError(f"{len(box)} columns; name four: left, top, right and bottom, in this order")
        return box


class Media(Section):
    """More photos of the same items, in a table of their own (street photos, reviews)."""

    path: str
    role: str = "street"
    columns: MediaColumns


class CatalogueSection(Section):
    """What feeds to read, how their columns map to ours, and when a snapshot is refused."""

    snapshot: str | None = Field(None, description="path, gs:// URI or glob of full lists: CSV, JSON lines, Parquet")
    deltas: str | None = Field(None, description="path, gs:// URI or glob of upsert/delete files, read in name order")
    delimiter: str = ","
    photo_root: str = Field(".", description="folder, or gs:// URI of one, that relative photo paths start from")
    default_role: str = "main"
    split_names: dict[str, Literal["train", "val", "test"]] = {"train": "train", "val": "val", "test": "test"}
    columns: Columns
    media: Media | None = None
    max_removed_share: Share = 0.3
    max_rejected_share: Share = 0.1

    @model_validator(mode="after")
    def _has_a_feed(self) -> CatalogueSection:
        if not (self.snapshot or self.deltas):
            raise ValueError("names no feed; set 'snapshot' or 'deltas'")
        return self


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


class VertexSection(Section):
    """Where Vertex AI runs the training, as whom, and on what machine."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.:-]*[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$")]
    image: str = Field(description="of every step, with the packages of this project; by tag or digest")
    pipeline_root: Annotated[str, Field(pattern=r"^gs://[^/]+")]
    service_account: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = Field(description="whom the steps run as")
    cpus: Positive = Field(8, description="of the Trainer's machine, at least")
    memory_gb: Positive = Field(32, description="of the Trainer's machine, at least")
    accelerator: str | None = Field(None, description="of the Trainer's machine, such as 'NVIDIA_L4'")
    accelerators: Positive = Field(1, description="how many of them")
    endpoint: Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)(:|/|$))")] | None = Field(
        None, description="another address of the service, such as one of Private Service Connect"
    )

    @field_validator("image")
    @classmethod
    def _names_a_version(cls, image: str) -> str:
        if not re.search(r"/[^/]+(:[\w.-]+|@sha256:[0-9a-f]{64})$", image):
            raise ValueError(
                "write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST; without a tag it may change while it is used"
            )
        return image


class TrainSection(Section):
    """What is trained, how long, when, and where."""

    policy: Literal["reuse", "on_change", "always"] = "on_change"
    trunk: Literal["small", "resnet50"] = "small"
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
    hash_minutes: Annotated[float, Field(gt=0)] = 1.0
    memory_bytes: Positive = 4 << 30
    min_accuracy: Share = Field(0.0, description="absolute gate of the Evaluator on the deepest level")
    max_accuracy_drop: Share = Field(0.05, description="gate of the Evaluator against the live model")
    change_share: Share = Field(0.05, description="on_change: retrain when this share of items is new since the model")
    warm_start: bool = True
    checkpoint_s: Positive = 60
    engine: Literal["local", "vertex"] = Field("local", description="where the TFX pipeline runs")
    vertex: VertexSection | None = None

    @model_validator(mode="after")
    def _says_where(self) -> TrainSection:
        if self.engine == "vertex" and self.vertex is None:
            raise ValueError("engine = 'vertex', but there is no [train.vertex]; say there where, or set 'local'")
        return self

    @property
    def learned_by(self) -> list[str]:
        """The keys that decide what is learned, and not where."""
        return [f"train.{name}" for name in type(self).model_fields if name not in ("engine", "vertex")]


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
    unit: Literal["item", "group"] | None = None
    category_weight: Annotated[Finite, Field(ge=0)] | None = None
    attribute_weights: dict[str, Finite] = Field(default_factory=dict, description="attribute -> its weight")
    signal_weights: dict[str, Finite] = Field(default_factory=dict, description="our name of a signal -> its weight")


class EvaluateSection(Section):
    """How a release is measured, and the gates it must pass."""

    queries: Positive = 1000
    roles: list[str] = Field(
        default_factory=list, description="photos of these roles are queries; if empty, the test split"
    )
    floors: dict[str, float] = Field(default_factory=lambda: {"recall.candidates_at_10": 0.9})
    margins: dict[str, float] = Field(
        default_factory=lambda: {"recall.candidates_at_10": 0.02, "retrieval.p_at_10": 0.05}
    )
    examples: Positive = 30


class PromoteSection(Section):
    """How many releases are kept for a rollback."""

    keep: Positive = 5


class FlinkSection(Section):
    """Where a Flink cluster is, and how its workers are started."""

    job_server: Annotated[str, Field(pattern=r"^[^/:\s]+:\d+$", description="host:port of Beam's job server")] = (
        "127.0.0.1:8099"
    )
    rest: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*[^/\s])?$")] = "http://127.0.0.1:8081"
    parallelism: Positive | None = Field(None, description="how many workers share a step; Flink's default if unset")
    worker_program: str = Field("/opt/visual-search/boot", description="started by TaskManagers; infra/flink/boot.py")
    worker_processes: Positive = Field(1, description="Python processes a TaskManager")
    setup_file: str | None = Field(None, description="setup.py of what workers install; they have it already if unset")


class DataflowSection(Section):
    """Where Dataflow jobs run, as whom, and on what machines."""

    project: Annotated[str, Field(pattern=r"^[a-z][-a-z0-9:.]+[a-z0-9]$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$")] | None = None
    zone: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+-[a-z]$")] | None = None
    temp_location: Annotated[str, Field(pattern=r"^gs://[a-z0-9][-_.a-z0-9]+[a-z0-9](/\S*)?$")] | None = None
    image: ImageName | None = Field(None, description="what workers run; it holds the project")
    gpu_image: ImageName | None = Field(None, description="of the job whose step has an accelerator; image if unset")
    service_account: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    network: Annotated[str, Field(pattern=r"^[a-z][-a-z0-9]*$")] | None = None
    subnetwork: Annotated[str, Field(pattern=r"^(https://|regions/)\S+$")] | None = None
    public_ips: bool = False
    machine_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = "n2-standard-4"
    disk_gb: Positive = 100
    max_workers: Positive = 10
    processes: Literal["one", "one_a_core"] = Field("one", description="Python processes a worker")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="on every job, for the bill")

    @field_validator("labels")
    @classmethod
    def _leaves_ours(cls, labels: dict[str, str]) -> dict[str, str]:
        if ours := [key for key in labels if key.startswith(OUR_LABELS)]:
            raise ValueError(f"labels that begin with {OUR_LABELS!r} are set by each job; rename {', '.join(ours)}")
        return labels


class BeamSection(Section):
    """Where Beam pipelines run, and with what options."""

    runner: Literal["in_process", "flink", "dataflow"] = "in_process"
    threads: Positive | None = Field(
        None, description="threads a worker uses for one unit; the number of cores if unset"
    )
    options: list[str] = Field(default_factory=list)
    flink: FlinkSection = FlinkSection()
    dataflow: DataflowSection = DataflowSection()

    @model_validator(mode="after")
    def _names_where_dataflow_is(self) -> BeamSection:
        if self.runner == "dataflow":
            for key in ("project", "region", "temp_location", "image"):
                if getattr(self.dataflow, key) is None:
                    raise ValueError(f'runner = "dataflow" needs beam.dataflow.{key}, which is not set; add it')
        return self


class MonitoringSection(Section):
    """Where Prometheus' node exporter finds what the stages have done."""

    folder: str | None = Field(None, description="folder of its textfile collector; it must be there")
    environment: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,50}$")] = "default"


class Config(Section):
    """The whole configuration of one environment."""

    recipe: Literal["etsy", "ebay"] = "ebay"
    store: StoreSection
    catalogue: CatalogueSection
    preprocess: PreprocessSection = PreprocessSection()
    train: TrainSection = TrainSection()
    embed: EmbedSection = EmbedSection()
    index: IndexSection = IndexSection()
    search: SearchSection = SearchSection()
    evaluate: EvaluateSection = EvaluateSection()
    promote: PromoteSection = PromoteSection()
    beam: BeamSection = BeamSection()
    monitoring: MonitoringSection = MonitoringSection()
    folder: str = Field("", description="the config file's folder; set when loaded")

    @model_validator(mode="after")
    def _trains_where_the_store_is(self) -> Config:
        if self.train.engine == "vertex" and not self.store.uri.startswith("gs://"):
            raise ValueError(
                f"train.engine = 'vertex', but store.uri = {self.store.uri!r} is no bucket, and Vertex AI reads the "
                "training examples from the store; set store.uri = 'gs://BUCKET/PREFIX', or train.engine = 'local'"
            )
        return self

    @model_validator(mode="after")
    def _weighs_what_is_there(self) -> Config:
        learned, mapped = self.train.attributes, list(self.catalogue.columns.signals)
        for key, weights, known, what, lacks, fix in (
            ("attribute_weights", self.search.attribute_weights, learned, "an attribute", LEARNS_NOT, "add it there"),
            ("signal_weights", self.search.signal_weights, mapped, "a signal", MAPS_NOT, "map its column there"),
        ):
            for name in weights:
                if name not in known:
                    raise ValueError(
                        f"search.{key}.{name} = {weights[name]:g} weighs {what} that "
                        f"{lacks.format(', '.join(known) or 'none')}; {fix}, or remove the weight"
                    )
        return self

    @model_validator(mode="after")
    def _lies_where_dataflow_sees_it(self) -> Config:
        if self.beam.runner == "dataflow":
            catalogue = self.catalogue
            read: dict[str, str | None] = {"store.uri": self.store.uri, "catalogue.photo_root": catalogue.photo_root}
            read |= {"catalogue.snapshot": catalogue.snapshot, "catalogue.deltas": catalogue.deltas}
            read |= {"catalogue.media.path": catalogue.media.path if catalogue.media else None}
            for key, value in read.items():
                if value is not None and not value.startswith("gs://"):
                    raise ValueError(
                        f'{key} = {value!r} is no gs:// URI, and workers of beam.runner = "dataflow" see no other '
                        "machine's files; copy it to a bucket and name that"
                    )
        return self

    def locate(self, location: str) -> str:
        """Return a path of the file as an absolute one, relative to the file's folder; a URI as it is."""
        if "://" in location:
            return location
        return str((Path(self.folder) / Path(location).expanduser()).resolve())

    def with_policy(self, policy: str) -> Config:
        """Return the same configuration with another `train.policy`, one of POLICIES."""
        return self.model_copy(update={"train": self.train.model_copy(update={"policy": policy})})

    def digest(self, *names: str) -> str:
        """Return 16 hex digits that name the values of sections, or of single keys such as 'train.attributes'."""
        values = {name: attrgetter(name)(self) for name in names}
        plain = {k: v.model_dump(mode="json") if isinstance(v, BaseModel) else v for k, v in values.items()}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def load_config(path: str | Path) -> Config:
    """Read and validate a TOML file. Raises ConfigError that names the file, the key, the value and the fix."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no config file {str(path)!r}; check the path given with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}") from error
    if "folder" in raw:
        raise ConfigError(f"{path}: unknown key 'folder'; remove it")
    try:
        config = Config.model_validate({**raw, "folder": str(path.resolve().parent)})
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, problem) for problem in error.errors())) from error
    return _with_absolute_paths(config)


def _with_absolute_paths(config: Config) -> Config:
    store = config.store.model_copy(update={"uri": config.locate(config.store.uri)})
    flink = config.beam.flink
    if flink.setup_file is not None:
        flink = flink.model_copy(update={"setup_file": config.locate(flink.setup_file)})
    beam = config.beam.model_copy(update={"flink": flink})
    return config.model_copy(update={"store": store, "beam": beam})


def _explain(path: Path, problem: Any) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], known, 1)
        fix = f"did you mean {near[0]!r}?" if near else f"known keys here: {', '.join(sorted(known))}"
        return f"{path}: unknown key {key!r} (value {problem['input']!r}); {fix}"
    if problem["type"] == "missing":
        return f"{path}: the key {key!r} is missing; add it"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], dict):  # the message names the values of the section that matter
        return f"{path}: [{key}] {message}" if key else f"{path}: {message}"
    return f"{path}: {key} = {problem['input']!r}: {message}"


def _known_keys(location: list[str]) -> list[str]:
    model: Any = Config
    for part in location:
        field = model.model_fields.get(part)
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return []
    return [name for name in model.model_fields if name != "folder"]
