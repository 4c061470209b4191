"""The node between ExampleValidator and what trains: serious anomalies stop the run before it costs anything."""
# No `from __future__ import annotations`: the component decorator reads the annotations as objects.

from collections.abc import Iterable
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import v1 as tfx
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from pipelines.train.schema import WITHOUT_STATISTICS


def serious(anomalies: Any) -> list[str]:
    """Return '<feature>: <what is wrong>' for each error of an `Anomalies` proto; warnings are left out.

    Features that no statistics are made of are "missing" to TFX; Transform itself fails on those.
    """
    found = [
        f"{name}: {info.description.rstrip('.')}"
        for name, info in sorted(anomalies.anomaly_info.items())
        if info.severity == info.ERROR and name not in WITHOUT_STATISTICS
    ]
    dataset = anomalies.dataset_anomaly_info
    return found + ([dataset.description] if dataset.severity == dataset.ERROR else [])


def refuse(by_split: Iterable[tuple[str, list[str]]]) -> None:
    """Raise ValueError that names every serious anomaly, unless there is none."""
    lines = [f"{split}: {text}" for split, texts in by_split for text in texts]
    if lines:
        raise ValueError(
            f"the training examples are not as their schema says ({'; '.join(lines)}); mend the catalogue's labels"
        )


@tfx.dsl.components.component
def CheckAnomalies(  # noqa: N802 - a TFX component is named as a class
    anomalies: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleAnomalies],
) -> None:
    """Fail when a split has a serious anomaly."""
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    refuse((split, serious(_read(f"{anomalies.uri}/Split-{split}/SchemaDiff.pb"))) for split in splits)


def _read(path: str) -> Any:
    with fileio.open(path, "rb") as file:
        return anomalies_pb2.Anomalies.FromString(file.read())
