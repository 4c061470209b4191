"""`init` of what shops' systems, programs and databases export: which rows are items, and which column holds what."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.catalogue.shop import Shop, jpeg
from tests.survey.feeds import COUNT, delimited, with_lines
from tests.survey.test_init import init, written


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_variants_that_leave_out_what_the_first_says(tmp_path: Path) -> None:
    header, *rows = delimited(
        "product sku name type price photo", lambda n: [f"p{n}", f"s{n}", "Tee", "Tees", 9, f"{n}.jpg"]
    )
    lines = [header, *(line for n, row in enumerate(rows) for line in (row, f"p{n},s{n}b,,,10,"))]
    for n in range(COUNT):
        (tmp_path / f"{n}.jpg").write_bytes(jpeg(n))
    columns = written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert {"item_id": "sku", "group_id": "product", "continues": "product"}.items() <= columns.items()


def kinds(export: str) -> str:
    """BigCommerce's exports: rows of several kinds, of which the older one's products are whole."""
    if export == "old":
        header = "Item Type,Product ID,Product Name,Price,Product Visible?,Category,Product Image File - 1"
        rows = [
            f"Product,{n},Mug {n},5.00,Y,Home/Mugs {n % 3},https://cdn.example/{n}.jpg\n  SKU,9{n},[S]Size=S,,,,\n"
            f"  Rule,8{n},,[ADD]2,,,"
            for n in range(100, 100 + COUNT)
        ]
    else:
        header = "Item,ID,Name,SKU,Options,Categories,Internal Image URL (Export)"
        rows = [
            f"Product,{n},Mug {n},BC{n},,2{n % 3};31,\nVariant,9{n},,BC{n}-S,Type=Rectangle|Name=Size|Value=S,,\n"
            f"Image,8{n},,,,,https://cdn.example/{n}.jpg"
            for n in range(100, 100 + COUNT)
        ]
    return "\n".join([header, *rows, ""])


def tabled(header: list[str], row: Callable[[int], list[object]]) -> str:
    """A feed of so many rows as a program writes them, with quotes where they are needed."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *(row(n) for n in range(100, 100 + COUNT))])
    return text.getvalue()


def test_cells_that_hold_json(tmp_path: Path) -> None:
    text = tabled(
        ["sku", "name", "categories", "images", "price"],
        lambda n: [
            *(f"s{n}", f"Mug number {n}", json.dumps([{"name": "Home"}, {"name": f"Mugs {n % 3}"}])),
            *(json.dumps([{"src": f"https://cdn.example/{n}-{m}.jpg"} for m in "ab"]), json.dumps({"amount": "5.00"})),
        ],
    )
    assert written(tmp_path, text)["catalogue"]["columns"] == {
        "item_id": "sku",
        "photos": "images.src",
        "category": "categories.name",
        "title": "name",
        "price": "price.amount",
    }
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    assert (manifest["counts"]["items"], manifest["counts"]["photos"]) == (COUNT, 2 * COUNT)
    assert {tuple(item["category"]) for item in Shop(tmp_path).table("items")} == {
        ("Home", f"Mugs {n}") for n in range(3)
    }


