"""A config by `init`: it runs unedited, or says which line to fill in, and every damaged row is told."""

from __future__ import annotations

import gzip
import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.config import ConfigError, load_config
from pipelines.survey.draft.photos import hosts_inside
from tests.catalogue.shop import Shop, jpeg
from tests.photo_hosts import answering, host
from tests.survey.feeds import COUNT, FEEDS, Feed, delimited, with_lines


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


def written(folder: Path, text: str, name: str = "feed.csv", *more: str) -> dict[str, dict[str, object]]:
    """What a config for a feed says of [catalogue], which must run as it is."""
    (folder / name).write_text(text, encoding="utf-8")
    result = init(name, *more)
    assert result.exit_code == 0, result.output
    config = Path("shop.toml")
    load_config(config)
    return tomllib.loads(config.read_text(encoding="utf-8"))


def filled_in(text: str, answers: dict[str, str]) -> str:
    """A config whose lines to fill in are filled in."""
    for key, value in answers.items():
        text = re.sub(rf"^# FILL IN: {key} = .*$", f'{key} = "{value}"', text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("make", FEEDS, ids=lambda make: make.__name__)
def test_ten_feeds(make: Callable[[], Feed], tmp_path: Path) -> None:
    feed = make()
    feed.write(tmp_path)
    result = init(feed.name)
    text = Path("shop.toml").read_text(encoding="utf-8")
    said = tomllib.loads(text)["catalogue"]
    columns = said.pop("columns", {})
    assert said == {"snapshot": feed.name, **feed.catalogue}
    assert columns == feed.columns
    assert result.exit_code == (1 if feed.asked else 0), result.output
    assert re.findall(r"^shop\.toml:\d+: # FILL IN: (\w+)", result.output, re.MULTILINE) == list(feed.asked)
    for line, code in feed.rejected:
        assert f"{feed.name}:{line}: {code}: " in result.output
    if feed.asked:
        with pytest.raises(ConfigError, match=r"'catalogue\.columns\.category' is missing"):
            load_config("shop.toml")
        Path("shop.toml").write_text(filled_in(text, dict(feed.answers)), encoding="utf-8")
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    rejects = {(reject["source"], reject["code"]) for reject in Shop(tmp_path).table("rejects")}
    assert manifest["counts"]["items"] == feed.items
    assert rejects == {(f"{feed.name}:{line}", code) for line, code in feed.rejected}


def test_each_guess_says_why(tmp_path: Path) -> None:
    FEEDS[0]().write(tmp_path)
    assert init("artikel.csv").output.splitlines()[-1] == (
        "next: visual-search check --config shop.toml, then visual-search run --config shop.toml"
    )
    lines = Path("shop.toml").read_text(encoding="utf-8").splitlines()
    assert "item_id = \"Artikelnummer\"  # 100% of the values differ, such as '00000'" in lines
    assert "decimal_mark = \",\"  # numbers such as '0,90 €'" in lines
    assert 'photo_root = "bilder"  # 100 of the first 100 photos are there' in lines
    assert "height = 80  # photos of 60 x 80 pixels (width x height) are most frequent" in lines


def test_a_config_that_is_there_stays(tmp_path: Path) -> None:
    FEEDS[2]().write(tmp_path)
    Path("shop.toml").write_text("mine", encoding="utf-8")
    result = init("feed.xml")
    assert result.exit_code == 1
    assert "shop.toml is there already; name another file with --output, or write over it with --force" in result.output
    assert Path("shop.toml").read_text(encoding="utf-8") == "mine"
    assert init("feed.xml", "--force").exit_code == 0
    assert load_config("shop.toml").catalogue.format == "google_merchant"


def test_names_that_lie(tmp_path: Path) -> None:
    """`id` is the shop's, `image` a text about it, and the photo's column has a name that says nothing."""
    (tmp_path / "pix" / "shots").mkdir(parents=True)
    for n in range(COUNT):
        (tmp_path / "pix" / "shots" / f"{n}.JPG").write_bytes(jpeg(n))
    lines = delimited(
        "id number cat1 cat2 cat3 image file name",
        lambda n: [
            *(7, 1000 + n, "Men" if n % 2 else "Women", f"Shoes {n % 2}", f"Boots {n % 4}"),
            *("a nice picture", f"shots\\{n}.JPG", f"Thing number {n}"),
        ],
    )
    said = written(tmp_path, with_lines(lines, {}))["catalogue"]
    assert said["photo_root"] == "pix"
    assert said["columns"] == {
        "item_id": "number",
        "photos": "file",
        "category": ["cat1", "cat2", "cat3"],
        "title": "name",
    }


@pytest.mark.parametrize(("odd", "encoding"), [(1, None), (COUNT, "cp1252")])
def test_a_row_that_is_no_utf_8_is_damaged_and_many_are_another_encoding(
    odd: int, encoding: str | None, tmp_path: Path
) -> None:
    def row(n: int) -> list[object]:
        return [f"k{n}", f"Caf\xe9 {n}" if n < odd else f"Mug {n}", "AB"[n % 2], f"https://cdn.example/{n}.jpg"]

    text = with_lines(delimited("sku name type photo", row, count=4 * COUNT), {})
    (tmp_path / "feed.csv").write_bytes(text.encode("cp1252"))
    result = init("feed.csv")
    said = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]
    assert said.get("encoding") == encoding
    assert ("feed.csv:2: bad_utf8: column 'name' is not UTF-8 (byte 0xe9)" in result.output) == (encoding is None)


