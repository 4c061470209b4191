"""The environments in infra/, on the real photos: every row and photo of a sample is accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.store import UnitTable, open_store
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS
from tools.setup_env import ROOT
from transforms.image import prepare
from transforms.photo import PrepSpec

ROWS = 300


@pytest.mark.photos
@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion60", "fashion224", "grocery"])
def test_a_sample_is_prepared_and_a_query_is_prepared_alike(name: str, photos: Path, tmp_path: Path) -> None:
    text = (ROOT / f"infra/environments/{name}.toml").read_text(encoding="utf-8")
    text = text.replace("../../work/photos", str(photos)).replace("../../work/store", str(tmp_path / "store"))
    config = tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    arguments = ["run", "--config", str(config), "--run-id", "sample", "--to", "preprocess", "--limit", str(ROWS)]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    counts = {line["stage"]: line["counts"] for line in map(json.loads, done.stdout.splitlines())}
    assert counts["catalogue"]["in"] == ROWS
    for each in counts.values():
        assert each["in"] == each["ok"] + each["skipped"] + each["rejected"]
        assert each["rejected"] == 0

    loaded = load_config(str(config))
    store = open_store(loaded.store.uri)
    outputs = store.read_json("runs/sample/preprocess/manifest.json")["outputs"]
    table = UnitTable(store, f"images/{outputs['prep_id']}")
    section, compared = loaded.preprocess, 0
    spec = PrepSpec(section.height, section.width, section.quality)
    for bucket in range(store.read_json("format.json")["buckets"]):
        for row in read_bucket(store, outputs["photos"], bucket, RESOLVED_PHOTOS).slice(0, 5).to_pylist():
            image = table.read_rows(row["image_unit"], [row["image_row"]], ["image"])["image"][0].as_py()
            original = Path(loaded.locate(loaded.catalogue.photo_root), row["image_uri"]).read_bytes()
            assert prepare(original, spec, section.limits).jpeg == image
            compared += 1
    assert compared >= 20
