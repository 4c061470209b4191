"""Product data of Google's Merchant Center, as shops and their plug-ins write it."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.formats.base import FeedError
from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import google_item, rss

FIELDS = {
    "color": "Red", "brand": "Acme", "size": "M", "gender": "female", "age_group": "adult", "material": "Cotton",
    "pattern": "Striped", "google_product_category": "212", "shipping": "<g:country>US</g:country><g:price>5</g:price>",
    "additional_image_link": "https://cdn.example/2.jpg</g:additional_image_link>\n"
    "<g:additional_image_link>https://cdn.example/3.jpg",
    "product_type": "Home &gt; Women &gt; Shirts</g:product_type><g:product_type>Sale",
}  # fmt: skip
ATTRIBUTES = {
    "brand": "Acme", "colour": "Red", "size": "M", "gender": "female", "age_group": "adult", "material": "Cotton",
    "pattern": "Striped",
}  # fmt: skip


def test_rss(exported: Exported) -> None:
    read = exported("google_merchant", "feed.xml", rss([google_item("a", **FIELDS), google_item("b", **FIELDS)]))
    assert (read.rejects, read.notes) == ([], [])
    a = read.held["a"].item
    assert (a.title, a.group_id, a.price) == ("Shirt & a", "g1", 12.99)
    assert a.category == ("Home", "Women", "Shirts")
    assert a.attributes == ATTRIBUTES
    assert read.photos["b"] == [
        "https://cdn.example/w_400,h_400/b.jpg", "https://cdn.example/2.jpg", "https://cdn.example/3.jpg"
    ]  # fmt: skip


def test_atom(exported: Exported) -> None:
    entry = google_item("a", **FIELDS).replace("item>\n", "entry>\n", 1).replace("</item>", "</entry>")
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">{entry}</feed>'
    read = exported("google_merchant", "feed.atom", atom)
    assert (read.rejects, {*read.held}, len(read.photos["a"])) == ([], {"a"}, 3)


HEADERS = [
    "id\ttitle\timage_link\tadditional_image_link\tproduct_type\tprice\tsale_price\tavailability\titem_group_id\tcolor",
    "ID\tTitle\tImage Link\tAdditional image link\tProduct type\tPrice\tSale price\tAvailability\tItem group ID\t"
    "Colour",
    "g:id\tg:title\tg:image_link\tg:additional_image_link\tg:product_type\tg:price\tg:sale_price\tg:availability\t"
    "g:item_group_id\tg:color",
    "Id\tTitle\tImage_Link\tAdditional_Image_Link\tProduct_Type\tPrice\tSale_Price\tAvailability\tItem_Group_Id\tcolor",
]
LINE = (
    "1\tShirt, red\thttps://c.example/a.jpg\thttps://c.example/w_4,h_4/b.jpg,https://c.example/c%2Cd.jpg\t"
    'Home > "No" > Shirts, Sale\t12.99 USD\t9.99 USD\tin stock\tg\tred'
)


@pytest.mark.parametrize("name", ["feed.tsv", "feed.txt"])
@pytest.mark.parametrize("header", HEADERS)
def test_text_whose_names_are_spelt_in_many_ways(exported: Exported, header: str, name: str) -> None:
    read = exported("google_merchant", name, f"{header}\n{LINE}\n")
    assert read.rejects == []
    one = read.held["1"].item
    assert (one.title, one.group_id, one.price) == ("Shirt, red", "g", 9.99)
    assert one.category == ("Home", '"No"', "Shirts")
    assert one.attributes == {"colour": "red"}
    assert read.photos["1"] == [
        "https://c.example/a.jpg", "https://c.example/w_4,h_4/b.jpg", "https://c.example/c%2Cd.jpg"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("product_type", "google", "category"),
    [
        ("Home > Women > Dresses", "", ["Home", "Women", "Dresses"]),
        ('"""Home > Kitchen, Dining > Pots"",Home > Sale"', "", ["Home", "Kitchen, Dining", "Pots"]),
        ('"Home > Pots, Home > Sale"', "", ["Home", "Pots"]),
        ('"Food, Beverages & Tobacco > Coffee"', "", ["Food, Beverages & Tobacco", "Coffee"]),
        ("", '"Hardware > Heating, Ventilation > Vents"', ["Hardware", "Heating, Ventilation", "Vents"]),
        ("", "2271 - Apparel & Accessories > Dresses", ["Apparel & Accessories", "Dresses"]),
        ("Home &gt; Women &amp; more", "", ["Home", "Women & more"]),
        ("AT&T > Phones &c", "", ["AT&T", "Phones &c"]),
    ],
)
def test_the_category_is_the_first_product_type_or_else_googles(
    exported: Exported, product_type: str, google: str, category: list[str]
) -> None:
    text = f"id,title,image_link,product_type,google_product_category\n1,A,a.jpg,{product_type},{google}\n"
    assert exported("google_merchant", "feed.csv", text).said("category") == {"1": tuple(category)}