def test_more_rejects_than_a_run_takes_are_told(tmp_path: Path) -> None:
    """As of Shopware's variants, which are rows without photo and category."""
    lines = delimited(
        "id parent_id name categories media_url",
        lambda n: [
            f"x{n}",
            *((f"x{n - 1}", "", "", "") if n % 3 == 2 else ("", f"Mug {n}", "ab"[n % 2] * 3, f"{n}.jpg")),
        ],
    )
    for n in range(COUNT):
        (tmp_path / f"{n}.jpg").write_bytes(jpeg(n))
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 1
    assert (
        "STOP 20 of 60 rows that were looked at are rejected (no_photo 20), over catalogue.max_rejected_share = 10%"
        in (result.output)
    )
    assert result.output.count(": no_photo: ") == 2
    assert "  and 18 more; `visual-search check` counts those of the whole feed" in result.output


def test_half_of_the_photos_are_missing_for_their_spelling(tmp_path: Path) -> None:
    lines = delimited("sku type photo", lambda n: [f"k{n}", "AB"[n % 2], f"p{n}.jpg"], count=20)
    for n in range(20):
        (tmp_path / f"p{n}.{'jpeg' if n % 2 else 'jpg'}").write_bytes(jpeg(n))
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 1
    told = next(line for line in result.output.splitlines() if line.startswith("STOP "))
    assert told.startswith("STOP 10 of the first 20 photos are missing, such as 'p1.jpg', but there is 'p1.jpeg': ")


def test_a_row_a_language_is_told(tmp_path: Path) -> None:
    lines = delimited(
        "sku locale name type photo",
        lambda n: [f"k{n // 3}", ["de", "en", "fr"][n % 3], f"Mug {n}", "AB"[n % 2], f"https://cdn.example/{n}.jpg"],
    )
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 1
    told = "note: 3 rows an item, that differ by 'locale' (de, en, fr): let the export write one of them"
    assert told in result.output.splitlines()


def test_a_header_for_programs_below_one_for_people(tmp_path: Path) -> None:
    """As in Amazon's listings, whose first line is neither."""
    lines = delimited(
        "Seller_SKU Product_Name Product_Type Main_Image_URL",
        lambda n: [f"k{n}", f"Mug {n}", "AB"[n % 2], f"https://cdn.example/{n}.jpg"],
    )
    names = "item_sku,item_name,feed_product_type,main_image_url"
    text = with_lines(["TemplateType=fptcustom,Version=2026,,", lines[0], names, *lines[1:]], {})
    said = written(tmp_path, text)["catalogue"]
    assert said["skip_lines"] == 2
    assert said["columns"] == {
        "item_id": "item_sku",
        "photos": "main_image_url",
        "category": "feed_product_type",
        "title": "item_name",
    }


def test_addresses_with_a_place_to_fill_in(tmp_path: Path) -> None:
    lines = delimited(
        "sku type photo", lambda n: [f"k{n}", "AB"[n % 2], f"https://cdn.example/{{width}}x{{height}}/{n}.jpg"]
    )
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 1
    assert "STOP '{width}' in photo addresses looks like a place to fill in: " in result.output


