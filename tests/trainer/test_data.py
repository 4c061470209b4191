import numpy as np

from tests.trainer.world import COUNT, HEIGHT, LEVELS, WIDTH, labels, make_photos
from trainer.data import load_photos
from transforms.labels import slot_feature

ALL = np.arange(COUNT)


def test_photos_and_slots_come_in_the_order_of_the_records(records: str) -> None:
    photos = load_photos([records], LEVELS, HEIGHT, WIDTH, 1 << 30)
    assert len(photos) == COUNT
    for name, slots in labels().items():
        assert photos.slots[slot_feature(name)].tolist() == slots.tolist()
    # JPEG at quality 95 of noise is a little off
    assert np.abs(photos.batch(ALL).astype(int) - make_photos().astype(int)).mean() < 8


def test_what_does_not_fit_into_memory_is_decoded_at_each_batch_and_equal(records: str) -> None:
    kept = load_photos([records], LEVELS, HEIGHT, WIDTH, 1 << 30)
    decoded_again = load_photos([records], LEVELS, HEIGHT, WIDTH, 1000)
    assert kept.pixels is not None
    assert decoded_again.pixels is None
    rows = np.array([41, 3, 3, 17])
    assert np.array_equal(kept.batch(rows), decoded_again.batch(rows))
