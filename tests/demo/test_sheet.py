import pytest
from PIL import Image

from pipelines.demo.sheet import contact_sheet, sheet_of_files


def test_photos_stand_in_rows_with_their_colours():
    photos = [(Image.new("RGB", (40, 40), colour), "a") for colour in ("red", "lime", "blue")]
    page = contact_sheet(photos, columns=2, cell=(40, 40))
    assert page.size == (88, 120)
    assert [page.getpixel(at) for at in ((20, 20), (64, 20), (20, 80))] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_files_are_captioned_and_shrunk(tmp_path):
    Image.new("RGB", (400, 200), "red").save(tmp_path / "wide.png")
    page = sheet_of_files([tmp_path / "wide.png"], columns=1, cell=(100, 100))
    assert page.getpixel((50, 50)) == (255, 0, 0)
    assert page.getpixel((50, 10)) == (255, 255, 255)


def test_no_photos_are_refused():
    with pytest.raises(ValueError, match="0 photos: a contact sheet needs at least one"):
        contact_sheet([], columns=3)