def test_paths_of_which_the_first_is_the_same_for_all(tmp_path: Path) -> None:
    lines = delimited(
        "sku name category photo",
        lambda n: [f"k{n}", f"Mug {n}", f"Shop All;Home/Mugs {n % 3};Sale/Mugs", f"https://cdn.example/{n}.jpg"],
    )
    columns = written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert columns["category_choice"] == "deepest"
    assert (columns["category_separator"], columns["category_path_separator"]) == ("/", ";")
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    leaves = {row["category"][-1] for row in Shop(tmp_path).table("items")}
    assert (manifest["counts"]["items"], leaves) == (COUNT, {"Mugs 0", "Mugs 1", "Mugs 2"})


def test_categories_beside_a_family_that_all_have(tmp_path: Path) -> None:
    """As Akeneo writes them: codes of several categories in a cell."""
    lines = delimited(
        "sku;categories;family;name;image",
        lambda n: [
            *(f"AK{n}", f"master_{'abc'[n % 3]}" + ",master_sale,print_2026" * (n % 2), "clothing", f"Shirt {n}"),
            f"https://cdn.example/{n}.jpg",
        ],
        ";",
    )
    lines[0] = "sku;categories;family;name;image"
    columns = written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert (columns["category"], columns["category_path_separator"]) == ("categories", ",")


def test_all_items_in_one_category_are_told(tmp_path: Path) -> None:
    lines = delimited("sku name type photo", lambda n: [f"k{n}", f"Mug {n}", "Mugs", f"https://cdn.example/{n}.jpg"])
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    assert "note: all items are in one category, 'Mugs': catalogue.columns.category may be wrong" in (
        init("feed.csv").output
    )


def test_dates_that_can_be_read_in_two_ways_are_left_out(tmp_path: Path) -> None:
    lines = delimited(
        "sku name type last_update photo",
        lambda n: [f"k{n}", f"Mug {n}", "Mugs", f"0{1 + n % 9}/0{1 + n % 8}/2025", f"https://cdn.example/{n}.jpg"],
    )
    assert "updated_at" not in written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert "# left out: updated_at = 'last update', for dates such as '01/01/2025' can be read in two ways" in (
        Path("shop.toml").read_text(encoding="utf-8")
    )


def test_a_price_that_many_cells_do_not_say_rejects_no_item(tmp_path: Path) -> None:
    """The sale's, of which some say a range, is left out; the usual one stays."""
    lines = delimited(
        "sku type photo price sale_price",
        lambda n: [f"k{n}", "AB"[n % 2], f"https://cdn.example/{n}.jpg", f"{n}.50", "5 - 10" if n % 6 == 0 else "5.00"],
    )
    columns = written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert columns == {"item_id": "sku", "photos": "photo", "category": "type", "price": "price"}
    told = "'sale price' is no price: 17% of its cells are no number, such as '5 - 10'; export one number a cell"
    assert f"# left out: {told}" in Path("shop.toml").read_text(encoding="utf-8").splitlines()


def test_xml_with_names_of_its_own(tmp_path: Path) -> None:
    """Elements that repeat are lists, and one alone is as a cell is."""
    rows = [
        f"<item><sku>K{n}</sku><name>Thing {n}</name><photo>https://cdn.example/{n}.jpg</photo>"
        f"<photo>https://cdn.example/{n}b.jpg</photo><cat>Home|Kind {n % 2}</cat><preis>{n},99</preis></item>"
        for n in range(COUNT)
    ]
    said = written(tmp_path, f"<rss><channel>{''.join(rows)}</channel></rss>", "feed.xml")["catalogue"]
    assert said["decimal_mark"] == ","
    assert said["columns"] == {
        "item_id": "sku",
        "photos": "photo",
        "category": "cat",
        "category_separator": "|",
        "title": "name",
        "price": "preis",
    }


