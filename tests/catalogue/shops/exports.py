"""Exports as shop systems write them: rows of each, and what makes a file of them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

Rows = Sequence[Mapping[str, str]]


def table(rows: Rows, delimiter: str = ",", names: Mapping[str, str] | None = None) -> str:
    """Rows as delimited text, with a column for all that any of them has, or by the names that columns go by."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow([(names or {}).get(name, name) for name in columns])
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return out.getvalue()


def rss(items: Iterable[str]) -> str:
    """A feed of items of Google's, as RSS 2.0."""
    start = '<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n<title>S</title>\n'
    return f"{start}{''.join(items)}</channel></rss>\n"


def google_item(item_id: str, **more: str) -> str:
    """One item; `more` are elements that it has beside, or instead of, those of all."""
    fields = {
        "id": item_id,
        "title": f"<![CDATA[Shirt & {item_id}]]>",
        "link": f"https://shop.example/{item_id}",
        "image_link": f"https://cdn.example/w_400,h_400/{item_id}.jpg",
        "item_group_id": "g1",
        "product_type": "Home &gt; Women &gt; Shirts",
        "price": "12.99 USD",
        "availability": "in_stock",
    } | more
    prefixed = {name if name in {"title", "link"} else f"g:{name}": text for name, text in fields.items()}
    return "<item>\n" + "".join(f"<{name}>{text}</{name}>\n" for name, text in prefixed.items()) + "</item>\n"


SHOPIFY: Rows = [
    {
        "Handle": "tee", "Title": "Tee", "Body (HTML)": '<p>Soft,\n"good"</p>', "Vendor": "Acme",
        "Product Category": "Apparel > Clothing > Shirts", "Type": "Tees", "Tags": "summer, new", "Published": "true",
        "Option1 Name": "Colour", "Option1 Value": "Red", "Option2 Name": "Size", "Option2 Value": "S",
        "Variant SKU": "T-R", "Variant Inventory Qty": "3", "Variant Price": "19.99", "Image Src": "r.jpg",
        "Image Position": "1", "Variant Image": "r.jpg", "Google Shopping / Gender": "unisex", "Status": "active",
    },
    {
        "Handle": "tee", "Option1 Value": "Blue", "Option2 Value": "S", "Variant SKU": "T-B", "Variant Price": "21.99",
        "Variant Inventory Qty": "0", "Image Src": "b.jpg", "Image Position": "2", "Variant Image": "b.jpg",
    },
    {"Handle": "tee", "Image Src": "back.jpg", "Image Position": "3"},
    {
        "Handle": "mug", "Title": "Mug", "Type": "Mugs", "Vendor": "Acme", "Published": "TRUE", "Option1 Name": "Title",
        "Option1 Value": "Default Title", "Variant SKU": "M", "Variant Price": "5", "Image Src": "m.jpg",
        "Status": "Active",
    },
    {"Handle": "old", "Title": "Old", "Type": "Mugs", "Image Src": "o.jpg", "Published": "true", "Status": "archived"},
    {"Handle": "hid", "Title": "Hid", "Type": "Mugs", "Image Src": "h.jpg", "Published": "false", "Status": "active"},
]  # fmt: skip
NEWER_SHOPIFY = {
    "Handle": "URL handle", "Body (HTML)": "Description", "Product Category": "Product category",
    "Published": "Published on online store", "Option1 Name": "Option1 name", "Option1 Value": "Option1 value",
    "Option2 Name": "Option2 name", "Option2 Value": "Option2 value", "Variant SKU": "SKU", "Variant Price": "Price",
    "Variant Inventory Qty": "Inventory quantity", "Image Src": "Product image URL", "Image Position": "Image position",
    "Variant Image": "Variant image URL",
}  # fmt: skip

