"""Query photos: which files a folder gives, and the order they come in."""

from pathlib import Path

from pipelines.search.photos import list_queries, prepare_queries
from transforms.photo import Limits, PrepSpec


def test_a_folder_gives_its_image_files_below_it_sorted(tmp_path: Path) -> None:
    for name in ("b.JPG", "a/z.png", "a/.hidden.jpg", ".git/c.jpg", "notes.txt", "c.webp", "a/deep/y.tiff"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    folder, empty, odd = tmp_path / "photos", tmp_path / "empty", tmp_path / "photos" / "notes.txt"
    empty.mkdir()
    found = list(list_queries([odd, folder, empty]))
    below = [str(p.relative_to(folder)) for p in found[1:-1]]
    assert (found[0], found[-1]) == (odd, empty)
    assert below == ["a/deep/y.tiff", "a/z.png", "b.JPG", "c.webp"]


def test_a_hidden_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    (tmp_path / ".photos").mkdir()
    (tmp_path / ".photos" / "a.jpg").write_bytes(b"")
    assert list(list_queries([tmp_path / ".photos"])) == [tmp_path / ".photos" / "a.jpg"]


def test_batches_keep_the_order_and_limits_hold(shop) -> None:
    limits = Limits(min_side=100)  # the photos are 90 x 120
    batches = list(prepare_queries(shop.photos[:4], PrepSpec(32, 32), limits, 2))
    assert [[photo.query for photo in batch] for batch in batches] == [
        [str(path) for path in shop.photos[start : start + 2]] for start in (0, 2)
    ]
    assert {photo.code for batch in batches for photo in batch} == {"too_small"}