def test_full_lists_of_several_days(tmp_path: Path) -> None:
    lines = delimited("sku name type photo", lambda n: [f"k{n}", f"Mug {n}", "Mugs", f"https://cdn.example/{n}.jpg"])
    for day in (27, 28):
        (tmp_path / f"products_202511{day}.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("products_*.csv")
    assert result.exit_code == 0, result.output
    assert load_config("shop.toml").catalogue.snapshot_files == "newest"


def test_a_feed_behind_an_address(tmp_path: Path) -> None:
    feed = FEEDS[2]()
    photos = host()
    photos.photo = lambda _: feed.text.encode()  # type: ignore[method-assign]
    with answering(photos.app) as address:
        refused = init(f"{address}/feed.xml")
        assert refused.exit_code == 1
        assert "refused_address" in refused.output
        result = init(f"{address}/feed.xml", "--allow-network", "127.0.0.1")
        assert result.exit_code == 0, result.output
    config = load_config("shop.toml")
    assert (config.catalogue.snapshot, config.catalogue.format) == (f"{address}/feed.xml", "google_merchant")
    assert config.fetch.allowed_networks == ["127.0.0.1/32"]
    assert sorted(photos.seen.paths) == ["feed.xml"]  # and no photo


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    """What is there of it tells how it is written; that it cannot be read to its end is in the way of a run."""
    text = random.Random(1).randbytes
    lines = delimited(
        "sku name type photo text",
        lambda n: [f"k{n}", f"Mug {n}", "Mugs", f"https://cdn.example/{n}.jpg", text(1000).hex()],
        count=400,
    )
    packed = gzip.compress(with_lines(lines, {}).encode())
    (tmp_path / "feed.csv.gz").write_bytes(packed[:-30])
    result = init("feed.csv.gz")
    assert result.exit_code == 1
    assert "STOP " in result.output
    assert "cannot be read: Compressed file ended" in result.output
    assert load_config("shop.toml").catalogue.columns.item_id == "sku"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("feed.csv", "", "is empty: it has no header and no rows; export it again"),
        ("feed.csv", "sku;name\n", "has no rows; export it again"),
        ("feed.csv", "K1;12.99;1.jpg\nK2;13.99;2.jpg\n", "has no header: its first line"),
        (
            "feed.xml",
            "<things><thing>1</thing></things>",
            "it has no <item>, <entry>, <product> or <offer> in its <things>, nor several",
        ),
        ("feed.xlsx", "x", "is a workbook; save it as CSV"),
        ("feed.csv", "<html>no</html>", "is a web page or XML, not a table"),
    ],
)
def test_what_nobody_could_read(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = init(name)
    assert result.exit_code == 1
    assert message in result.output
    assert not Path("shop.toml").exists()


def test_where_photos_are_and_the_config_goes(tmp_path: Path) -> None:
    """Photos of the shop's own address are here too, in a folder that is given; the config lies beside neither."""
    (tmp_path / "export").mkdir()
    (tmp_path / "conf").mkdir()
    lines = delimited(
        "sku name type photo",
        lambda n: [f"k{n}", f"Mug {n}", ["Mugs", "Cups"][n % 2], f"https://shop.example/media/product/m/{n}.jpg"],
    )
    (tmp_path / "export" / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    (tmp_path / "copy" / "m").mkdir(parents=True)
    for n in range(COUNT):
        (tmp_path / "copy" / "m" / f"{n}.jpg").write_bytes(jpeg(n))
    refused = init("export/feed.csv", "--output", "none/shop.toml")
    assert refused.exit_code == 1
    assert f"there is no folder {tmp_path / 'none'}; make it, or name another file with --output" in refused.output
    result = init("export/feed.csv", "--photos", "copy", "--output", "conf/shop.toml")
    assert result.exit_code == 0, result.output
    section = load_config("conf/shop.toml").catalogue
    assert section.snapshot == str(tmp_path / "export" / "feed.csv")
    assert section.photo_root == str(tmp_path / "copy")
    assert section.photo_prefix == "https://shop.example/media/product/"
    nowhere = init("export/feed.csv", "--photos", "export", "--force")
    assert f"photos: none of the first 60 was found; looked in {tmp_path / 'export'}" in nowhere.output


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [("none.csv", 1, "names no file"), (".", 1, "is a folder; name the files in it"), ("s3://b/x.csv", 2, "s3://")],
)
def test_a_place_that_is_none(place: str, code: int, message: str) -> None:
    result = init(place)
    assert result.exit_code == code
    assert message in result.output


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["a/x.parquet", "b/y.parquet", "_SUCCESS", "a/.x.parquet.crc"], "'feed/*/*.parquet'"),
        (["a.jsonl", "b.jsonl", "c.csv", "sub/x.parquet"], "'feed/*.jsonl'"),
        (["day=1/kind=a/x.tsv"], "'feed/*/*/*.tsv'"),
        (["A.CSV.gz"], "'feed/*.CSV.gz'"),
        (["notes.docx"], "'feed/*.csv'"),
    ],
)
def test_a_folder_is_told_with_a_glob_of_what_lies_in_it(paths: list[str], said: str, tmp_path: Path) -> None:
    for path in paths:
        (tmp_path / "feed" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "feed" / path).touch()
    assert f"feed/ is a folder; name the files in it, as {said}" in init("feed/").output


