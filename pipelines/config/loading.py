"""One TOML file -> the whole configuration; what is wrong is an error that names the key, the value and the fix."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import tomllib
from operator import attrgetter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from pipelines.config.base import Section
from pipelines.config.engines import BeamSection
from pipelines.config.fetching import FetchSection
from pipelines.config.judge import JudgeSection, in_database
from pipelines.config.places import FOLDER, is_remote
from pipelines.config.prices import PricesSection
from pipelines.config.problems import explain
from pipelines.config.serving import ServingSection
from pipelines.config.shop import CatalogueSection, StoreSection
from pipelines.config.stages import (
    EmbedSection,
    EvaluateSection,
    IndexSection,
    MonitoringSection,
    PreprocessSection,
    PromoteSection,
    SearchSection,
    TrainSection,
)
from trainer.files import in_bucket, is_utf8

LEARNS_NOT = "train.attributes does not name (it names {})"
MAPS_NOT = "catalogue.columns.signals does not map (it maps {})"


NOT_OF_RUNS = {"folder", "store", "prices", "serving", "judge"}
"""What no run's result depends on."""
SAMPLE = "-sample"
"""Behind the name of a store: that of its sample."""


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key, the value and the fix."""


class Config(Section):
    """The whole configuration of one environment."""

    recipe: Literal["etsy", "ebay"] = "ebay"
    store: StoreSection
    catalogue: CatalogueSection
    fetch: FetchSection = FetchSection()
    preprocess: PreprocessSection = PreprocessSection()
    train: TrainSection = TrainSection()
    embed: EmbedSection = EmbedSection()
    index: IndexSection = IndexSection()
    search: SearchSection = SearchSection()
    evaluate: EvaluateSection = EvaluateSection()
    promote: PromoteSection = PromoteSection()
    serving: ServingSection = ServingSection()
    judge: JudgeSection = JudgeSection()
    beam: BeamSection = BeamSection()
    monitoring: MonitoringSection = MonitoringSection()
    prices: PricesSection = PricesSection()
    folder: str = Field("", description="the config file's folder; set when loaded")

    @model_validator(mode="after")
    def _trains_where_the_store_is(self) -> Config:
        if self.train.engine == "vertex" and not in_bucket(self.store.uri):
            raise ValueError(
                f"train.engine = 'vertex', but store.uri = {self.store.uri!r} is no bucket, and Vertex AI reads the "
                "training examples from the store; set store.uri = 'gs://BUCKET/PREFIX', or train.engine = 'local'"
            )
        return self

    @model_validator(mode="after")
    def _weighs_what_is_there(self) -> Config:
        learned, mapped = self.train.attributes, list(self.catalogue.columns.signals)
        attributes = self.search.attribute_weights or {}
        for key, weights, known, what, lacks, fix in (
            ("attribute_weights", attributes, learned, "an attribute", LEARNS_NOT, "add it there"),
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
    def _knows_the_demand(self) -> Config:
        name, mapped = self.judge.demand, list(self.catalogue.columns.signals)
        if name is not None and name not in mapped:
            raise ValueError(
                f"judge.demand = {name!r} is a signal that {MAPS_NOT.format(', '.join(mapped) or 'none')}; map its "
                "column there, or remove the key"
            )
        return self

    @model_validator(mode="after")
    def _lies_where_dataflow_sees_it(self) -> Config:
        if self.beam.runner == "dataflow":
            catalogue = self.catalogue
            read: dict[str, str | None] = {"store.uri": self.store.uri, "catalogue.photo_root": catalogue.photo_root}
            read |= {"catalogue.snapshot": catalogue.snapshot, "catalogue.deltas": catalogue.deltas}
            read |= {"catalogue.media.path": catalogue.media.path if catalogue.media else None}
            read |= {f"catalogue.allowed_roots[{n}]": root for n, root in enumerate(catalogue.allowed_roots)}
            for key, value in read.items():
                if value is not None and not is_remote(value):
                    raise ValueError(
                        f'{key} = {value!r} is no gs:// URI, and workers of beam.runner = "dataflow" see no other '
                        "machine's files; copy it to a bucket and name that"
                    )
        return self

    def locate(self, location: str) -> str:
        """Return a path of the file as an absolute one, relative to the file's folder; an address or URI as it is."""
        if is_remote(location):
            return location
        return str(Path(self.folder, os.path.expanduser(location)).resolve())

    @property
    def answers(self) -> str:
        """Where people's answers are kept: a file's absolute path, or a database's address."""
        kept = self.judge.answers
        return kept if in_database(kept) else self.locate(kept)

    def sampled(self) -> Config:
        """Return the same configuration for a sample of the shop, in a store of its own that nobody watches."""
        store = self.store.model_copy(update={"uri": f"{self.store.uri.rstrip('/')}{SAMPLE}"})
        monitoring = self.monitoring.model_copy(update={"folder": None})
        return self.model_copy(update={"store": store, "monitoring": monitoring})

    def with_policy(self, policy: str) -> Config:
        """Return the same configuration with another `train.policy`, one of POLICIES."""
        return self.model_copy(update={"train": self.train.model_copy(update={"policy": policy})})

    def fingerprint(self) -> str:
        """Return 16 hex digits of all that the configuration says of runs, but for where its file and its store lie."""
        return self.digest(*(name for name in type(self).model_fields if name not in NOT_OF_RUNS))

    def digest(self, *names: str) -> str:
        """Return 16 hex digits that name the values of sections, or of single keys such as 'train.attributes'."""
        values = {name: attrgetter(name)(self) for name in names}
        plain = {k: v.model_dump(mode="json") if isinstance(v, BaseModel) else v for k, v in values.items()}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def load_config(path: str | Path) -> Config:
    """Read and validate a TOML file. Raises ConfigError that names the file, the key, the value and the fix."""
    path = Path(path)
    try:
        raw = tomllib.loads(_text_of(path))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no config file {str(path)!r}; check the path given with --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}; save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}{_hint(error)}") from error
    folder = str(path.resolve().parent)
    _check_utf8("the config file's folder", folder)
    if "folder" in raw:
        raise ConfigError(f"{path}: unknown key 'folder'; remove it")
    try:
        config = Config.model_validate({**raw, "folder": folder}, context={FOLDER: folder})
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {explain(problem, Config)}" for problem in error.errors())) from error
    return _with_absolute_paths(config)


def _text_of(path: Path) -> str:
    """Return a file's text, without the mark that editors of Windows begin UTF-8 with."""
    raw = path.read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        raise ConfigError(f"{path} is UTF-16, and TOML is UTF-8; save it as that")
    return raw.decode("utf-8-sig")


def _hint(error: Exception) -> str:
    if "\\" not in str(error):
        return ""
    return "; in double quotes a backslash begins an escape: write two, or 'single quotes', which know no escapes"


def _check_utf8(what: str, folder: str) -> None:
    if not is_utf8(folder):
        raise ConfigError(f"{what} {os.fsencode(folder)!r} has a name that is no UTF-8; rename it")


def _with_absolute_paths(config: Config) -> Config:
    store = config.store.model_copy(update={"uri": config.locate(config.store.uri)})
    _check_utf8(f"store.uri = {config.store.uri!r}: the folder", store.uri)
    flink = config.beam.flink
    if flink.setup_file is not None:
        flink = flink.model_copy(update={"setup_file": config.locate(flink.setup_file)})
    beam = config.beam.model_copy(update={"flink": flink})
    return config.model_copy(update={"store": store, "beam": beam})
