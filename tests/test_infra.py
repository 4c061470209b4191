"""The files in infra/kubernetes/ are what the pipeline reads."""

from pathlib import Path

import yaml

from pipelines.config import load_config

ROOT = Path(__file__).parent.parent


def test_the_example_of_a_config_map_holds_an_environment(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "infra/kubernetes/config.yaml").read_text())
    ((name, text),) = manifest["data"].items()
    (tmp_path / name).write_text(text)
    config = load_config(str(tmp_path / name))
    assert config.store.uri == "gs://my-bucket/visual-search/store"
    template = yaml.safe_load((ROOT / "infra/kubernetes/pod.yaml").read_text())
    assert template["spec"]["volumes"][0]["configMap"]["name"] == manifest["metadata"]["name"]
