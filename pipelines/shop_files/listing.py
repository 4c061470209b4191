"""The photos below a root in a bucket, listed: a list of a thousand costs what one question about one photo costs."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa

from pipelines.config.places import is_far
from pipelines.shop_files import locations
from pipelines.shop_files.fetch import LISTED
from pipelines.shop_files.files import RemoteFile

ROWS_A_TABLE = 10_000


class ListPhotos(beam.PTransform):
    """List the photos below a root in a bucket: tables of LISTED, none where the root is a folder."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = f"{root.rstrip('/')}/"

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """List the folders of the first level on one worker, what is below each on any."""
        roots = [self.root] if is_far(self.root) else []
        parts = (
            pipeline
            | beam.Create(roots, reshuffle=False)
            | beam.FlatMap(self._first_level).with_outputs("folders", main="tables")
        )
        below = parts.folders | beam.Reshuffle() | beam.FlatMap(lambda folder: self._tables(locations.walk(folder)))
        return (parts.tables, below) | beam.Flatten()

    def _first_level(self, root: str) -> Iterator[pa.Table | beam.pvalue.TaggedOutput]:
        folders, files = locations.folders(root)
        yield from (beam.pvalue.TaggedOutput("folders", folder) for folder in folders)
        yield from self._tables(iter(files))

    def _tables(self, files: Iterator[RemoteFile]) -> Iterator[pa.Table]:
        rows: list[dict[str, str]] = []
        for file in files:
            rows.append({"image_uri": file.uri.removeprefix(self.root), "fingerprint": file.fingerprint})
            if len(rows) == ROWS_A_TABLE:
                yield pa.Table.from_pylist(rows, LISTED)
                rows = []
        if rows:
            yield pa.Table.from_pylist(rows, LISTED)
