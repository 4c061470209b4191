"""What a configuration for Dataflow must say, found when it is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.config import BeamSection, Config, ConfigError, load_config
from pipelines.jobs.jobs import Jobs, labels

SHOP = """
[store]
uri = "gs://shop-bucket/store"
[catalogue]
snapshot = "gs://shop-bucket/feed/*.csv"
photo_root = "gs://shop-bucket/photos"
[catalogue.columns]
item_id = "sku"
photos = "image"
category = "path"
[beam]
runner = "dataflow"
[beam.dataflow]
project = "some-project"
region = "europe-west4"
temp_location = "gs://shop-bucket/beam"
image = "europe-docker.pkg.dev/some-project/shop/worker:1.2"
"""


def load(tmp_path: Path, text: str) -> Config:
    (tmp_path / "shop.toml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "shop.toml")


def test_four_lines_beside_the_shop_are_enough(tmp_path: Path) -> None:
    section = load(tmp_path, SHOP).beam.dataflow
    assert (section.machine_type, section.max_workers, section.public_ips) == ("n2-standard-4", 10, False)


@pytest.mark.parametrize("key", ["project", "region", "temp_location", "image"])
def test_what_dataflow_needs_is_named_when_it_is_missing(tmp_path: Path, key: str) -> None:
    text = re.sub(rf"^{key} = .*\n", "", SHOP, flags=re.MULTILINE)
    with pytest.raises(ConfigError, match=f'runner = "dataflow" needs beam.dataflow.{key}, which is not set; add it'):
        load(tmp_path, text)
    load(tmp_path, text.replace('runner = "dataflow"', 'runner = "in_process"'))


@pytest.mark.parametrize(
    ("key", "local"),
    [("store.uri", "store"), ("catalogue.snapshot", "feed/*.csv"), ("catalogue.photo_root", "photos")],
)
def test_what_workers_read_must_be_in_a_bucket(tmp_path: Path, key: str, local: str) -> None:
    text = SHOP.replace(f'"gs://shop-bucket/{local}"', f'"{local}"')
    with pytest.raises(ConfigError, match=re.escape(f"{key} = {local!r} is no gs:// URI")) as caught:
        load(tmp_path, text)
    assert "copy it to a bucket" in str(caught.value)
    load(tmp_path, text.replace('runner = "dataflow"', 'runner = "flink"'))


def test_photos_beside_the_config_are_not_taken_for_photos_in_a_bucket(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"catalogue\.photo_root = '\.' is no gs:// URI"):
        load(tmp_path, re.sub(r"photo_root = .*\n", "", SHOP))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("temp_location", "/tmp/beam"),
        ("temp_location", "gs://b/beam"),  # Beam would take such a name for none, and make a bucket of its own
        ("region", "europe-west4-b"),
        ("image", "europe-docker.pkg.dev/some-project/shop/worker"),
        ("image", "worker:1"),
        ("project", "1234567"),
    ],
)
def test_a_value_that_dataflow_would_not_take_is_named(tmp_path: Path, key: str, value: str) -> None:
    text = re.sub(rf"^{key} = .*$", f'{key} = "{value}"', SHOP, flags=re.MULTILINE)
    with pytest.raises(ConfigError, match=re.escape(f"beam.dataflow.{key} = {value!r}")):
        load(tmp_path, text)


def test_labels_of_a_job_are_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="labels that begin with 'visual-search-' are set by each job; rename"):
        load(tmp_path, f'{SHOP}labels = {{ visual-search-run = "mine" }}\n')


def test_labels_hold_what_labels_may() -> None:
    named = labels("gs://bucket/shop/runs/Back.20261122T020000Z/embed", "look-up")
    assert named == {
        "visual-search-run": "back-20261122t020000z",
        "visual-search-stage": "embed",
        "visual-search-step": "look-up",
    }
    assert labels("alone", "units")["visual-search-stage"] == "alone"
    assert all(len(value) <= 63 for value in labels(f"/{'x' * 200}/{'y' * 200}", "z" * 200).values())


@pytest.mark.parametrize("runner", ["in_process", "flink"])
def test_only_dataflow_is_given_hints(runner: str) -> None:
    assert Jobs(BeamSection.model_validate({"runner": runner}), "o").hints(min_ram=1, accelerator="a") == {}


def test_hints_that_are_unset_are_none(tmp_path: Path) -> None:
    jobs = Jobs(load(tmp_path, SHOP).beam, "o")
    assert jobs.hints(min_ram=1 << 30, accelerator="a") == {"min_ram": 1 << 30, "accelerator": "a"}
    assert jobs.hints(accelerator=None) == {}
