"""What the reject codes of photos mean, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipelines.shop_files.fetch import FETCH_CODES
from transforms.photo import CODES

MOST_LEAVES: Final = 2
"""Of one product; a second one is that of a sale or a season."""
PLACEHOLDER: Final = "placeholder"
DROPPED: Final = "dropped"
BAD_PHOTO: Final = "bad_photo"
OF_ITEMS: Mapping[str, str] = MappingProxyType(
    {
        PLACEHOLDER: "more items have this photo or its look than preprocess.max_items_a_photo allows; or, without "
        f"that key, items of more than {MOST_LEAVES} leaf categories, and more than a group may hold "
        "(preprocess.max_group_share)",
        DROPPED: "the shop's list says that this photo is none of a product (preprocess.dropped_photos)",
        BAD_PHOTO: "a curator says that this photo is bad (`visual-search curate list` tells who, and why)",
    }
)
"""Of sound photos, that are none of a product: nothing in the photo itself tells."""
MEANINGS: Mapping[str, str] = MappingProxyType({**CODES, **FETCH_CODES, **OF_ITEMS})