def test_ids_that_a_program_took_for_numbers(tmp_path: Path) -> None:
    """Floats for ids, behind the index that pandas writes; those that a spreadsheet rounded are told as such."""
    header = ["", "item_id", "title", "category", "image_url", "price"]
    photo = "https://cdn.example/{}.jpg".format
    text = tabled(header, lambda n: [n, f"{n}.0", f"Mug number {n}", f"Mugs {n % 3}", photo(n), "9.5"])
    columns = written(tmp_path, text)["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert (columns["item_id"], columns["category"], columns["price"]) == ("item_id", "category", "price")
    told = f"item ids that a program took for numbers and wrote with decimals: {COUNT}, as '100.0'; let"
    assert told in init("feed.csv", "--force").output

    text = tabled(["EAN", "Name", "Category", "Image"], lambda n: ["4.00638E+12", f"Mug number {n}", "Mugs", photo(n)])
    (tmp_path / "feed.csv").write_text(text)
    result = init("feed.csv", "--force")
    assert result.exit_code == 1
    assert "feed.csv:2: bad_item_id: '4.00638E+12' was rounded by a spreadsheet; export ids as text" in result.output
    assert tomllib.loads(Path("shop.toml").read_text())["catalogue"]["columns"]["item_id"] == "EAN"


def test_ids_of_categories_side_by_side_and_names_before_ids(tmp_path: Path) -> None:
    """Shopware 6: of an item's categories the first counts, and its maker is who it is called by."""

    def row(n: int) -> list[object]:
        ids = [f"{n % 3}f579c66d0a7d4d007a15eb17682bd8e", *[f"{n % 2}0b59714528d5798b1c8adaf0d0ed15e"] * (n % 4 > 0)]
        return [
            f"s{n}",
            f"Mug number {n}",
            f"{n % 5}f4e1aaabd0746",
            f"Acme {n % 5}",
            "|".join(ids),
            f"https://c.d/{n}.jpg",
        ]

    text = tabled(["sku", "name", "manufacturer_id", "manufacturer_name", "categories", "image_url"], row)
    columns = written(tmp_path, text)["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert columns["attributes"] == {"brand": "manufacturer_name"}
    assert (columns["category_path_separator"], columns.get("category_separator")) == ("|", None)
    Shop(tmp_path).run("r", "catalogue")
    assert {tuple(item["category"]) for item in Shop(tmp_path).table("items")} == {
        (f"{n}f579c66d0a7d4d007a15eb17682bd8e",) for n in range(3)
    }


@pytest.mark.parametrize("mark", ["///", " >> ", "||", "->", " :: ", "--", " => ", "~~"])
def test_levels_apart_by_a_mark_of_several_signs(mark: str, tmp_path: Path) -> None:
    text = tabled(
        ["sku", "name", "Category", "image"],
        lambda n: [f"s{n}", f"Mug number {n}", f"Home{mark}T-Mugs{mark}Size {n % 3}", f"https://c.example/{n}.jpg"],
    )
    columns = written(tmp_path, text)["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert (columns["category_separator"], columns.get("category_path_separator")) == (mark.strip(), None)
    notes = Shop(tmp_path).run("r", "catalogue")["catalogue"]["notes"]
    assert [note for note in notes if note.startswith("categor")] == []
    assert {tuple(item["category"]) for item in Shop(tmp_path).table("items")} == {
        ("Home", "T-Mugs", f"Size {n}") for n in range(3)
    }


@pytest.mark.parametrize(
    ("cell", "separator", "is_told"),
    [
        ("apparel,tshirts{},summer_2026", None, True),  # Akeneo's: whether levels or several, nothing says
        ("Bags,Sale{}", None, True),
        ("Hats, Gloves and Scarves {}", "", False),
        ("master_men,master_men_{}", ",", False),
    ],
)
def test_categories_with_commas(cell: str, separator: str | None, tmp_path: Path, *, is_told: bool) -> None:
    text = tabled(
        ["sku", "name", "categories", "image"],
        lambda n: [f"s{n}", f"Mug number {n}", cell.format("abc"[n % 3]), f"https://c.example/{n}.jpg"],
    )
    columns = written(tmp_path, text)["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert columns.get("category_path_separator") == separator
    assert ("category cells that look like several paths" in init("feed.csv", "--force").output) == is_told


def test_file_names_beside_the_addresses_that_end_with_them(tmp_path: Path) -> None:
    text = tabled(
        ["Product ID", "Name", "Category", "Image File - 1", "Image URL - 1"],
        lambda n: [n, f"Mug number {n}", "Mugs", f"{n}.jpg", f"https://cdn.example/a/{n}.jpg?v=1"],
    )
    columns = written(tmp_path, text)["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert columns["photos"] == "Image URL - 1"


@pytest.mark.parametrize(
    ("place", "is_page"),
    [
        ("https://drive.google.com/file/d/{}/view?usp=sharing", True),
        ("https://drive.google.com/uc?export=download&id={}", False),
        ("https://www.dropbox.com/s/x/{}.jpg?dl=0", True),
        ("https://www.dropbox.com/s/x/{}.jpg?rlkey=1&dl=1", False),
        ("https://i.imgur.com/{}.jpg", False),
        ("https://imgur.com/{}", True),
    ],
)
def test_addresses_of_pages_are_told(tmp_path: Path, place: str, *, is_page: bool) -> None:
    text = tabled(["sku", "name", "category", "photo"], lambda n: [n, f"Mug number {n}", "Mugs", place.format(n)])
    (tmp_path / "feed.csv").write_text(text)
    said = "addresses are of pages in which people look at a photo" in init("feed.csv").output
    assert said == is_page


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        ("smallimage,bigimage", "bigimage"),
        ("image_small,image_medium,image_large", "image_large"),
        ("photoThumb,photo", "photo"),
        ("Vignette,Image zoom", "Image zoom"),
        ("image_medium", "image_medium"),
    ],
)
def test_one_picture_in_several_sizes_is_taken_once(tmp_path: Path, columns: str, taken: str) -> None:
    names = columns.split(",")
    photos = [f"https://cdn.example/{place}/{{0}}.jpg" for place, _ in enumerate(names)]
    feed = tabled(
        ["id", "name", "category", *names], lambda n: [n, f"Mug {n}", f"C{n % 3}", *(one.format(n) for one in photos)]
    )
    assert written(tmp_path, feed)["catalogue"]["columns"]["photos"] == taken


def test_a_tag_beside_the_address_that_it_shows(tmp_path: Path) -> None:
    def product(n: int) -> dict[str, object]:
        tag = f'<img src="~/files/{n}/mug.jpg" width="#width#" />'
        photo = {"imageTag": tag, "imageUrl": f"https://cdn.example/files/{n}/mug.jpg?v=63"}
        return {"id": f"p{n}", "name": f"Mug {n}", "category": f"C{n % 3}", "items": [{"images": [photo]}]}

    (tmp_path / "feed.json").write_text(json.dumps([product(n) for n in range(COUNT)]), encoding="utf-8")
    assert init("feed.json").exit_code == 0
    columns = tomllib.loads((tmp_path / "shop.toml").read_text(encoding="utf-8"))["catalogue"]["columns"]
    assert columns["photos"] == "items.images.imageUrl"


def test_rows_of_variants_without_the_id_of_their_product_are_more_of_it(tmp_path: Path) -> None:
    """As Squarespace has them: each variant has an SKU, and only the first row of a product says all else."""
    header = ["Product ID [Non Editable]", "SKU", "Title", "Price", "Categories", "Hosted Image URLs"]

    def row(n: int) -> list[object]:
        if n % 2:
            return ["", f"SQ{n}", "", 12.5, "", ""]
        return [f"5f3c{n}", f"SQ{n}", f"Mug {n}", 9.5, f"/mugs/c{n % 4}", f"https://cdn.example/{n}.jpg"]

    columns = written(tmp_path, tabled(header, row))["catalogue"]["columns"]
    assert (columns["item_id"], columns["continues"]) == (header[0], header[0])


@pytest.mark.parametrize(("before", "is_told"), [("drafts.", True), ("preview-", True), ("4711-", False)])
def test_drafts_beside_what_they_are_drafts_of_are_told(tmp_path: Path, before: str, *, is_told: bool) -> None:
    rows = [
        {"_id": name, "title": f"Mug {n}", "category": f"C{n % 3}", "image": f"https://cdn.example/{n}.jpg"}
        for n in range(COUNT)
        for name in ([f"p{n}", f"{before}p{n}"] if n < 3 else [f"p{n}"])
    ]
    (tmp_path / "feed.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    told = init("feed.jsonl").stdout
    assert (f"3 ids are another row's with '{before}' before, as '{before}p0' and 'p0'" in told) == is_told


def test_photos_within_cells(tmp_path: Path) -> None:
    photo = "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD"
    text = tabled(["sku", "name", "category", "photo"], lambda n: [n, f"Mug number {n}", "Mugs", f"{photo}{n}"])
    (tmp_path / "feed.csv").write_text(text)
    result = init("feed.csv")
    assert result.exit_code == 1
    assert "'photo' holds photos themselves: write them to files, which the feed names" in result.output


def test_a_catalogue_as_meta_has_it(tmp_path: Path) -> None:
    text = tabled(
        ["id", "title", "availability", "image_link", "brand", "fb_product_category", "google_product_category"],
        lambda n: [
            *(n, f"Mug number {n}", "in stock", f"https://cdn.example/{n}.jpg", "Acme", f"home > mugs {n % 3}", "166"),
        ],
    )
    assert written(tmp_path, text)["catalogue"]["format"] == "google_merchant"
    Shop(tmp_path).run("r", "catalogue")
    assert {tuple(item["category"]) for item in Shop(tmp_path).table("items")} == {
        ("home", f"mugs {n}") for n in range(3)
    }


def test_the_least_price_of_variants_as_interfaces_of_shops_give_it(tmp_path: Path) -> None:
    nodes = [
        {
            "id": f"gid://shopify/Product/{n}",
            "title": f"Mug number {n}",
            "productType": f"Mugs {n % 3}",
            "images": {"edges": [{"node": {"url": f"https://cdn.example/{n}.jpg"}}]},
            "priceRangeV2": {"minVariantPrice": {"amount": "12.0", "currencyCode": "EUR"}},
        }
        for n in range(COUNT)
    ]
    text = json.dumps({"data": {"products": {"edges": [{"cursor": "x", "node": node} for node in nodes]}}})
    columns = written(tmp_path, text, "feed.json")["catalogue"]["columns"]
    assert isinstance(columns, dict)
    assert columns["price"] == "node.priceRangeV2.minVariantPrice.amount"
    assert columns["currency"] == "node.priceRangeV2.minVariantPrice.currencyCode"


def test_lists_of_countries_are_no_days(tmp_path: Path) -> None:
    """As Spark and BigQuery write partitions: the same items, under names that differ by a word; or by a day."""
    row = "{n},Mug {n},Mugs,https://cdn.example/{n}.jpg"
    for folder in ("country=DE", "country=FR", "day=2026-11-27", "day=2026-11-28"):
        (tmp_path / "p" / folder).mkdir(parents=True)
        lines = ["sku,name,type,photo", *(row.format(n=n) for n in range(60 if "DE" in folder else 40))]
        (tmp_path / "p" / folder / "part-00000.csv").write_text("\n".join(lines), encoding="utf-8")
    assert init("p/country=*/*.csv").exit_code == 0
    assert "snapshot_files" not in tomllib.loads(Path("shop.toml").read_text())["catalogue"]
    assert init("p/day=*/*.csv", "--force").exit_code == 0
    assert tomllib.loads(Path("shop.toml").read_text())["catalogue"]["snapshot_files"] == "newest"
    notes = Shop(tmp_path).run("r", "catalogue")["catalogue"]["notes"]
    told = 'files that catalogue.snapshot_files = "newest" leaves unread: 1, as '
    assert [note for note in notes if note.startswith(told)] == [f"{told}'day=2026-11-27/part-00000.csv'"]


def test_rows_of_deleted_items_are_no_photos_of_the_one_above(tmp_path: Path) -> None:
    """A stream of changes gives each row as it was and as it is: of what is deleted nothing is."""
    kept = [
        {"id": n, "title": f"Mug {n}", "category": f"Mugs {n % 3}", "url": f"https://c.example/{n}.jpg"}
        for n in range(60)
    ]
    rows = [{"before": row, "after": row, "op": "u"} for row in kept]
    rows += [
        {"before": {**row, "url": f"https://c.example/x{n}.jpg"}, "after": None, "op": "d"}
        for n, row in enumerate(kept[:4])
    ]
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    output = init("feed.jsonl").output
    assert tomllib.loads(Path("shop.toml").read_text())["catalogue"]["columns"] == {
        "item_id": "after.id",
        "photos": "after.url",
        "category": "after.category",
        "title": "after.title",
    }
    assert "rejected: 4 of 64 rows (no_item_id 4)" in output


def test_rows_without_an_id_and_with_a_title_are_no_more_of_the_one_above(tmp_path: Path) -> None:
    text = tabled(
        ["TITLE", "PRICE", "TYPE", "IMAGE1", "SKU"],
        lambda n: [f"Mug {n}", "5.00", f"Mugs {n % 3}", f"https://c.example/{n}.jpg", "" if n % 5 == 0 else f"s{n}"],
    )
    (tmp_path / "feed.csv").write_text(text)
    assert f"no_item_id {COUNT // 5}" in init("feed.csv").output
    assert "continues" not in tomllib.loads(Path("shop.toml").read_text())["catalogue"]["columns"]


def test_variants_of_a_hidden_product_are_no_items(tmp_path: Path) -> None:
    """Wix: a row of the product, which may be hidden, and of each variant, which leaves out photo and category."""
    header = "handleId,fieldType,name,productImageUrl,collection,sku,price,visible"
    rows = [
        f"product_{n},Product,Mug {n},https://c.example/{n}.jpg,Mugs {n % 3},FA-{n},5.00,{n >= 6}\n"
        f"product_{n},Variant,,,,FA-{n}-S,5.00,True"
        for n in range(60)
    ]
    said = written(tmp_path, "\n".join([header, *rows, ""]))["catalogue"]
    assert said["columns"]["deleted"] == ["fieldType", "visible"]
    Shop(tmp_path).run("r", "catalogue")
    assert Shop(tmp_path).item_ids() == {f"FA-{n}" for n in range(6, 60)}


@pytest.mark.parametrize("own_sku", [True, False])
def test_rows_of_variations_with_the_id_of_their_product_do_not_remove_it(tmp_path: Path, *, own_sku: bool) -> None:
    """Ecwid: each second product has two rows of options, with its id, and in some shops a number of their own."""
    header = "type,product_sku,product_name,product_price,product_category_1,image,product_variation_sku,size"
    rows = [
        f"product,E{n},Mug {n},5.00,Home / Mugs {n % 3},https://c.example/{n}.jpg,,"
        + "".join(f"\nproduct_variation,E{n},,6.00,,,{f'E{n}-{size}' * own_sku},{size}" for size in "SM" * (n % 2))
        for n in range(60)
    ]
    said = written(tmp_path, "\n".join([header, *rows, ""]))["catalogue"]
    assert isinstance(said["columns"], dict)
    assert said["columns"]["item_id"] == said["columns"]["continues"] == "product_sku"
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    assert (Shop(tmp_path).item_ids(), manifest["rejects"]) == ({f"E{n}" for n in range(60)}, {})


def test_stock_as_schema_org_says_it(tmp_path: Path) -> None:
    offers = [{"availability": f"https://schema.org/{word}", "price": "5.00"} for word in ("InStock", "OutOfStock")]
    rows = [
        {
            "sku": f"s{n}",
            "name": f"Mug {n}",
            "category": "Mugs",
            "image": f"https://c.example/{n}.jpg",
            "offers": offers[n % 2],
        }
        for n in range(60)
    ]
    said = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "feed.jsonl")["catalogue"]
    assert said["columns"]["availability"] == "offers.availability"


@pytest.mark.parametrize("price", ["{},90 €", "{}.90", "ab {} auf Anfrage"])
@pytest.mark.parametrize("day", ["{:02d}.11.2026", "2026-11-{:02d}", "01.{:02d}.2026 oder später"])
@pytest.mark.parametrize("rows", [1, 2])
def test_settings_of_which_each_hides_what_the_next_mends(price: str, day: str, rows: int, tmp_path: Path) -> None:
    """A row is rejected for its first fault alone: what mends that saves no row while there is another."""
    header = ["Produkt", "Artikelnummer", "Bezeichnung", "Warengruppe", "Preis", "Bild", "geändert am"]

    def lines(n: int) -> list[list[object]]:
        photo, changed = f"https://c.example/{n}.jpg", day.format(1 + n % 28)
        whole = [f"p{n}", f"s{n}", f"Schöner Schuh {n}", f"Schuhe {n % 3}", price.format(n), photo, changed]
        return [whole, [f"p{n}", f"s{n}b", "", "", "", "", ""]][:rows]

    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([header, *(line for n in range(10, 70) for line in lines(n))])
    (tmp_path / "feed.csv").write_text(out.getvalue(), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 0, result.output
    assert f"the first {60 * rows} rows, {60 * rows} items" in result.output
    said = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]
    assert said.get("decimal_mark") == ("," if "," in price else None)
    assert ("price" in said["columns"]) == ("Anfrage" not in price)
    assert said.get("date_format") == ("%d.%m.%Y" if day == "{:02d}.11.2026" else None)
    assert ("updated_at" in said["columns"]) == ("oder" not in day)


@pytest.mark.parametrize(
    ("name", "quote"),
    [
        ('"Boss" Mug {} of 24"', ""),  # as MySQL and SQL Server write texts
        ('Mug {} of 24"', None),
        ("'Mug {}@of 24'", "'"),
        ('"Mug {}@of 24"', None),
        ("Mug {} of '24'", None),
    ],
)
def test_quotes_that_are_text_and_quotes_around_cells(name: str, quote: str | None, tmp_path: Path) -> None:
    names = [name.format(n).replace("@", " \t"[n % 5 == 0]) for n in range(60)]
    rows = [f"s{n}\t{names[n]}\tMugs {n % 3}\thttps://c.example/{n}.jpg" for n in range(60)]
    said = written(tmp_path, "\n".join(["sku\tname\tcategory\timage", *rows, ""]), "feed.tsv")["catalogue"]
    assert said.get("quote") == quote
    Shop(tmp_path).run("r", "catalogue")
    assert len(Shop(tmp_path).item_ids()) == 60


def test_what_is_packed_is_told(tmp_path: Path) -> None:
    (tmp_path / "feed.zip").write_bytes(b"PK")
    assert "feed.zip is packed; unpack it, and use one of" in init("feed.zip").output


def test_rows_that_are_no_items_are_left_out(tmp_path: Path) -> None:
    said = written(tmp_path, kinds("old"))["catalogue"]
    assert said["columns"]["deleted"] == ["Item Type", "Product Visible?"]
    assert {"sku", "rule", "n"} <= {*said["deleted_words"]}
    assert {"product", "y"} <= {*said["not_deleted_words"]}
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    assert (manifest["counts"]["items"], manifest["rejects"]) == (COUNT, {})


def flat_file(column: str, words: tuple[str, str, str], *, photos_below: bool = True) -> str:
    """A parent and two below it, and every fifth product alone, as Amazon's flat files have them."""

    def line(n: int) -> list[str]:
        sku, parent, photo = f"S{n}", f"P{n - n % 3}", f"https://cdn.example/{n}.jpg"
        if n % 15 < 3:
            return [sku, f"Mug {n}", "5.00", photo, "Home/Mugs", words[2], ""]
        if n % 3 == 0:
            return [f"P{n}", f"Mug {n}", "", photo, "Home/Mugs", words[0], ""]
        return [sku, f"Mug {n}", "5.00", photo if photos_below else "", "Home/Mugs", words[1], parent]

    return with_lines(delimited(f"sku name price image category {column} parent_sku", line), {})


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("parent_child", ("Parent", "Child", "")),
        ("parentage_level", ("Übergeordnet", "Untergeordnet", "")),
        ("product_type", ("configurable", "simple", "simple")),
        ("Type", ("variable", "variation", "simple")),
    ],
    ids=["Amazon", "in German", "Magento", "WooCommerce"],
)
def test_rows_that_only_head_a_group_are_no_items(column: str, words: tuple[str, str, str], tmp_path: Path) -> None:
    said = written(tmp_path, flat_file(column, words))["catalogue"]
    assert said["columns"]["group_id"] == "parent sku"
    assert said["columns"]["deleted"] == column.replace("_", " ")
    assert said["deleted_words"] == [words[0].casefold()]
    run = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    heads = sum(n % 3 == 0 and n % 15 >= 3 for n in range(COUNT))
    assert (run["counts"]["items"], run["rejects"]) == (COUNT - heads, {})
    assert any(f"their item is gone (catalogue.columns.deleted): {heads} of {COUNT}" in note for note in run["notes"])


def test_rows_that_only_head_a_group_are_left_out_beside_those_that_are_deleted(tmp_path: Path) -> None:
    header, *rows = flat_file("parent_child", ("Parent", "Child", "")).splitlines()
    rows = [f"{row},{int(n == 1)}" for n, row in enumerate(rows)]
    said = written(tmp_path, "\n".join([f"{header},is_deleted", *rows, ""]))["catalogue"]
    assert said["columns"]["deleted"] == ["parent child", "is_deleted"]
    assert {"parent", "1"} <= {*said["deleted_words"]}
    assert {"child", "0"} <= {*said["not_deleted_words"]}
    run = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    heads = sum(n % 3 == 0 and n % 15 >= 3 for n in range(COUNT))
    assert (run["counts"]["items"], run["rejects"]) == (COUNT - heads - 1, {})


def test_heads_of_groups_stay_where_those_below_have_no_photo(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(flat_file("kind", ("a", "b", ""), photos_below=False), encoding="utf-8")
    init("feed.csv")
    said = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]
    assert "a" not in said.get("deleted_words", [])


def test_an_export_whose_rows_cannot_be_used_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(kinds("new"), encoding="utf-8")
    result = init("feed.csv")
    assert result.exit_code == 1
    assert (
        tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]["columns"]["category"] == "Categories"
    )
    assert "STOP all rows that were looked at are rejected (no_photo 120, no_category 60)" in result.output
    assert "let the export write them into one row" in result.output
    assert "next: see to the lines above, then: " in result.output


