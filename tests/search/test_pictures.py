"""Pictures of the page of results."""

import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines.config import load_config
from pipelines.search.pictures import SIDE, Pictures, thumbnail
from tests.catalogue.shop import Shop, rows_of
from tests.photo_hosts import LOCAL, answering, host
from transforms.photo import Limits


@pytest.mark.parametrize(
    ("size", "shown"),
    [((60, 80), (60, 80)), ((400, 100), (224, 56)), ((100, 400), (56, 224)), ((224, 224), (224, 224))],
)
def test_a_picture_has_no_canvas_around_it_and_is_at_most_224_pixels(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 20, 20)).save(out, "PNG")
    uri = thumbnail(out.getvalue(), Limits())
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(body))) as picture:
        assert picture.size == shown
        assert max(picture.size) <= SIDE
        assert np.abs(np.asarray(picture).astype(int) - (200, 20, 20)).max() < 12


def pictures_of(shop: Shop) -> Pictures:
    shop.run("r", "catalogue", "preprocess")
    release: Any = SimpleNamespace(run_id="r", catalogue_id=shop.head()[1]["catalogue_id"])
    return Pictures(load_config(shop.config), shop.store, release)


def test_a_photo_that_is_gone_is_shown_as_it_was_prepared(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(3))
    shop.write_csv(rows_of(3))
    shop.write_config()
    pictures = pictures_of(shop)
    (shop.photos / "p1.jpg").unlink()
    assert pictures.of_item("i1").startswith("data:image/jpeg;base64,")
    assert pictures.of_photo("i1", "another.jpg") == pictures.of_photo("nobody", "p1.jpg") == ""


def test_a_photo_behind_an_address_is_shown_without_a_request(tmp_path: Path) -> None:
    photos, shop = host(), Shop(tmp_path / "shop")
    with answering(photos.app) as address:
        shop.write_csv([{**row, "image": f"{address}/{row['image']}"} for row in rows_of(3)])
        shop.write_config(fetch=LOCAL)
        pictures = pictures_of(shop)
        assert pictures.of_item("i1").startswith("data:image/jpeg;base64,")
    assert len(photos.seen.times) == 3
