"""Whose export a feed is, by columns that one shop system alone writes, and the catalogue's reader agreeing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.catalogue.arrivals import SNAPSHOT
from pipelines.catalogue.formats.base import FeedError, Notation
from pipelines.catalogue.headers import columns_of
from pipelines.catalogue.rows import column_names
from pipelines.config import CatalogueSection
from pipelines.config.formats import FORMATS, Format
from pipelines.survey.draft.trial import tried

MOST_REJECTED = 0.5
"""Of the rows of an export; what is worse only looks like one."""


@dataclass(frozen=True)
class _Signs:
    """Columns that such an export always has, and those of which it has some that no other feed has."""

    always: frozenset[str]
    telling: frozenset[str]
    needed: int = 1


_SIGNS: Final[Mapping[Format, _Signs]] = {
    "google_merchant": _Signs(
        frozenset({"id", "image_link"}),
        frozenset({"product_type", "google_product_category", "availability", "item_group_id", "condition", "gtin"}),
    ),
    "shopify": _Signs(
        frozenset({"Handle", "Image Src"}),
        frozenset({"Variant Price", "Variant SKU", "Option1 Name", "Option1 name", "Vendor", "Body (HTML)"}),
    ),
    "woocommerce": _Signs(
        frozenset({"ID", "Images", "Categories"}),
        frozenset({"Regular price", "In stock?", "Tax status", "Visibility in catalog", "Published", "Is featured?"}),
        2,
    ),
    "magento": _Signs(
        frozenset({"sku", "base_image"}),
        frozenset({"product_type", "attribute_set_code", "product_websites", "store_view_code", "additional_images"}),
    ),
}


def system_of(file: Path, notation: Mapping[str, Any]) -> tuple[Format, str] | None:
    """Return the format whose export a file is, and why; None for a feed of another kind."""
    keys = {key: value for key, value in notation.items() if key != "delimiter"}
    for name in FORMATS:
        signs = _SIGNS[name]
        there = _columns(file, {**keys, "format": name})
        telling = sorted(signs.telling & there)
        if signs.always <= there and len(telling) >= signs.needed and _is_read({**keys, "format": name}, file):
            shown = ", ".join(f'"{column}"' for column in (*sorted(signs.always), *telling[:1]))
            return name, f"the header has {shown}"
    return None


def _columns(file: Path, keys: Mapping[str, Any]) -> set[str]:
    section = CatalogueSection.model_validate({"snapshot": str(file), **keys})
    try:
        return {*column_names(file, Notation.of(section), columns_of(section, SNAPSHOT))}
    except FeedError:
        return set()


def _is_read(keys: Mapping[str, Any], file: Path) -> bool:
    trial = tried(keys, [file])
    return trial is not None and bool(trial.items) and len(trial.rejects) <= MOST_REJECTED * trial.rows
