"""`init` of feeds that name no photos: files are called by what one of their columns holds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
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


def test_case_tells_no_files_apart(tmp_path: Path) -> None:
    """A camera writes .JPG, and people K- or k-: the reader finds them all by one pattern."""
    (tmp_path / "feed.csv").write_text(feed(), encoding="utf-8")
    (tmp_path / "photos").mkdir()
    for n in range(COUNT):
        (tmp_path / (f"photos/K-{n}.JPG" if n % 2 else f"photos/k-{n}.jpg")).write_bytes(jpeg(n))
    result = init("feed.csv")
    assert f"{COUNT} of the first {COUNT} paths are" in result.output
    assert "more files" not in result.output
    assert "height = " in Path("shop.toml").read_text(encoding="utf-8")


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
    assert result.exit_code == 1, result.output
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


def with_photos(folder: Path, *paths: str) -> None:
    """Make photos in a folder, of each item those at paths that hold its number."""
    for n in range(COUNT):
        for place, path in enumerate(paths):
            photo = folder / path.format(n)
            photo.parent.mkdir(parents=True, exist_ok=True)
            photo.write_bytes(jpeg(len(paths) * n + place))


def with_table(root: str, item_id: str) -> str:
    """A config by `init` after what it and docs/feeds.md say of a table of photos; `item_id` is told of a path."""
    guide = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
    script = guide.partition("```python\n")[2].partition("```")[0]
    exec(script.replace('"photos")', f'"{root}")').replace("photo.parts[0]", item_id), {})
    text = Path("shop.toml").read_text(encoding="utf-8")
    text = re.sub(r"^(# FILL IN: photos = |photos = ).*$", "photos = []", text, flags=re.MULTILINE)
    text = re.sub(r"^photo_pattern.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"^# (\[catalogue\.media\]|path = |role = |columns = )", r"\1", text, flags=re.MULTILINE)


def checked(text: str) -> dict[str, Any]:
    Path("shop.toml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", "--config", "shop.toml", "--json"])
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("first", ["K-{}.jpg", "K-{}_1.jpg"])
def test_more_files_of_an_item_are_told_and_a_table_has_them_all(first: str, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed().replace(",", ";"), encoding="utf-8")
    with_photos(tmp_path / "Fotos", first)
    with_photos(tmp_path / "Fotos", "K-{}_2.jpg")
    for n in range(7):
        (tmp_path / f"Fotos/K-{n}_3.jpg").write_bytes(jpeg(1000 + n))
    result = init("feed.csv")
    assert result.exit_code == 0, result.output
    assert load_config("shop.toml").catalogue.photo_pattern == first.replace("K-{}", "{}")
    told = f"{COUNT + 7} more files are called by 'sku' in other ways: '{{}}_2.jpg' ({COUNT}), '{{}}_3.jpg' (7)"
    assert f"photos: {told}; photo_pattern makes one path of a cell: list all in a table" in result.output
    assert told in Path("shop.toml").read_text(encoding="utf-8").replace("\n# ", " ")
    found = checked(with_table("Fotos", 'photo.stem.split("_")[0]'))
    assert (found["items"], found["photos"]) == (COUNT, 2 * COUNT + 7)
    assert not [one for one in found["findings"] if one["code"].startswith("photo_")]


@pytest.mark.parametrize(
    ("paths", "item_id"),
    [
        (("photos/K-{0}/IMG_2{0}.jpg", "photos/K-{0}/IMG_3{0}.jpg"), "photo.parts[0]"),
        (("photos/K-{0} shot {0}a.jpg",), 'photo.stem.split(" ")[0]'),
    ],
)
def test_files_that_no_pattern_makes_are_told_and_a_table_has_them(
    paths: tuple[str, ...], item_id: str, tmp_path: Path
) -> None:
    (tmp_path / "feed.csv").write_text(feed(), encoding="utf-8")
    with_photos(tmp_path, *paths)
    for n in range(150):  # folders of other items, which come before theirs by name
        (tmp_path / f"photos/A{n}").mkdir(parents=True)
    result = init("feed.csv")
    assert result.exit_code == 1, result.output
    told = f"{COUNT} of the first {COUNT} 'sku' have files that are called so"
    assert f"# FILL IN: photos = []: {told}, as 'K-0" in result.output
    assert "Where files are called by what a column holds" not in result.output
    found = checked(with_table("photos", item_id))
    assert (found["items"], found["photos"]) == (COUNT, len(paths) * COUNT)


def test_all_files_of_one_pattern_leave_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed(), encoding="utf-8")
    with_photos(tmp_path, "photos/K-{}.jpg", "photos/banner {}.jpg")
    result = init("feed.csv")
    assert "more files" not in result.output
    assert "catalogue.media" not in Path("shop.toml").read_text(encoding="utf-8")


def test_files_of_several_endings_are_called_by_what_tells_items_apart(tmp_path: Path) -> None:
    """As Odoo exports products: an id of its own, and the shop's number, by which the photos are called."""
    lines = delimited(
        "External_ID Internal_Reference Name Type", lambda n: [f"__x_{n}", f"K-{n}", f"Mug {n}", "ab"[n % 2] * 3]
    )
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    (tmp_path / "Bilder").mkdir()
    for n in range(COUNT):
        (tmp_path / "Bilder" / f"K-{n}.{['jpg', 'png', 'webp'][n % 3]}").write_bytes(jpeg(n))
    init("feed.csv")
    text = Path("shop.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["catalogue"]["columns"]["item_id"] == "Internal Reference"
    assert "item's 'Internal Reference'" in " ".join(text.replace("\n#", "").split())
    assert "# not used: 'External ID'" in text


def test_a_column_whose_photos_are_nowhere_is_left_out(tmp_path: Path) -> None:
    """As of Directus, which names a file as it is kept and as it was uploaded."""
    (tmp_path / "uploads").mkdir()
    lines = delimited(
        "sku name type image_disk image_download more_image",
        lambda n: [
            f"K{n}",
            f"Mug {n}",
            "ab"[n % 2] * 3,
            f"{n}-4cf2.jpg",
            f"IMG_{n}.jpg",
            f"{n}-2.jpg" if n < 9 else "",
        ],
    )
    for n in range(COUNT):
        (tmp_path / "uploads" / f"{n}-4cf2.jpg").write_bytes(jpeg(n))
        (tmp_path / "uploads" / f"{n}-2.jpg").write_bytes(jpeg(COUNT + n))
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 0, result.output
    said = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))
    assert said["catalogue"]["columns"]["photos"] == ["image disk", "more image"]
    text = (tmp_path / "shop.toml").read_text(encoding="utf-8")
    assert "# left out: 'image download' names photos that are not there, as those of other columns are" in text
