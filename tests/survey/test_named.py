"""`init` of feeds that name no photos: files are called by what one of their columns holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.survey.draft.named import Named, named_photos
from tests.catalogue.shop import jpeg
from tests.survey.feeds import COUNT, delimited, with_lines
from tests.survey.test_init import init


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def feed(extra: str = "stock") -> str:
    """A list of items without photos; `extra` are as many names as they are items, or counts."""
    last = (lambda n: n % 7) if extra == "stock" else "p{}".format
    lines = delimited(f"sku name type {extra}", lambda n: [f"K-{n}", f"Mug {n}", ["Mugs", "Cups"][n % 2], last(n)])
    return with_lines(lines, {})


@pytest.mark.parametrize(
    ("path", "pattern", "root"),
    [
        ("photos/K-{}.jpg", "{}.jpg", "photos"),
        ("K-{}.JPG", "{}.JPG", None),
        ("bilder/K-{}_1.png", "{}_1.png", "bilder"),
        ("product shots/img-K-{}.jpeg", "img-{}.jpeg", "product shots"),
        ("images/K-{}/front.webp", "{}/front.webp", "images"),
    ],
)
def test_files_called_by_the_item_number(path: str, pattern: str, root: str | None, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed(), encoding="utf-8")
    for n in range(COUNT):
        photo = tmp_path / path.format(n)
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(jpeg(n))
    result = init("feed.csv")
    assert result.exit_code == 0, result.output
    catalogue = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]
    assert (catalogue["columns"]["photos"], catalogue["photo_pattern"], catalogue.get("photo_root")) == (
        "sku",
        pattern,
        root,
    )
    assert f"{COUNT} of the first {COUNT} paths are" in result.output
    assert load_config("shop.toml").catalogue.photo_pattern == pattern


def test_a_column_of_names_without_their_ending(tmp_path: Path) -> None:
    """The column that is called by photos counts before the item number, though files have both in their names."""
    (tmp_path / "feed.csv").write_text(feed("image"), encoding="utf-8")
    for n in range(COUNT):
        (tmp_path / f"p{n}.jpg").write_bytes(jpeg(n))
    assert init("feed.csv").exit_code == 0
    section = load_config("shop.toml").catalogue
    assert (section.columns.photos, section.photo_pattern) == ("image", "{}.jpg")


def test_without_files_that_are_called_so_a_line_is_to_be_filled_in(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed(), encoding="utf-8")
    for n in range(COUNT):
        (tmp_path / f"DSC{n:05}.jpg").write_bytes(jpeg(n))
    result = init("feed.csv")
    assert result.exit_code == 1
    assert "Where files are called by what a column holds" in result.output
    assert 'set photo_pattern = "{}.jpg" above' in result.output
    assert "photo_pattern" not in tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]


def test_the_column_most_of_whose_texts_are_files_counts(tmp_path: Path) -> None:
    rows = [{"n": str(n), "sku": f"A{n}", "ean": f"40{n}"} for n in range(10)]
    for n in range(10):
        (tmp_path / f"40{n}.jpg").touch()
    for n in range(6):
        (tmp_path / f"A{n}_2.jpg").touch()
        (tmp_path / f"view_{n}.jpg").touch()
    roots = [str(tmp_path / "none"), str(tmp_path)]
    assert named_photos(rows, rows[0], roots) == Named("ean", "{}.jpg", 10, 10)
    assert named_photos(rows[:1], rows[0], roots) is None
