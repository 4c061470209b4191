"""The configuration of a synthetic catalogue. Owns its text; `pipelines.config` owns what is allowed in it."""

from pathlib import Path
from typing import Final

from pipelines.demo.rows import PHOTO_COLUMNS
from pipelines.demo.taxonomy import SEPARATOR

_TEMPLATE: Final = """\
# The synthetic catalogue in this folder, from its feeds to a promoted release. Paths are relative to this file.
recipe = "ebay"

[store]
uri = "store"
buckets = 8

[catalogue]
snapshot = "products.csv"
photo_root = "."

[catalogue.columns] # left: our word, right: the feed's column
item_id = "sku"
group_id = "parent_sku"
title = "name"
category = "category"
category_separator = "{separator}"
photos = [{photos}]
price = "price"
updated_at = "updated"
attributes = {{ colour = "colour", pattern = "pattern", material = "material", shape = "shape" }}
signals = {{ sales = "sales", rating = "rating" }}

[catalogue.media] # street photos: queries, never results
path = "street.csv"
role = "street"

[catalogue.media.columns]
item_id = "sku"
photo = "image"
role = "role"
box = ["left", "top", "right", "bottom"]

[preprocess]
height = {height}
width = {width}

[train] # a small net, and steps instead of minutes: as good on a slow machine, in its own time
trunk = "tiny"
steps = 900
learning_rate = 0.02
repeat = {{ street = 2 }}
scenes = 0.6
hash_steps = 60
attributes = ["colour", "pattern", "material", "shape"]
attribute_weight = 1.0

[evaluate]
roles = ["main", "street"]
"""


def write_config(folder: Path, *, size: tuple[int, int] = (160, 200), name: str = "config.toml") -> Path:
    """Write the configuration for the catalogue in `folder` and return its path.

    Photos of `size` (width, height) are prepared to at most 48 x 60 pixels, which suits a small machine.
    """
    shrink = min(1.0, 48 / size[0], 60 / size[1])
    text = _TEMPLATE.format(
        separator=SEPARATOR.strip(),
        photos=", ".join(f'"{column}"' for column in PHOTO_COLUMNS),
        height=max(16, round(size[1] * shrink)),
        width=max(16, round(size[0] * shrink)),
    )
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
