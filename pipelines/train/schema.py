"""The schema of the training examples, made from the taxonomy's labels and not inferred from the data at hand.

It says what Transform parses and what ExampleValidator finds missing. Domains stay open: a category that nobody has
seen before is no anomaly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config import level_label
from transforms.labels import PASSED_THROUGH, raw_feature_spec

REQUIRED_LABEL = level_label(0)
WITHOUT_STATISTICS = ("image", "digest")


def example_schema(slots: Mapping[str, Mapping[str, int]]) -> Any:
    """Return the `Schema` proto of examples with these labels (strings).

    Every example has item_id, digest, role, image and category_0, one value each; another label must occur somewhere,
    at most once an example. Raises ValueError when there is no `category_0`.
    """
    from tensorflow_transform.tf_metadata import schema_utils

    if REQUIRED_LABEL not in slots:
        raise ValueError(
            f"no label {REQUIRED_LABEL!r} among {', '.join(sorted(slots)) or 'none'}; a taxonomy has a top level"
        )
    schema = schema_utils.schema_from_feature_spec(raw_feature_spec(slots))
    for feature in schema.feature:
        if feature.name in slots:
            feature.value_count.max = 1
            feature.presence.min_count = 1
        if feature.name in (REQUIRED_LABEL, *PASSED_THROUGH):
            feature.presence.min_count = 1
            feature.presence.min_fraction = 1.0
    return schema


def write_schema(path: Path, slots: Mapping[str, Mapping[str, int]]) -> None:
    """Write the schema as text, as ImportSchemaGen reads it."""
    from google.protobuf import text_format

    path.write_text(text_format.MessageToString(example_schema(slots)), encoding="utf-8")


def statistics_features(slots: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the features that statistics are made of: not photos and digests, which would fill memory."""
    return [name for name in (*PASSED_THROUGH, *slots) if name not in WITHOUT_STATISTICS]
