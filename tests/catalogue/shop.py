"""A small shop of our own in a folder: feed, photos and config, and what the stages made of them in its store."""

import csv
import io
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from click.testing import CliRunner, Result
from PIL import Image

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.runs.manifest import Manifest
from pipelines.runs.sequence import open_run, run_stages
from pipelines.store import Log, Store
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import read_parquet
from pipelines.telemetry.progress import Progress

BUCKETS = 3
COLUMNS = {"item_id": "sku", "photos": "image", "category": "path", "title": "name"}
Row = Mapping[str, Any]


def toml(values: Mapping[str, Any], prefix: str = "") -> str:
    """Nested dicts as TOML: a table a dict; JSON writes the rest as TOML does."""
    plain = {k: v for k, v in values.items() if not isinstance(v, Mapping)}
    lines = [f"[{prefix}]"] * bool(prefix) + [f"{key} = {inline(value)}" for key, value in plain.items()]
    tables = [toml(v, f"{prefix}.{k}" if prefix else k) for k, v in values.items() if isinstance(v, Mapping)]
    return "\n".join([*lines, *tables])


def inline(value: Any) -> str:
    """A value of TOML on one line, lists of tables too."""
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        tables = (", ".join(f"{key} = {json.dumps(held)}" for key, held in one.items()) for one in value)
        return "[{}]".format(", ".join(f"{{ {table} }}" for table in tables))
    return json.dumps(value)


def jpeg(seed: int, size: tuple[int, int] = (24, 32)) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size).save(out, "JPEG", quality=92)
    return out.getvalue()


def rows_of(count: int, **more: Any) -> list[dict[str, Any]]:
    """Items of two leaves, with one photo each."""
    leaves = ("Shoes > Boots", "Shoes > Sandals")
    return [
        {"sku": f"i{n}", "image": f"p{n}.jpg", "path": leaves[n % 2], "name": f"Item {n}", **more} for n in range(count)
    ]


class Shop:
    """`root` holds feed.csv, photos/, the config and store/."""

    def __init__(self, root: Path, config: str = "shop.toml") -> None:
        self.root, self.photos, self.config = root, root / "photos", root / config
        self.photos.mkdir(parents=True, exist_ok=True)

    @property
    def store(self) -> Store:
        return FolderStore(self.root / "store")

    def link_store(self, folder: Path) -> None:
        """Let store/ be a folder elsewhere."""
        (self.root / "store").symlink_to(folder)

    def write_csv(self, rows: Iterable[Row], name: str = "feed.csv", columns: list[str] | None = None) -> Path:
        rows = list(rows)
        path = self.root / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns or list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def write_photos(self, names: Iterable[str]) -> None:
        """A photo of its own for every name that is not there yet."""
        for name in names:
            if not (path := self.photos / name).exists():
                path.write_bytes(jpeg(zlib.crc32(name.encode())))

    def write_config(self, **sections: Mapping[str, Any]) -> Path:
        values: dict[str, Any] = {
            "store": {"uri": "store", "buckets": BUCKETS},
            "catalogue": {"snapshot": "feed.csv", "photo_root": "photos", "columns": COLUMNS},
            "preprocess": {"height": 32, "width": 24, "photos_a_unit": 4},
        }
        for name, section in sections.items():
            values[name] = {k: v for k, v in {**values.get(name, {}), **section}.items() if v is not None}
        self.config.write_text(toml(values), encoding="utf-8")
        return self.config

    def cli(self, *arguments: str) -> Result:
        command, *rest = arguments
        return CliRunner().invoke(main, [command, "--config", str(self.config), *rest])

    def run(
        self, run_id: str, *stages: str, accept: str | None = None, limit: int | None = None
    ) -> dict[str, Manifest]:
        """Run stages as the command line does; the manifests by stage."""
        config = load_config(self.config)
        context = open_run(config, run_id, Progress(quiet=True), accept_reason=accept, limit=limit)
        return {manifest["stage"]: manifest for manifest in run_stages(context, stages)}

    def head(self) -> tuple[int, dict[str, Any]]:
        """The newest entry of the catalogue's log, (0, {}) when there is none."""
        return Log(self.store, "catalogue/log").head()

    def table(self, name: str, catalogue_id: str | None = None) -> list[dict[str, Any]]:
        """Rows of items, photos, deletes or rejects of a catalogue, the newest if not named."""
        folder = f"catalogue/{catalogue_id or self.head()[1]['catalogue_id']}/{name}"
        return rows_below(self.store, folder)

    def item_ids(self) -> set[str]:
        return {row["item_id"] for row in self.table("items")}

    def prepared(self, run_id: str) -> list[dict[str, Any]]:
        """The resolved photos of a run."""
        return rows_below(self.store, f"runs/{run_id}/preprocess/photos")


def rows_below(store: Store, folder: str) -> list[dict[str, Any]]:
    tables = [read_parquet(store, entry.name) for entry in sorted(store.list(folder), key=lambda e: e.name)]
    return pa.concat_tables(tables).to_pylist() if tables else []


def plain_shop(root: Path, items: int = 10) -> Shop:
    """A sound shop of that many items, photos and all."""
    shop = Shop(root)
    rows = rows_of(items)
    shop.write_csv(rows)
    shop.write_photos(row["image"] for row in rows)
    shop.write_config()
    return shop
