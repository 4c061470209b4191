"""What prepared photos look like, for every odd but honest original; and that this does not change unnoticed.

The colours that are expected of the stripes were compared with what Chromium 156 and Firefox 153 show, those of TIFFs
with libvips 8.14 and ImageMagick 6.9; where those differ, the modules odd_* say which of them is followed.
`python -m tests.transforms.test_golden` paints the references in tests/transforms/golden anew.
"""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.transforms import odd_avif, odd_bmp, odd_gif, odd_jpeg, odd_png, odd_png_colours, odd_tiff, odd_webp
from tests.transforms import odd_photos as odd
from tests.transforms.shown import Shown
from transforms.image import prepare
from transforms.photo import PrepSpec
from transforms.pixels import decode_prepared

SPEC = PrepSpec(64, 64)
FOLDER = Path(__file__).parent / "golden"
WHITE = (255, 255, 255)
SHOWN: dict[str, Shown] = {}
for module in (odd_png, odd_png_colours, odd_jpeg, odd_gif, odd_webp, odd_avif, odd_tiff, odd_bmp):
    SHOWN |= module.shown()
ORIGINALS: dict[str, Callable[[], bytes]] = odd.GOLDEN | {"png_ramp": odd_png.ramp}
ORIGINALS |= {name: partial(bytes, shown.data) for name, shown in SHOWN.items()}


def prepared(name: str) -> np.ndarray:
    return decode_prepared(prepare(ORIGINALS[name](), SPEC).jpeg)


def reference_path(name: str) -> Path:
    return FOLDER / f"{SPEC.prep_id}_{name}.png"


def on_canvas(image: Image.Image) -> np.ndarray:
    """The 120 x 160 scene by hand: .4 of its size is 48 x 64, which leaves 8 white columns on either side."""
    canvas = Image.new("RGB", (64, 64), WHITE)
    canvas.paste(image.convert("RGB").resize((48, 64), Image.Resampling.BICUBIC), (8, 0))
    return np.asarray(canvas)


def difference(left: np.ndarray, right: np.ndarray) -> float:
    return float(np.abs(left.astype(int) - right.astype(int)).mean())


def assert_colours(pixels: np.ndarray, expected: dict[str, tuple[int, int, int]], within: int = 6) -> None:
    # The middles of the quarters (clear of the disc), and the padding; [row, column].
    spots = {"upper_left": (16, 20), "upper_right": (27, 44), "lower_left": (48, 20), "lower_right": (48, 44)}
    for where, colour in {**expected, "padding": WHITE}.items():
        row, column = spots.get(where, (32, 3))
        found = pixels[row, column].astype(int)
        assert np.abs(found - colour).max() <= within, f"{where}: {found} instead of {colour}"


SAME_AS_THE_SCENE = [
    *(f"jpeg_exif_{n}" for n in range(1, 9)),
    *(f"{kind}_exif_{n}" for kind in ("avif", "tiff") for n in range(1, 9)),
    *("png_exif_6", "jpeg_progressive_420", "jpeg_cmyk", "jpeg_profile", "tiff_cmyk"),
    *("png_profile", "png_palette", "gif_animated", "png_animated", "webp_animated", "webp_lossy", "bmp"),
]


@pytest.mark.parametrize("name", SAME_AS_THE_SCENE)
def test_however_the_scene_is_stored_it_is_prepared_alike(name):
    assert difference(prepared(name), on_canvas(odd.scene())) < 2.5


@pytest.mark.parametrize("name", SHOWN)
def test_stripes_have_the_colours_in_which_others_show_them(name):
    wanted = SHOWN[name]
    pixels = prepared(name)
    middle = pixels[32, [20, 28, 36, 44]].astype(int)  # 32 x 32 pixels are in the middle of 64 x 64
    off = np.abs(middle - np.array(wanted.colours)).max()
    assert off <= wanted.within + 2, f"{middle.tolist()} instead of {wanted.colours}"  # 2 for what our own JPEG costs
    assert (pixels[:14] >= 250).all()


