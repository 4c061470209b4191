from collections import Counter

import pytest

from pipelines.demo.fates import POISON_KINDS, Shares, apply_copies, assign
from pipelines.demo.honest import ODD_KINDS
from pipelines.demo.items import make_items, stream
from pipelines.demo.taxonomy import grow, sizes


def some(items: int, leaves: int = 50):
    return make_items(grow(leaves, stream(1, 0)), sizes(leaves, items, stream(1, 8)), 1)


def test_shares_of_a_large_catalogue_are_met():
    fates = assign(some(4000), Shares(0.03, 0.04, 0.01, 0.02, 0), 1)
    counts = Counter(fate.trouble for fate in fates.values())
    assert counts["bad_photo"] + counts["bad_row"] == 120
    assert (counts["odd_photo"], counts["exact_copy"], counts["near_copy"]) == (160, 40, 80)


def test_every_kind_is_there_even_in_a_small_catalogue():
    kinds = Counter(fate.kind for fate in assign(some(150), Shares(), 1).values())
    assert set(POISON_KINDS) | set(ODD_KINDS) <= set(kinds)
    assert len(POISON_KINDS) >= 30


def test_a_sound_catalogue_has_no_fates():
    assert assign(some(100), Shares(0, 0, 0, 0, 0), 1) == {}


def test_no_category_loses_its_last_sound_item():
    items = some(400)
    fates = assign(items, Shares(poison=0.3), 1)
    sound = {item.leaf.path for item in items if getattr(fates.get(item.index), "trouble", "")[:3] != "bad"}
    assert sound == {item.leaf.path for item in items}


def test_a_copy_shows_a_sound_item_of_its_own_category():
    items = some(1000)
    fates = assign(items, Shares(exact=0.05, near=0.05), 1)
    copies = {index: fate.source for index, fate in fates.items() if fate.source >= 0}
    assert len(copies) == 100
    changed = apply_copies(items, fates)
    for index, source in copies.items():
        assert source not in fates
        assert items[index].leaf.path == items[source].leaf.path
        assert changed[index].product is items[source].product
        assert changed[index].photos == items[source].photos
        assert changed[index].sku == items[index].sku
    assert [changed[i] for i in range(1000) if i not in copies] == [items[i] for i in range(1000) if i not in copies]


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="poison=3: a share lies between 0 and 1"):
        Shares(poison=3)