def test_a_number_of_googles_list_is_told(exported: Exported) -> None:
    text = "id,title,image_link,google_product_category\n1,A,a.jpg,2271\n2,B,b.jpg,212\n3,C,c.jpg,Shoes > Boots\n"
    read = exported("google_merchant", "feed.csv", text)
    assert read.said("category") == {"1": ("2271",), "2": ("212",), "3": ("Shoes", "Boots")}
    assert any(
        note.startswith("categories that are numbers alone: 2, as '2271'; export their names") for note in read.notes
    )
    assert any("is that of column 'google_product_category', for they have none: 3" in note for note in read.notes)


@pytest.mark.parametrize(
    ("period", "price"),
    [
        ("", 9.0),
        ("2020-01-01T00:00+0100/2020-02-01T00:00+0100", 12.0),
        ("2020-01-01T00:00+0100/2100-02-01T00:00+0100", 9.0),
        ("2100-01-01T00:00Z/2100-02-01T00:00Z", 12.0),
        ("soon", 9.0),
    ],
)
def test_the_price_is_that_of_a_sale_while_it_is_on(exported: Exported, period: str, price: float) -> None:
    text = (
        "id,title,image_link,product_type,price,sale_price,sale_price_effective_date\n"
        f"1,A,a.jpg,Shoes,12.00 USD,9.00 USD,{period}\n"
    )
    assert exported("google_merchant", "feed.csv", text).said("price") == {"1": price}


@pytest.mark.parametrize(
    "names", [("additional_image_link",) * 2, ("additional_image_link1", "Additional Image Link 2")]
)
def test_further_photos_may_have_a_column_each(exported: Exported, names: tuple[str, str]) -> None:
    text = f"id\ttitle\timage_link\t{names[0]}\t{names[1]}\tproduct_type\n1\tA\ta.jpg\tb.jpg\tc.jpg\tShoes\n"
    assert exported("google_merchant", "feed.tsv", text).photos == {"1": ["a.jpg", "b.jpg", "c.jpg"]}


def test_what_the_config_sets_counts_before_the_format(exported: Exported) -> None:
    text = (
        "id,mpn,title,image link,product type,custom label 0,price,fit\n1,M1,A,a.jpg,Shoes,Winter / Boots,12 EUR,slim\n"
    )
    columns: dict[str, Any] = {"item_id": "mpn", "category": "custom_label_0", "category_separator": "/"}
    read = exported("google_merchant", "feed.csv", text, columns={**columns, "attributes": {"fit": "Fit"}})
    assert read.said("category") == {"M1": ("Winter", "Boots")}
    assert read.said("attributes") == {"M1": {"fit": "slim"}}


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("id,title,product_type,price", "no column 'image_link', which catalogue.columns.photos names"),
        ("id,title,image_link,price", "no column 'product_type', which catalogue.columns.category names"),
        ("sku,title,image_link,product_type", "no column 'id', which catalogue.columns.item_id names"),
    ],
)
def test_columns_that_no_item_can_do_without_must_be_there(exported: Exported, header: str, lacking: str) -> None:
    with pytest.raises(FeedError) as caught:
        exported("google_merchant", "feed.csv", f"{header}\n1,2,3,4\n")
    assert lacking in str(caught.value)
    assert "gender" not in str(caught.value)


def test_json_of_the_same_names(exported: Exported) -> None:
    rows = [{"id": "1", "title": "A", "imageLink": "a.jpg", "additionalImageLink": ["b.jpg"], "product_type": "Shoes"}]
    read = exported("google_merchant", "feed.json", json.dumps({"kind": "products", "items": rows}))
    assert (read.photos, read.said("category")) == ({"1": ["a.jpg", "b.jpg"]}, {"1": ("Shoes",)})


def test_parquet_of_the_same_names(exported: Exported) -> None:
    sink = io.BytesIO()
    pq.write_table(
        pa.table({"ID": ["1"], "Image Link": ["a.jpg"], "product type": ["Shoes > Boots"], "price": ["5 EUR"]}), sink
    )
    read = exported("google_merchant", "feed.parquet", sink.getvalue())
    assert (read.photos, read.said("category")) == ({"1": ["a.jpg"]}, {"1": ("Shoes", "Boots")})
    assert read.said("currency") == {"1": "EUR"}
