"""One TOML file -> frozen sections, one a stage, validated when loaded.

Unknown keys, missing files and impossible sizes are errors that name the key, the value and the fix. Paths in the file
are relative to the file's folder. Owns no stage logic; imports nothing heavy.
"""

from pipelines.config.engines import OUR_LABELS, BeamSection, DataflowSection, FlinkSection, VertexSection
from pipelines.config.fetching import FetchSection, HostSection
from pipelines.config.judge import JudgeSection
from pipelines.config.loading import Config, ConfigError, load_config
from pipelines.config.prices import PricesSection
from pipelines.config.serving import ServingSection
from pipelines.config.shop import CatalogueSection, Columns, Media, RoleRule, StoreSection
from pipelines.config.stages import (
    IMAGENET,
    EmbedSection,
    EvaluateSection,
    IndexSection,
    MonitoringSection,
    PreprocessSection,
    PromoteSection,
    SearchSection,
    TrainSection,
)

__all__ = [
    "IMAGENET",
    "OUR_LABELS",
    "BeamSection",
    "CatalogueSection",
    "Columns",
    "Config",
    "ConfigError",
    "DataflowSection",
    "EmbedSection",
    "EvaluateSection",
    "FetchSection",
    "FlinkSection",
    "HostSection",
    "IndexSection",
    "JudgeSection",
    "Media",
    "MonitoringSection",
    "PreprocessSection",
    "PricesSection",
    "PromoteSection",
    "RoleRule",
    "SearchSection",
    "ServingSection",
    "StoreSection",
    "TrainSection",
    "VertexSection",
    "load_config",
]
