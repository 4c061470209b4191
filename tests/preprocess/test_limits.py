"""A limit that is raised lets in what it alone had refused, and nothing else is read again."""

from pathlib import Path

import pytest

from tests.catalogue.shop import Shop, jpeg, plain_shop

TINY, WIDE, HEAVY = "p1.jpg", "p2.jpg", "p3.jpg"
"""8 pixels high; 200 x 60 pixels; 9,000 bytes. The others are 24 x 32 pixels of less than 2,000 bytes."""
TIGHT = {"min_side": 16, "max_pixels": 10_000, "max_bytes": 8_000, "max_rejected_share": 1.0}
REFUSED = {"too_small": 1, "too_many_pixels": 1, "too_large_bytes": 1}


def preprocess(shop: Shop, run_id: str, **limits: int) -> tuple[int, int, dict[str, int]]:
    """Return how many photos were fetched and prepared, and the rejects."""
    shop.write_config(preprocess=TIGHT | limits)
    manifest = shop.run(run_id, "catalogue", "preprocess")["preprocess"]
    return manifest["counts"]["fetched"], manifest["counts"]["prepared"], manifest["rejects"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = plain_shop(tmp_path_factory.mktemp("limits"))
    photos: Path = shop.photos
    (photos / TINY).write_bytes(jpeg(1, (24, 8)))
    (photos / WIDE).write_bytes(jpeg(2, (200, 60)))
    (photos / HEAVY).write_bytes(jpeg(3) + bytes(9_000 - len(jpeg(3))))
    return shop


def test_the_story_of_three_limits(shop: Shop) -> None:
    assert preprocess(shop, "r1") == (9, 7, REFUSED)  # 10 photos, of which one is refused unread
    assert preprocess(shop, "r2") == (0, 0, REFUSED)
    raised = {"max_pixels": 12_000}
    assert preprocess(shop, "r3", **raised) == (1, 1, {"too_small": 1, "too_large_bytes": 1})
    raised |= {"max_bytes": 9_000}
    assert preprocess(shop, "r4", **raised) == (1, 1, {"too_small": 1})
    raised |= {"min_side": 8}
    assert preprocess(shop, "r5", **raised) == (1, 1, {})
    assert preprocess(shop, "r6", **raised) == (0, 0, {})