@pytest.mark.parametrize("name", ["png_rgba", "webp_rgba"])
def test_transparent_pixels_become_white_and_half_transparent_ones_pale(name):
    # Half of blue (45, 75, 190) over white: 255 - (255 - c) * 128 / 255.
    pale = (150, 165, 222)
    colours = {"upper_left": odd.RED, "upper_right": odd.GREEN, "lower_left": pale, "lower_right": WHITE}
    assert_colours(prepared(name), colours)


def test_transparent_grey_becomes_white():
    # Luma .299 r + .587 g + .114 b: red 93, green 114; blue 79, half of which over white is 167.
    colours = {"upper_left": 93, "upper_right": 114, "lower_left": 167, "lower_right": 255}
    assert_colours(prepared("png_la"), {where: (grey,) * 3 for where, grey in colours.items()})


@pytest.mark.parametrize("name", ["png_palette_transparent", "gif_transparent"])
def test_transparent_palette_entries_become_white(name):
    colours = {"upper_left": odd.RED, "upper_right": odd.GREEN, "lower_left": odd.BLUE, "lower_right": WHITE}
    assert_colours(prepared(name), colours)


def test_the_colour_that_stands_for_transparent_becomes_white():
    colours = {"upper_left": odd.RED, "upper_right": odd.RED, "lower_left": odd.RED, "lower_right": WHITE}
    assert_colours(prepared("png_key_colour"), colours)


def test_a_16_bit_ramp_keeps_its_greys():
    row = prepared("png_ramp")[32]
    assert np.abs(row[:, 0].astype(int) - row[:, 2]).max() <= 1
    # Column c of 48 covers 2.5 columns of the 120, so it shows the grey at (c + .5) / 48 of the ramp.
    greys = (np.arange(48) + 0.5) / 48 * 255
    assert np.abs(row[8:56, 0] - greys)[2:-2].max() <= 4


def test_a_grey_photo_stays_grey():
    expected = on_canvas(odd.scene().convert("L"))
    assert difference(prepared("jpeg_grey"), expected) < 2.5


def test_black_and_white_stays_so():
    # Above 100 of 255: green (114) and yellow; red (93) and blue (79) are below.
    colours = {"upper_left": (0, 0, 0), "upper_right": WHITE, "lower_left": (0, 0, 0), "lower_right": WHITE}
    assert_colours(prepared("png_bilevel"), colours)


def test_small_photos_are_centred_and_not_enlarged():
    pixels = prepared("small")  # 24 x 32 on 64 x 64: columns 20 to 43, rows 16 to 47
    outside = np.ones((64, 64), bool)
    outside[16:48, 20:44] = False
    assert (np.abs(pixels[outside].astype(int) - 255) <= 12).all()
    expected = np.asarray(odd.scene().resize((24, 32)))
    assert difference(pixels[16:48, 20:44], expected) < 4


def test_wide_photos_are_not_cropped():
    pixels = prepared("wide")  # 160 x 20 becomes 64 x 8: rows 28 to 35
    assert np.abs(pixels[29, 2].astype(int) - odd.RED).max() <= 30
    assert np.abs(pixels[34, 61].astype(int) - odd.YELLOW).max() <= 30
    assert (pixels[:20] >= 250).all()
    assert (pixels[44:] >= 250).all()


@pytest.mark.parametrize("name", ORIGINALS)
def test_prepared_pixels_are_those_of_the_golden_image(name):
    reference = np.asarray(Image.open(reference_path(name)))
    found = difference(prepared(name), reference)
    assert found <= 1.5, (
        f"{name}: prepared pixels differ from {reference_path(name).name} by {found:.2f} levels on average. If that is"
        " meant, bump PREP_VERSION in transforms/photo.py (every photo will be prepared and embedded again) and paint"
        " the references anew: python -m tests.transforms.test_golden"
    )


def test_every_golden_image_is_of_this_version_and_has_an_original():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(reference_path(name).name for name in ORIGINALS)


def paint() -> None:
    """Replace the references by what `prepare` makes today."""
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for name in ORIGINALS:
        out = io.BytesIO()
        Image.fromarray(prepared(name)).save(out, "PNG", optimize=True)
        reference_path(name).write_bytes(out.getvalue())


if __name__ == "__main__":
    paint()