def test_one_category_is_no_wonder_where_the_folder_names_it(tmp_path: Path) -> None:
    for kind in ("Cups", "Mugs"):
        lines = delimited(
            "sku name photo", lambda n, kind=kind: [f"{kind}{n}", f"A {n}", f"https://cdn.example/{n}.jpg"]
        )
        (tmp_path / f"feed/category={kind}").mkdir(parents=True)
        (tmp_path / f"feed/category={kind}/part.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed/*/*.csv")
    assert result.exit_code == 0, result.output
    assert load_config("shop.toml").catalogue.columns.category == "category"
    assert "one category" not in result.output


def test_photos_on_machines_of_the_shop_and_stock(tmp_path: Path) -> None:
    rows = "".join(f"{n},Shoe {n},Shoes > Boots,http://127.0.0.1:8900/{n}.jpg,in stock\n" for n in range(30))
    (tmp_path / "feed.csv").write_text(f"sku,title,category,image,availability\n{rows}")
    result = init(str(tmp_path / "feed.csv"), "--output", str(tmp_path / "shop.toml"))
    assert result.exit_code == 0, result.output
    assert "photos: 127.0.0.1 is not of the internet" in result.output
    assert "take away both # before that key in the config" in result.output
    text = (tmp_path / "shop.toml").read_text()
    assert '# [fetch]\n# allowed_networks = ["127.0.0.1"]  # the photos' in text
    assert '# out_of_stock = "flag"  # or "remove"; until it is set, items that are out of stock are shown' in text
    hint = text.replace("# [fetch]", "[fetch]").replace("# allowed_networks", "allowed_networks")
    hint = hint.replace("# out_of_stock", "out_of_stock")
    (tmp_path / "shop.toml").write_text(hint)
    config = load_config(tmp_path / "shop.toml")
    assert (config.fetch.allowed_networks, config.catalogue.out_of_stock) == (["127.0.0.1/32"], "flag")


@pytest.mark.parametrize(
    ("uris", "hosts"),
    [
        (["http://10.0.0.7/a.jpg", "http://[fd00::1]/a.jpg"], ("10.0.0.7", "fd00::1")),
        (["http://localhost:8000/a.jpg", "https://media.shop.local/a.jpg"], ("localhost", "media.shop.local")),
        (["http://10.0.0.7/a.jpg", "https://cdn.shop.example/a.jpg"], ()),
        (["http://8.8.8.8/a.jpg"], ()),
        (["a.jpg", "gs://bucket/a.jpg"], ()),
    ],
)
def test_hosts_that_are_not_of_the_internet(uris: list[str], hosts: tuple[str, ...]) -> None:
    assert hosts_inside(uris) == hosts


@pytest.mark.parametrize(
    "share", ["\\\\NAS01\\Marketing\\", "smb://NAS01/Marketing/", "file://NAS01/Marketing/", "Z:\\"]
)
def test_photos_on_a_share_are_paths_that_begin_elsewhere(share: str, tmp_path: Path) -> None:
    lines = delimited(
        "sku name type photo", lambda n: [f"k{n}", f"Mug {n}", "Mugs", f"{share}Bilder\\{n % 2}\\{n}.jpg"]
    )
    (tmp_path / "feed.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("feed.csv")
    assert (result.exit_code, "addresses" in result.output) == (1, False)
    assert "where do paths such as " in result.output
    for n in range(COUNT):
        photo = tmp_path / f"Bilder/{n % 2}/{n}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(jpeg(n))
    result = init("feed.csv", "--force")
    assert result.exit_code == 0, result.output
    prefix = share.replace("\\\\", "smb://").replace("\\", "/")
    assert load_config("shop.toml").catalogue.photo_prefix == prefix
    looked = CliRunner().invoke(main, ["check", "--config", "shop.toml", "--json"]).stdout
    assert "photo_unsupported_scheme" not in looked
    assert "photo_missing" not in looked
