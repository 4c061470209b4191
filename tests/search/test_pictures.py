"""Pictures of the page of results."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pipelines.search.pictures import SIDE, thumbnail
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
