"""Prices, and names of columns however they are written: which column is the price, and what is told of the rest."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.survey.draft.columns import Guess, guessed
from pipelines.survey.draft.names import tokens
from tests.survey.feeds import delimited, with_lines

ROWS = 24
BASE: dict[str, Callable[[int], Any]] = {
    "sku": lambda n: f"A{n}",
    "type": lambda n: ["Shoes", "Hats"][n % 2],
    "photo": lambda n: f"{n}.jpg",
}
Cell = Callable[[int], Any]


def usual(n: int) -> str:
    """A price of each row."""
    return f"{n + 10}.50"


def reduced(n: int) -> str:
    """A price of some rows."""
    return "" if n % 3 else f"{n + 8}.50"


def of(columns: dict[str, Cell]) -> Guess:
    """What is guessed of columns beside an id, a category and a photo."""
    rows = [{name: cell(n) for name, cell in (BASE | columns).items()} for n in range(ROWS)]
    return guessed(rows, [*rows[0]])


@pytest.mark.parametrize(
    ("sale", "regular"),
    [
        ("DISCOUNT_PRICE", "LIST_PRICE"),
        ("discountPrice", "regularPrice"),
        ("Discounted price", "Normal price"),
        ("Offer Price", "MRP"),
        ("promo_price", "original_price"),
        ("special_price", "price"),
        ("sale_price", "old_price"),
        ("SALEPRICE", "REGULARPRICE"),
        ("Promotional price", "compare_at_price"),
        ("Rabattpreis", "Normalpreis"),
        ("Aktionspreis", "UVP"),
        ("prix promotionnel", "prix barré"),
        ("precio de oferta", "precio normal"),
        ("Prezzo scontato", "Prezzo di listino"),
        ("Actieprijs", "Adviesprijs"),
        ("Kampanjpris", "Ordinarie pris"),
        ("Tarjoushinta", "Hinta"),
        ("Cena promocyjna", "Cena regularna"),
        ("Цена со скидкой", "Цена"),
        ("Giá khuyến mãi", "Giá bán"),
        ("السعر بعد التخفيض", "السعر"),
        ("セール価格", "定価"),
        ("特価", "販売価格"),
    ],
)
def test_the_price_of_a_sale_counts_where_there_is_one_and_the_usual_one_elsewhere(sale: str, regular: str) -> None:
    assert of({regular: usual, sale: reduced}).keys["price"] == [sale, regular]
    assert of({sale: reduced, regular: usual}).keys["price"] == [sale, regular]
    assert of({sale: usual}).keys["price"] == sale


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("discount", usual),
        ("discount_percent", usual),
        ("clearance", lambda n: str(n % 2)),
        ("on_sale", lambda n: str(n % 2)),
        ("price_before_discount", usual),
        ("price_without_discount", usual),
        ("special_price_to_date", usual),
        ("wholesale_price", usual),
        ("commercialOffer.listPrice", usual),
    ],
)
def test_what_is_no_price_of_a_sale(name: str, cell: Cell) -> None:
    assert of({"price": usual, name: cell}).keys["price"] == "price"


@pytest.mark.parametrize("word", ["No", "false", "0"])
def test_a_price_that_is_left_from_a_sale_is_not_the_price(word: str) -> None:
    guess = of({"Price": usual, "Sale Price": reduced, "On Sale": lambda n: "Yes" if n % 2 else word})
    assert guess.keys["price"] == "Price"
    assert "'Sale Price' is left from before in 4 of 8 rows: there 'On Sale' says no" in guess.left_out


def test_a_flag_that_agrees_with_the_prices_leaves_the_price_of_the_sale() -> None:
    guess = of({"Price": usual, "Sale Price": reduced, "On Sale": lambda n: "No" if n % 3 else "Yes"})
    assert guess.keys["price"] == ["Sale Price", "Price"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"x": lambda n: f"{n + 10}.000 ₫"}, "x"),
        ({"x": lambda n: f"{n + 10},50 ر.س"}, "x"),
        ({"x": lambda n: f"EUR {n + 10}.50"}, "x"),
        ({"x": lambda n: f"€{n + 10}.50", "y": lambda n: "" if n % 3 else f"€{n + 8}.50"}, ["y", "x"]),
        ({"x": lambda n: f"€{n + 10}.50", "y": lambda n: "" if n % 3 else f"€{n + 80}.50"}, "x"),
        ({"x": lambda n: f"€{n + 10}.50", "y": lambda n: f"€{n + 8}.50"}, "x"),
        ({"x": lambda n: f"{n + 10}.50"}, None),
        ({"x": lambda n: f"€{n + 10}.50" if n else "on request"}, None),
        ({"shipping": lambda n: f"€{n + 10}.50"}, None),
        ({"x": lambda n: f"€{n + 10}.50", "price": usual}, "price"),
    ],
)
def test_a_column_of_money_is_the_price_where_no_name_says_one(cells: dict[str, Cell], expected: Any) -> None:
    assert of(cells).keys.get("price") == expected


def test_other_columns_of_money_are_named() -> None:
    guess = of({"x": lambda n: f"€{n + 10}.50", "y": lambda n: f"€{n + 8}.50"})
    assert guess.why["price"] == "such as '€10.50'; not 'y'"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (lambda n: f"{n + 10}:-" if n % 2 else f"{n + 10}:90", "Pris"),
        (lambda n: f"{n + 10}p" if n % 2 else f"£{n + 1}.25", "Pris"),
        (lambda n: f"{n + 10}:90/kg", None),
    ],
)
def test_prices_as_swedish_and_british_shops_write_them(cells: Cell, expected: str | None) -> None:
    assert of({"Pris": cells}).keys.get("price") == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ISACTIVE", ("is", "active")),
        ("CURRENCYISOCODE", ("currency", "iso", "code")),
        ("LASTMODIFIEDDATE", ("last", "modified", "date")),
        ("imageurl", ("image", "url")),
        ("IMAGE_URL", ("image", "url")),
        ("imageUrl", ("image", "url")),
        ("image url", ("image", "url")),
        ("SALEPRICE", ("sale", "price")),
        ("PARENTID", ("parent", "id")),
        ("PRODUCTTYPE", ("product", "type")),
        ("LISTPRICE__C", ("list", "price")),
        ("listenpreis", ("listenpreis",)),
        ("namensliste", ("namensliste",)),
        ("typography", ("typography",)),
        ("keynote", ("keynote",)),
        ("isid", ("isid",)),
    ],
)
def test_words_of_a_name_however_they_are_joined(name: str, words: tuple[str, ...]) -> None:
    assert tokens(name) == words


def test_levels_of_categories_by_their_numbers_are_known_however_their_names_are_written() -> None:
    levels: dict[str, Cell] = {"categoryid1": lambda n: f"C{n % 2}", "categoryid2": lambda n: f"C{n % 4}"}
    columns: dict[str, Cell] = {"id": BASE["sku"], "bigimage": BASE["photo"], **levels}
    rows = [{name: cell(n) for name, cell in columns.items()} for n in range(ROWS)]
    assert guessed(rows, [*columns]).keys["category"] == ["categoryid1", "categoryid2"]


@pytest.mark.parametrize("name", ["ISACTIVE", "IsActive", "is_active", "Is Active", "isactive"])
def test_a_flag_is_known_however_its_name_is_written(name: str) -> None:
    assert of({name: lambda n: "false" if n % 9 == 0 else "true"}).keys["deleted"] == name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("商品管理番号（商品URL）", "商品番号"), "商品管理番号（商品URL）"),
        (("商品番号", "商品管理番号"), "商品管理番号"),
    ],
)
def test_the_id_by_which_rakuten_knows_an_item(names: Sequence[str], expected: str) -> None:
    columns: dict[str, Cell] = {name: lambda n: f"k-{n}" for name in names} | {"商品画像": BASE["photo"]}
    rows = [{name: cell(n) for name, cell in columns.items()} for n in range(ROWS)]
    assert guessed(rows, [*columns]).keys["item_id"] == expected


@pytest.mark.parametrize(
    ("names", "stock"),
    [
        (("Mã sản phẩm", "Tên sản phẩm", "Danh mục", "Giá bán", "Hình ảnh", "Trạng thái"), "Tồn kho"),
        (("رمز المنتج", "اسم المنتج", "التصنيف", "السعر", "صورة المنتج", "حالة المنتج"), "الكمية المتوفرة"),
        (("מק״ט", "שם המוצר", "קטגוריה", "מחיר", "תמונה", "סטטוס"), "מלאי"),
        (("รหัสสินค้า", "ชื่อสินค้า", "หมวดหมู่", "ราคา", "รูปภาพ", "สถานะ"), "คงเหลือ"),
        (("Kode Produk", "Nama Produk", "Kategori", "Harga", "Gambar", "Status"), "Stok"),
        (("Κωδικός", "Τίτλος", "Κατηγορία", "Τιμή", "Εικόνα", "Κατάσταση"), "Απόθεμα"),
        (("Cikkszám", "Terméknév", "Kategória", "Eladási ár", "Kép", "Állapot"), "Készlet"),
        (("Cod produs", "Nume produs", "Categorie", "Preț", "Imagine", "Stare"), "Stoc"),
        (("Код", "Име", "Категория", "Цена", "Снимка", "Статус"), "Наличност"),
        (("Артикул", "Назва", "Категорія", "Ціна", "Зображення", "Статус"), "Наявність"),
        (("商品番号", "商品名", "カテゴリ", "販売価格", "画像", "ステータス"), "在庫数"),
    ],
)
def test_names_of_more_languages(names: Sequence[str], stock: str) -> None:
    cells: list[Cell] = [
        BASE["sku"], lambda n: f"Nice thing {n}", BASE["type"], usual, BASE["photo"],
        lambda n: "draft" if n % 9 == 0 else "active",
    ]  # fmt: skip
    columns = {**dict(zip(names, cells, strict=True)), stock: lambda n: str(n % 5)}
    keys = ("item_id", "title", "category", "price", "photos", "deleted")
    rows = [{name: cell(n) for name, cell in columns.items()} for n in range(ROWS)]
    assert guessed(rows, [*columns]).keys == {**dict(zip(keys, names, strict=True)), "availability": stock}


def drafted(folder: Path, text: str, name: str = "feed.csv") -> str:
    """The config for a feed."""
    (folder / name).write_text(text, encoding="utf-8")
    for n in range(ROWS):
        (folder / f"{n}.jpg").write_bytes(b"\xff\xd8\xff")
    CliRunner().invoke(main, ["init", str(folder / name), "--output", str(folder / "shop.toml")])
    return (folder / "shop.toml").read_text(encoding="utf-8")


def test_columns_that_nothing_takes_are_named(tmp_path: Path) -> None:
    lines = delimited(
        "sku type photo price preisgruppe_x blank", lambda n: [f"A{n}", ["a", "b"][n % 2], f"{n}.jpg", n + 1, "Q", ""]
    )
    text = drafted(tmp_path, with_lines(lines, {}))
    assert "# not used: 'preisgruppe x'; if one says price, category or stock, name it above\n" in text
    assert tomllib.loads(text)["catalogue"]["columns"]["price"] == "price"


def test_of_many_columns_that_nothing_takes_the_first_are_named(tmp_path: Path) -> None:
    extra = " ".join(f"q{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(43))
    lines = delimited(f"sku type photo {extra}", lambda n: [f"A{n}", ["a", "b"][n % 2], f"{n}.jpg", *["Q"] * 43])
    text = " ".join(drafted(tmp_path, with_lines(lines, {})).replace("\n# ", " ").split())
    assert "'qbn' and 3 more; if one says" in text


def test_nothing_is_told_twice(tmp_path: Path) -> None:
    lines = delimited("sku type photo price_net price_gross", lambda n: [f"A{n}", ["a", "b"][n % 2], f"{n}.jpg", 2, 3])
    text = drafted(tmp_path, with_lines(lines, {}))
    assert "not 'price net'" in text
    assert "# not used" not in text


@pytest.mark.parametrize("first", ["standard_price", "list_price"])
def test_what_an_item_costs_the_shop_is_not_the_price_that_odoo_has_beside_it(first: str) -> None:
    columns: dict[str, Cell] = {first: usual, "list_price": usual, "standard_price": lambda n: f"{n + 3}.20"}
    assert of(columns).keys["price"] == "list_price"


def test_a_standard_price_alone_is_the_price() -> None:
    assert of({"standard_price": usual}).keys["price"] == "standard_price"


@pytest.mark.parametrize("name", ["p_priceNoTax", "price_no_vat", "price not incl. tax"])
def test_a_price_without_tax_alone_is_taken_and_told(name: str) -> None:
    guess = guessed([{"sku": f"k{n}", name: f"{n}.5"} for n in range(30)], ["sku", name])
    assert guess.keys["price"] == name
    assert "without tax, by its name" in guess.why["price"]
    both = guessed([{"sku": f"k{n}", name: f"{n}.5", "price": f"{n}.9"} for n in range(30)], ["sku", name, "price"])
    assert both.keys["price"] == "price"
