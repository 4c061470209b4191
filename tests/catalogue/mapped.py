"""One row of a feed, mapped as a config says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.catalogue.mapping import Item, Mapper
from pipelines.catalogue.values import RejectError
from pipelines.config import CatalogueSection

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
ROW = {"sku": "a1", "image": "a.jpg", "path": "Shoes > Boots"}


def section(**more: Any) -> CatalogueSection:
    columns = {"item_id": "sku", "photos": "image", "category": "path", **more.pop("columns", {})}
    return CatalogueSection.model_validate({"snapshot": "feed.csv", "columns": columns, **more})


def mapped(row: dict[str, Any], **more: Any) -> Item:
    return Mapper(section(**more), NOON).item({**ROW, **row}, default_time=5.0)


def remarks(row: dict[str, Any], **more: Any) -> dict[str, int]:
    mapper = Mapper(section(**more), NOON)
    mapper.item({**ROW, **row}, 5.0)
    return {remark: count for remark, count in mapper.remarks.counts.items() if remark != "levels"}


def reject(row: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(RejectError) as caught:
        mapped(row, **more)
    return caught.value.code, caught.value.detail