_PRODUCT = {"Type": "simple", "Published": "1", "Visibility in catalog": "visible", "In stock?": "1"}
WOOCOMMERCE: Rows = [
    {
        "ID": "7", **_PRODUCT, "Type": "variation", "SKU": "H-R", "Name": "Hoodie - Red", "Regular price": "45",
        "Sale price": "", "Date sale price starts": "", "Date sale price ends": "", "Categories": "",
        "Images": "https://s.example/hr.jpg", "Parent": "id:10", "Attribute 1 name": "Color",
        "Attribute 1 value(s)": "Red", "Attribute 1 visible": "",
    },
    {
        "ID": "10", **_PRODUCT, "Type": "variable", "SKU": "H", "Name": "Hoodie", "Description": "Warm, soft",
        "Categories": "Clothing, Clothing > Hoodies, Sale",
        "Images": "https://s.example/h1.jpg, https://s.example/h2.jpg", "Attribute 1 name": "Color",
        "Attribute 1 value(s)": "Red, Blue", "Attribute 2 name": "Fabric", "Attribute 2 value(s)": "Wool",
        "Attribute 3 name": "Material", "Attribute 3 value(s)": "Wool", "Brands": "Acme",
    },
    {
        "ID": "11", **_PRODUCT, "Type": "simple, virtual", "SKU": "B", "Name": "Beanie", "In stock?": "0",
        "Sale price": "5", "Regular price": "10", "Date sale price starts": "2020-01-01",
        "Date sale price ends": "2020-02-01", "Categories": "Shoes\\, Boots > Caps", "Images": "https://s.example/b.jpg",
        "Attribute 1 name": "pa_color", "Attribute 1 value(s)": "Green",
    },
    {
        "ID": "12", **_PRODUCT, "SKU": "C", "Name": "Cap", "Visibility in catalog": "catalog", "In stock?": "backorder",
        "Sale price": "5", "Regular price": "10", "Date sale price ends": "2100-01-01", "Categories": "Clothing > Caps",
        "Images": "https://s.example/c.jpg", "Attribute 1 name": "Größe", "Attribute 1 value(s)": "M",
    },
    {"ID": "13", **_PRODUCT, "Name": "Draft", "Published": "-1", "Categories": "Clothing", "Images": "d.jpg"},
    {"ID": "14", **_PRODUCT, "Name": "Private", "Published": "0", "Categories": "Clothing", "Images": "e.jpg"},
    {"ID": "15", **_PRODUCT, "Name": "Hidden", "Visibility in catalog": "hidden", "Categories": "A", "Images": "f.jpg"},
    {"ID": "16", **_PRODUCT, "Type": "subscription", "Regular price": "10", "Categories": "A", "Images": "g.jpg"},
    {"ID": "17", **_PRODUCT, "Type": "variation, downloadable", "Name": "Blue", "Images": "h.jpg", "Parent": "H"},
]  # fmt: skip

_ENABLED = {"attribute_set_code": "Default", "product_type": "simple", "product_online": "1"}
MAGENTO: Rows = [
    {
        "sku": "WB01-Red", "store_view_code": "", **_ENABLED, "categories": "Default Category/Gear/Bags",
        "name": "Bag Red", "visibility": "Not Visible Individually", "price": "34", "special_price": "",
        "special_price_from_date": "", "special_price_to_date": "", "base_image": "/w/b/red.jpg",
        "small_image": "/w/b/red.jpg", "additional_attributes": "color=Red", "qty": "5.0000", "is_in_stock": "1",
    },
    {
        "sku": "WB01", **_ENABLED, "product_type": "configurable", "name": "Bag", "visibility": "Catalog, Search",
        "categories": "Default Category/Gear,Default Category/Gear/Bags,Default Category", "price": "34.000000",
        "special_price": "29.5", "special_price_from_date": "1/1/20, 12:00 AM", "base_image": "/w/b/base.jpg",
        "small_image": "/w/b/base.jpg", "thumbnail_image": "/w/b/base.jpg",
        "additional_attributes": "activity=Gym|Hike,color=Black,material=Leather, soft,features=a, b", "qty": "0.0000",
        "is_in_stock": "1", "additional_images": "/w/b/base.jpg,/w/b/back.jpg,/w/b/swatch.jpg",
        "hide_from_product_page": "/w/b/swatch.jpg",
        "configurable_variations": "sku=WB01-Red,color=Red|sku=WB01-Blue,color=Blue",
    },
    {"sku": "WB01", "store_view_code": "de", "name": "Tasche", "base_image": "no_selection"},
    {
        "sku": "MUG", **_ENABLED, "categories": "Default Category", "name": "Mug", "visibility": "Catalog",
        "price": "5", "base_image": "no_selection", "small_image": "/m/u/mug.jpg", "qty": "3.0000", "is_in_stock": "0",
    },
    {
        "sku": "OFF", **_ENABLED, "product_online": "2", "categories": "Default Category/Gear", "name": "Off",
        "visibility": "Catalog, Search", "price": "5", "base_image": "/o/f.jpg", "qty": "3.0000", "is_in_stock": "1",
    },
    {
        "sku": "TOY", **_ENABLED, "categories": "Default Category/Kids\\/Toys/Small", "name": "Toy",
        "visibility": "Search", "price": "5", "special_price": "3", "special_price_from_date": "2020-01-01",
        "special_price_to_date": "2020-02-01", "base_image": "/t/o/y.jpg",
        "additional_attributes": 'color="Green",size="S"', "qty": "3.0000", "is_in_stock": "1",
    },
]  # fmt: skip