def test_names_of_a_language_without_blanks(tmp_path: Path) -> None:
    """As EC-CUBE exports products: Shift JIS with signs of Windows, photos three folders below, flags of two kinds."""
    header = (
        "商品ID,公開ステータス(名称),商品名,商品削除フラグ,商品画像,商品カテゴリ(ID),商品カテゴリ(名称),"
        "商品コード,在庫数,販売価格"
    )
    rows = [
        f"{n},{'非' * (n % 9 == 8)}公開,①レザーブーツ㈱ {n},0,{n}.jpg,{n % 3},{'靴帽鞄'[n % 3]},EC-{n},5,{n}00"
        for n in range(COUNT)
    ]
    (tmp_path / "product.csv").write_bytes("\r\n".join([header, *rows, ""]).encode("cp932"))
    (tmp_path / "html" / "upload" / "save_image").mkdir(parents=True)
    for n in range(COUNT):
        (tmp_path / "html" / "upload" / "save_image" / f"{n}.jpg").write_bytes(jpeg(n))
    result = init("product.csv")
    assert result.exit_code == 0, result.output
    said = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]
    assert (said["encoding"], said["photo_root"]) == ("cp932", "html/upload/save_image")
    assert said["columns"] == {
        "item_id": "商品コード",
        "photos": "商品画像",
        "category": "商品カテゴリ(名称)",
        "title": "商品名",
        "price": "販売価格",
        "availability": "在庫数",
        "deleted": ["公開ステータス(名称)", "商品削除フラグ"],
    }


def test_rows_that_go_on_from_others_are_variants_where_each_has_an_id(tmp_path: Path) -> None:
    """As Shopware 5 exports them: photos and category on the first of a product alone."""
    lines = delimited(
        "mainnumber ordernumber name categories imageUrl",
        lambda n: [
            *(f"SW{n // 3}", f"SW{n // 3}.{n % 3}", f"Shirt {n // 3}"),
            *(("", "") if n % 3 else ("ab"[n // 3 % 2] * 3, f"https://cdn.example/{n}.jpg")),
        ],
    )
    columns = written(tmp_path, with_lines(lines, {}))["catalogue"]["columns"]
    assert {"item_id": "ordernumber", "continues": "mainnumber", "group_id": "mainnumber"}.items() <= columns.items()
