"""Finding units that are damaged or lost, and taking their commits back, so that a run makes them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam

from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import ListUnits
from pipelines.store import Store, StoreError, UnitTable


@dataclass(frozen=True)
class Damaged:
    """A unit that cannot be read, of the table below `prefix`, and why."""

    prefix: str
    unit_id: str
    why: str


def find_damaged(store: Store, jobs: Jobs, prefixes: Sequence[str], name: str) -> list[Damaged]:
    """Read back every unit of the tables below `prefixes` and return the damaged ones.

    Their list is kept as the object `name`, for it comes from workers.
    """

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | ListUnits(store, prefixes)
            | "Verify" >> beam.FlatMap(_verify, store)
            | beam.combiners.ToList()
            | "Keep" >> beam.Map(lambda found: store.put(name, json.dumps(found).encode()))
        )

    jobs.run("verify", build)
    return sorted((Damaged(**one) for one in store.read_json(name)), key=lambda d: (d.prefix, d.unit_id))


def drop(store: Store, damaged: Iterable[Damaged]) -> None:
    """Take the commits of damaged units back."""
    for one in damaged:
        UnitTable(store, one.prefix).drop(one.unit_id)


def _verify(unit: tuple[str, str], store: Store) -> Iterator[dict[str, Any]]:
    prefix, unit_id = unit
    try:
        UnitTable(store, prefix).verify(unit_id)
    except StoreError as error:
        yield asdict(Damaged(prefix, unit_id, str(error)))
