from pathlib import Path

import numpy as np
import pytest

from tests.trainer.world import COUNT, HEIGHT, LABELS, WIDTH, labels, make_photos, roles
from trainer.data import Decoded, Photos, Spooled, load_photos
from transforms.labels import slot_feature

ALL = np.arange(COUNT)
PIXELS = COUNT * HEIGHT * WIDTH * 3


def load(records: str, folder: Path, memory_bytes: int = PIXELS) -> Photos:
    return load_photos([records], LABELS, HEIGHT, WIDTH, memory_bytes, str(folder))


@pytest.mark.parametrize("memory_bytes", [PIXELS, PIXELS - 1])
def test_photos_and_slots_come_in_the_order_of_the_records(records: str, tmp_path: Path, memory_bytes: int) -> None:
    photos = load(records, tmp_path, memory_bytes)
    assert len(photos) == COUNT
    for name, slots in labels().items():
        assert photos.slots[slot_feature(name)].tolist() == slots.tolist()
    assert photos.roles.tolist() == roles().tolist()
    # JPEG at quality 95 of noise is a little off
    assert np.abs(photos.batch(ALL).astype(int) - make_photos().astype(int)).mean() < 8


def test_what_does_not_fit_into_memory_is_decoded_at_each_batch_and_equal(records: str, tmp_path: Path) -> None:
    kept, spooled = load(records, tmp_path), load(records, tmp_path, PIXELS - 1)
    assert isinstance(kept.source, Decoded)
    assert isinstance(spooled.source, Spooled)
    rows = np.array([41, 3, 0, 3, 17, COUNT - 1])
    assert np.array_equal(kept.batch(rows), spooled.batch(rows))
    assert [len(part) for part in spooled.batches(50)] == [50]


def test_nothing_is_left_in_the_scratch_folder_even_while_photos_are_read(records: str, tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    spooled = load(records, folder, 0)
    assert len(spooled.batch(ALL)) == COUNT
    assert not list(folder.iterdir())


def test_no_records_are_no_photos(tmp_path: Path) -> None:
    photos = load_photos([], LABELS, HEIGHT, WIDTH, 0, str(tmp_path))
    assert len(photos) == 0
    assert {len(slots) for slots in photos.slots.values()} == {0}


def test_photos_of_a_role_come_as_often_as_is_asked(photos: Photos) -> None:
    assert np.array_equal(photos.repeated({}), ALL)
    counts = np.bincount(photos.repeated({"catalogue": 3}), minlength=COUNT)
    assert counts.tolist() == [3 if role == "catalogue" else 1 for role in roles()]


def test_a_role_that_no_photo_has_is_an_error(photos: Photos) -> None:
    with pytest.raises(ValueError, match=r"train\.repeat names the role 'iconic'; .* have: catalogue, photo"):
        photos.repeated({"iconic": 8})
