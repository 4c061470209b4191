"""Which column holds what, in feeds of many kinds, and what stands between the parts of cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipelines.survey.draft.columns import guessed
from pipelines.survey.draft.dates import forms_of
from pipelines.survey.draft.marks import between_levels, between_paths, between_photos, whole_mark
from pipelines.survey.draft.names import numbered, said, tokens
from pipelines.survey.draft.photos import recommended

ROWS = 40
KINDS: dict[str, Any] = {
    "id": lambda n: f"A{n:04d}",
    "text": lambda n: f"Nice thing number {n}",
    "path": lambda n: f"Home > Sub {n % 3}",
    "kind": lambda n: ["Shoes", "Hats", "Bags"][n % 3],
    "one": lambda _: "clothing",
    "code": lambda n: str(n % 4),
    "price": lambda n: f"{n + 1}.50",
    "photo": lambda n: f"{n}.jpg",
    "address": lambda n: f"https://cdn.example/{n}",
    "other": lambda n: f"https://cdn.example/thumb/{n}.jpg",
    "page": lambda n: f"https://shop.example/p/{n}",
    "shop": lambda _: "7",
    "day": lambda n: f"2025-11-{1 + n % 28:02d}",
    "colour": lambda n: ["red", "blue"][n % 2],
    "group": lambda n: f"G{n // 4}",
    "no": lambda _: "",
    "rare": lambda n: f"{n}.jpg" if n % 5 == 0 else "",
}
"""Cells by what they hold."""


def mapping(header: dict[str, str]) -> dict[str, Any]:
    """What is guessed of a feed whose columns hold cells of some kinds."""
    rows = [{name: KINDS[kind](n) for name, kind in header.items()} for n in range(ROWS)]
    return guessed(rows, [*header]).keys


@pytest.mark.parametrize(
    "names",
    [
        ("sku", "name", "category", "price", "image"),
        ("Artikel-Nr.", "Artikelbezeichnung", "Warengruppe", "VK-Preis", "Bild-URL"),
        ("référence", "libellé", "catégorie", "prix TTC", "photo"),
        ("Código", "Descripción", "Familia", "Precio venta", "Foto"),
        ("Codice articolo", "Denominazione", "Categoria", "Prezzo", "Immagine principale"),
        ("productNumber", "productNaam", "categorie", "prijs", "afbeelding"),
        ("Kod", "Nazwa", "Kategoria", "Cena", "Zdjęcie"),
        ("Varenummer", "Navn", "Kategori", "Pris", "Billede"),
        ("Артикул", "Название", "Категория", "Цена", "Фото"),
        ("商品番号", "商品名", "カテゴリ", "価格", "画像URL"),
        ("ITEM_CODE", "ITEM_DESC", "DEPT", "RETAIL_PRICE", "IMG_FILE"),
    ],
)
def test_names_of_many_languages(names: Sequence[str]) -> None:
    kinds = ("id", "text", "path", "price", "photo")
    keys = ("item_id", "title", "category", "price", "photos")
    assert mapping(dict(zip(names, kinds, strict=True))) == dict(zip(keys, names, strict=True))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # names that say nothing
        ({"a": "id", "b": "path", "c": "photo"}, {"item_id": "a", "category": "b", "photos": "c"}),
        # an id of the shop, of which all rows have the same, and one that is empty
        (
            {"id": "shop", "sku": "no", "number": "id", "type": "kind", "image": "photo"},
            {"item_id": "number", "category": "type", "photos": "image"},
        ),
        # a category by its number beside its name, small photos, a page, prices of before
        (
            {
                "product_id": "id", "category_id": "code", "category_name": "kind", "thumbnail": "other",
                "image_large": "photo", "link": "page", "price": "price", "old_price": "price",
            },
            {"item_id": "product_id", "category": "category_name", "photos": "image_large", "price": "price"},
        ),
        # addresses without an ending, further photos, a sale
        (
            {
                "id": "id", "type": "kind", "image_2": "photo", "image_10": "other", "image": "address",
                "sale_price": "price", "price": "price",
            },
            {
                "item_id": "id", "category": "type", "photos": ["image", "image_2", "image_10"],
                "price": ["sale_price", "price"],
            },
        ),
        # levels by their numbers, and a column of photos that few rows fill
        (
            {"path": "photo", "item_id": "id", "l1": "kind", "l2": "colour", "dup_of": "rare"},
            {"item_id": "item_id", "category": ["l1", "l2"], "photos": "path"},
        ),
        # a level that is the same for all is none
        (
            {"sku": "id", "family": "one", "categories": "kind", "image": "photo"},
            {"item_id": "sku", "category": "categories", "photos": "image"},
        ),
        # groups, days, attributes
        (
            {
                "sku": "id", "parent_sku": "group", "type": "kind", "image": "photo", "last_modified": "day",
                "Farbe": "colour",
            },
            {
                "item_id": "sku", "group_id": "parent_sku", "category": "type", "photos": "image",
                "updated_at": "last_modified", "attributes": {"colour": "Farbe"},
            },
        ),
    ],
)  # fmt: skip
def test_cells_decide_where_names_are_silent_or_lie(header: dict[str, str], expected: dict[str, Any]) -> None:
    assert mapping(header) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("price_net", "price_gross"), "price_gross"),
        (("price_gross", "price_net"), "price_gross"),
        (("price_excl_vat", "price_incl_vat"), "price_incl_vat"),
        (("price", "price_incl_tax"), "price_incl_tax"),
        (("price_without_tax", "price"), "price"),
        (("Price tax excluded", "Price tax included"), "Price tax included"),
        (("Nettopreis", "Bruttopreis"), "Bruttopreis"),
        (("VK netto", "VK brutto"), "VK brutto"),
        (("Netto", "Brutto"), "Brutto"),
        (("Preis ohne MwSt.", "Preis mit MwSt."), "Preis mit MwSt."),
        (("Prix HT", "Prix TTC"), "Prix TTC"),
        (("prixHT", "prixTTC"), "prixTTC"),
        (("precio sin IVA", "precio con IVA"), "precio con IVA"),
        (("prijs excl. btw", "prijs incl. btw"), "prijs incl. btw"),
        (("cena netto", "cena brutto"), "cena brutto"),
        (("prices.net", "prices.gross"), "prices.gross"),
        (("Einkaufspreis", "Verkaufspreis"), "Verkaufspreis"),
        (("Einkaufspreis brutto", "Preis netto"), "Preis netto"),
        (("cost_price", "price"), "price"),
        (("Großhandelspreis", "Preis"), "Preis"),
        (("Händlerpreis", "Endkundenpreis"), "Endkundenpreis"),
        (("prix_de_gros", "prix"), "prix"),
        (("wholesale_price", "retail_price"), "retail_price"),
        (("prix_achat", "prix_vente"), "prix_vente"),
        (("msrp", "price"), "price"),
        (("compare_at_price", "price"), "price"),
        (("original_price", "final_price"), "final_price"),
        (("recommended_retail_price", "our_price"), "our_price"),
        (("price_net",), "price_net"),
        (("cost_price",), None),
        (("internet_price", "inch"), "internet_price"),
        (("price_net", "price_gross", "sale_price_net"), "price_gross"),
        (("sale_price_net", "sale_price_gross", "price_gross"), ["sale_price_gross", "price_gross"]),
        (("price_net", "sale_price_net"), ["sale_price_net", "price_net"]),
        (("RRP",), "RRP"),
        (("UVP (EUR)",), "UVP (EUR)"),
        (("list_price", "price"), "price"),
        (("price_cents", "price"), "price"),
    ],
)
def test_of_several_prices_that_which_customers_see(names: Sequence[str], expected: Any) -> None:
    header = {"sku": "id", "type": "kind", "photo": "photo"} | dict.fromkeys(names, "price")
    assert mapping(header).get("price") == expected


def test_the_price_that_is_not_taken_is_named() -> None:
    header = {"sku": "id", "type": "kind", "photo": "photo", "price_net": "price", "price_gross": "price"}
    rows = [{name: KINDS[kind](n) for name, kind in header.items()} for n in range(ROWS)]
    assert guessed(rows, [*header]).why["price"] == "such as '1.50'; not 'price_net'"


@pytest.mark.parametrize(
    ("name", "cell", "is_group"),
    [
        ("master_enabled", lambda n: str(n % 3 == 0), False),
        ("masterData.published", lambda n: ["yes", "no", "No"][n % 3], False),
        ("parent_child", lambda n: ["Parent", "Child"][n % 2], False),
        ("parent_level", lambda n: str(n % 3), False),
        ("group", lambda n: str(n // 3), True),
        ("parent_sku", lambda n: f"P{n % 3}", True),
    ],
)
def test_what_few_values_say_is_no_group(name: str, cell: Callable[[int], str], is_group: bool) -> None:
    columns = {"sku": "id", "type": "kind", "image": "photo"}
    rows = [{name: KINDS[kind](n) for name, kind in columns.items()} | {name: cell(n)} for n in range(ROWS)]
    assert guessed(rows, [*rows[0]]).keys.get("group_id") == (name if is_group else None)


@pytest.mark.parametrize(
    "name",
    [
        *("price_cents", "price_in_cents", "prices.value.centAmount", "Price (pence)", "price_minor", "cena_grosze"),
        *("priceKopecks", "unit_amount", "price_money.amount", "priceMicros", "Pris i øre"),
    ],
)
def test_coins_are_no_price(name: str) -> None:
    money = "0.00" if "Micros" in name else "10.00"
    assert left_out(name, lambda n: str(1000 + n)) == [
        f"{name!r} counts coins, such as '1000', and would be taken for whole money; export it as {money}"
    ]


@pytest.mark.parametrize(
    ("name", "cell", "why"),
    [
        ("price", "from 56.85", "is no price: 100% of its cells are no number, such as 'from 56.85'"),
        ("Preis", "5 - 10", "is no price: 100% of its cells are no number, such as '5 - 10'"),
        ("RRP", "was 9 now 6", "is no price: 100% of its cells are no number, such as 'was 9 now 6'"),
        ("cost_price", "9.50", "is by its name not what customers pay, such as '9.50'"),
        ("shipping price", "9.50", "is by its name not what customers pay, such as '9.50'"),
    ],
)
def test_what_looks_like_a_price_and_is_left_out_is_told(name: str, cell: str, why: str) -> None:
    (told,) = left_out(name, lambda _: cell)
    assert told.startswith(f"{name!r} {why}; ")


def left_out(name: str, cell: Callable[[int], str]) -> list[str]:
    """What is said of a column that no key of a feed is mapped to."""
    rows = [{"sku": f"A{n}", "type": "ab"[n % 2], "image": f"{n}.jpg", name: cell(n)} for n in range(ROWS)]
    guess = guessed(rows, [*rows[0]])
    assert guess.keys == {"item_id": "sku", "category": "type", "photos": "image"}
    return guess.left_out


@pytest.mark.parametrize(
    ("cells", "photos", "left"),
    [
        ({"Front": "{}.jpg", "Back": "{}b.jpg"}, ["Front", "Back"], []),
        ({"Front": "{}.jpg", "Back": "{}b.jpg", "Logo": "acme.png"}, ["Front", "Back"], []),
        ({"image": "{}.jpg", "Back": "{}b.jpg"}, "image", ["Back"]),
        ({"image": "{}.jpg", "Back": "{}.jpg"}, "image", []),  # the same ones
        ({"images.name": "{}.jpg", "images.url": "/u/{}.jpg"}, "images.url", []),
        ({"image_path": "a/{}.jpg", "image_url": "https://c.example/a/{}.jpg"}, "image_url", []),
    ],
)
def test_columns_of_photos(cells: dict[str, str], photos: str | list[str], left: list[str]) -> None:
    rows = [
        {"sku": f"A{n}", "type": "ab"[n % 2], **{name: cell.format(n) for name, cell in cells.items()}}
        for n in range(ROWS)
    ]
    guess = guessed(rows, [*rows[0]])
    assert guess.keys["photos"] == photos
    assert [line.split("'")[1] for line in guess.left_out] == left


def test_a_name_that_stands_twice_means_nothing() -> None:
    rows = [{"sku": f"A{n}", "type": "ab"[n % 2], "image": f"{n}.jpg"} for n in range(ROWS)]
    assert guessed(rows, ["sku", "type", "image", "image"]).keys == {"item_id": "sku", "category": "type"}


def test_words_of_names() -> None:
    assert tokens("images[].srcUrl") == ("images", "src", "url")
    assert tokens("Größe_EU") == ("grosse", "eu")
    assert said("image_alt", "photos") == 0
    assert said("sku", "item_id") > said("supplier_sku", "item_id") == 0
    assert numbered(["cat10", "cat2", "cat1", "image", "image_2"]) == {
        "cat": ["cat1", "cat2", "cat10"],
        "image": ["image", "image_2"],
    }


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["a.jpg,b.jpg", "c.jpg"], ","),
        (["a.jpg | b.png|c.webp"], "|"),
        (["a.jpg b.jpg"], " "),
        (["my photo.jpg"], None),
        (["https://c/w_4,h_4/a.jpg,https://c/w_4,h_4/b.jpg"], ","),
        (["https://c/1?x=2;https://c/2?x=3"], ";"),
        (["https://c/a.jpg?w=3,4"], None),
    ],
)
def test_between_photos(cells: list[str], mark: str | None) -> None:
    assert between_photos(cells) == mark


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Home > Sofas, Sale > Sofas"], (",", False)),
        (["Gear,Gear/Bags", "Gear,Gear/Fitness,Sale"], (",", True)),
        (["Sofas, Couches", "Beds"], ("", False)),
        (["Sale, Beds", "Beds", "Sale"], (",", False)),
        (["Shop All;Clothing/Caps;Sale/Caps", "Shop All;Home/Pots"], (";", True)),
        (["Sale/Now;Clothing/Caps", "Clothing/Caps;Sale"], (";", False)),
    ],
)
def test_between_paths(cells: list[str], expected: tuple[str, bool]) -> None:
    levels = "/" if "/" in cells[0] else ">"
    assert between_paths(cells, levels) == expected


def test_between_levels() -> None:
    assert between_levels(["A | B/C", "A | D"])[:2] == ["|", "/"]


@pytest.mark.parametrize("mark", ["///", ">>", "->", "=>", "-->", "--", "||", "::", "&gt;&gt;", "\\\\"])
def test_a_mark_of_several_signs_is_one(mark: str) -> None:
    cells = [f"Apparel{mark}T-Shirts{mark}Tops", f"Shoes {mark} Boots & more", "Gifts"]
    assert between_levels(cells)[0] == mark
    assert {whole_mark(cells, sign) for sign in mark if sign in "/>|\\"} <= {mark}
    assert whole_mark(cells, mark) is None


def test_a_mark_that_stands_alone_too_is_not_of_several_signs() -> None:
    assert whole_mark(["Apparel/Tops", "Apparel//Tops"], "/") is None
    assert between_levels(["Apparel/Tops", "Shoes/Boots", "Apparel//Tops"])[0] == "/"
    assert between_levels(["Apparel/Tops||Sale/Tops", "Shoes/Boots||Sale/Boots"])[0] == "/"


@pytest.mark.parametrize(
    ("cells", "are_levels"),
    [
        (["7f579c66d0|e70b597145", "0ff7a11a59|e70b597145"], False),  # below two others
        (["7f579c66d0|e70b597145", "e70b597145|7f579c66d0"], False),  # each below the other
        (["7f579c66d0|e70b597145", "e70b597145"], False),  # alone too
        (["7f579c66d0|e70b597145", "7f579c66d0|0ff7a11a59", "7f579c66d0"], True),
        (["1200|4711", "1300|4711"], False),
        (["10|10|20", "10|20|20"], True),  # numbers within a level
        (["Men|Shirts", "Women|Shirts"], True),
    ],
)
def test_between_ids(cells: list[str], *, are_levels: bool) -> None:
    assert between_levels(cells) == ["|"] * are_levels


@pytest.mark.parametrize(
    ("texts", "forms"),
    [
        (["28.11.2025", "01.02.2025"], ["%d.%m.%Y"]),
        (["11/28/2025 3:04 PM", "01/02/2025 3:04 AM"], ["%m/%d/%Y %I:%M %p"]),
        (["01/02/2025", "03/04/2025"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["soon", "later"], []),
    ],
)
def test_forms_of_dates(texts: list[str], forms: list[str]) -> None:
    assert forms_of(texts) == forms


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(60, 80)] * 3, (80, 60)),  # no larger than they are
        ([(1000, 1000)], (96, 96)),
        ([(600, 900)], (116, 76)),  # two to three, of the area of 96 x 96, in steps of 4: 117.6 x 78.4
        ([(8, 8)], (16, 16)),
    ],
)
def test_a_size_for_photos(sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    found = recommended(sizes)
    assert found is not None
    assert found[:2] == expected


def test_no_photo_has_no_size() -> None:
    assert recommended([]) is None


def test_a_text_of_several_words_is_no_group() -> None:
    rows = [
        {"ITEM_ID": f"k{n}", "PRODUCT": f"Red shirt number {n // 2} and a gift", "IMGURL": f"https://x/{n}.jpg"}
        for n in range(60)
    ]
    assert "group_id" not in guessed(rows, [*rows[0]]).keys
