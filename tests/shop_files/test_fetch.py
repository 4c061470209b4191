"""What becomes of photos at strange places: a reject with its code, never the bytes of another file."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.config import Config
from pipelines.shop_files.fetch import FETCH_CODES, Fetcher, FetchError
from tests.catalogue.shop import Shop, jpeg, plain_shop


def config(folder: Path, **catalogue: Any) -> Config:
    columns = {"item_id": "sku", "photos": "image", "category": "path"}
    section = {"snapshot": "feed.csv", "photo_root": "photos", **catalogue, "columns": columns}
    return Config.model_validate({"store": {"uri": "s"}, "catalogue": section, "folder": str(folder)})


def code(fetcher: Fetcher, uri: str) -> str:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(uri)
    assert caught.value.code in FETCH_CODES
    assert fetcher.fingerprint(uri) == "missing"
    return caught.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("photos", "nas"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a b.jpg").write_bytes(name.encode())
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return tmp_path


def test_a_catalogues_photos_come_from_its_roots(folder: Path) -> None:
    fetcher = Fetcher.of_catalogue(config(folder))
    assert fetcher.fetch("a b.jpg") == b"photos"
    assert fetcher.fetch(f"file://{folder}/photos/a%20b.jpg") == b"photos"
    outside = (
        "../secret.jpg",
        f"{folder}/secret.jpg",
        f"file://{folder}/secret.jpg",
        "/etc/hostname",
        "gs://any/a.jpg",
    )
    for uri in (*outside, f"{folder}/nas/a b.jpg"):
        assert code(fetcher, uri) == "outside_roots"
    assert code(fetcher, "none.jpg") == "missing"


def test_more_roots_may_be_allowed_relative_to_the_configs_folder(folder: Path) -> None:
    fetcher = Fetcher.of_catalogue(config(folder, allowed_roots=["nas", "gs://shop/more"]))
    assert fetcher.fetch(f"{folder}/nas/a b.jpg") == b"nas"
    assert fetcher.more == (str(folder / "nas"), "gs://shop/more")
    assert code(fetcher, "../secret.jpg") == "outside_roots"


def test_paths_that_a_person_gives_may_be_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetcher = Fetcher.of_paths(1000)
    monkeypatch.chdir(folder / "photos")
    assert fetcher.fetch("../secret.jpg") == fetcher.fetch(str(folder / "secret.jpg")) == b"secret"


@pytest.mark.parametrize("uri", ["x" * 5000, "a\0.jpg", "file:///a%00.jpg"])
def test_paths_that_cannot_be_are_rejects(folder: Path, uri: str) -> None:
    assert code(Fetcher.of_paths(1000), uri) in {"missing", "unreadable"}


def test_a_photo_that_is_allowed_later_is_fetched_then(tmp_path: Path) -> None:
    shop: Shop = plain_shop(tmp_path / "shop", 6)
    (shop.root / "nas").mkdir()
    (shop.root / "nas" / "n.jpg").write_bytes(jpeg(7))
    feed = (shop.root / "feed.csv").read_text()
    (shop.root / "feed.csv").write_text(feed.replace("p3.jpg", f"file://{shop.root}/nas/n.jpg"))
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    first = shop.run("r1", "catalogue", "preprocess")["preprocess"]
    assert first["rejects"] == {"outside_roots": 1}
    assert "catalogue.photo_root nor catalogue.allowed_roots" in first["notes"][1]
    shop.write_config(catalogue={"allowed_roots": ["nas"]})
    assert shop.run("r2", "catalogue", "preprocess")["preprocess"]["counts"]["prepared"] == 1
    shop.write_config()
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    assert shop.run("r3", "catalogue", "preprocess")["preprocess"]["rejects"] == {"outside_roots": 1}


def test_an_allowed_root_that_is_not_there_is_told(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 3)
    shop.write_config(catalogue={"allowed_roots": ["nas"]})
    result = shop.cli("catalogue")
    assert result.exit_code == 1
    assert f"catalogue.allowed_roots = 'nas': there is no folder {shop.root}/nas; correct the path" in result.stderr


def test_workers_of_dataflow_see_no_folders(tmp_path: Path) -> None:
    section = {
        "snapshot": "gs://b/feed.csv", "photo_root": "gs://b/photos", "allowed_roots": ["gs://b/more", "nas"],
        "columns": {"item_id": "sku", "photos": "image", "category": "path"},
    }  # fmt: skip
    dataflow = {"project": "shop", "region": "europe-west4", "temp_location": "gs://shop/t", "image": "a.example/p/w:1"}
    beam = {"runner": "dataflow", "dataflow": dataflow}
    with pytest.raises(ValidationError, match=r"catalogue\.allowed_roots\[1\] = 'nas' is no gs:// URI"):
        Config.model_validate({"store": {"uri": "gs://b/s"}, "catalogue": section, "beam": beam})
