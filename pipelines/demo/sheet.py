"""Contact sheets: many photos on one page, to look at a catalogue before anything is computed from it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps


def contact_sheet(
    photos: Sequence[tuple[Image.Image, str]], *, columns: int, cell: tuple[int, int] = (160, 200)
) -> Image.Image:
    """Return one RGB page with every photo shrunk into a `cell` (width, height), its caption below."""
    if not photos:
        raise ValueError("0 photos: a contact sheet needs at least one")
    high = cell[1] + 16
    rows = -(-len(photos) // columns)
    page = Image.new("RGB", (columns * (cell[0] + 4), rows * (high + 4)), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for number, (photo, caption) in enumerate(photos):
        left, top = number % columns * (cell[0] + 4), number // columns * (high + 4)
        small = photo.convert("RGB")
        small.thumbnail(cell)
        page.paste(small, (left + (cell[0] - small.size[0]) // 2, top + (cell[1] - small.size[1]) // 2))
        draw.rectangle((left, top, left + cell[0], top + cell[1]), outline=(220, 220, 220))
        draw.text((left + 2, top + cell[1] + 2), caption[: cell[0] // 6], fill=(40, 40, 40))
    return page


def sheet_of_files(files: Sequence[Path], *, columns: int, cell: tuple[int, int] = (160, 200)) -> Image.Image:
    """Return a contact sheet of photo files, each captioned with its name, turned as its EXIF says."""
    photos = []
    for file in files:
        with Image.open(file) as photo:
            photos.append((ImageOps.exif_transpose(photo).convert("RGB"), file.name))
    return contact_sheet(photos, columns=columns, cell=cell)
