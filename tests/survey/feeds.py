"""Ten feeds as shops export them, five of them damaged, with what a config for each says, and what is rejected."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.catalogue.shop import jpeg
from tests.catalogue.shops.exports import SHOPIFY, google_item, rss, table

COUNT = 60


@dataclass(frozen=True)
class Feed:
    """A feed's file and photos; the keys of [catalogue] that a config says, and of its columns; items and rejects.

    `rejected` are (line, code); `asked` keys are lines to fill in, which `answers` fills in.
    """

    name: str
    text: str
    catalogue: Mapping[str, Any]
    columns: Mapping[str, Any]
    items: int
    encoding: str = "utf-8"
    photos: Sequence[str] = ()
    rejected: Sequence[tuple[int, str]] = ()
    asked: Sequence[str] = ()
    answers: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the file, and its photos beside it."""
        path = folder / self.name
        path.write_bytes(self.text.encode(self.encoding))
        for photo in self.photos:
            (folder / photo).parent.mkdir(parents=True, exist_ok=True)
            (folder / photo).write_bytes(jpeg(zlib.crc32(photo.encode()), (60, 80)))
        return path


def delimited(header: str, row: Callable[[int], Iterable[object]], mark: str = ",", count: int = COUNT) -> list[str]:
    """The lines of a header, words apart by blanks, and of rows."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator="\n")
    writer.writerow(name.replace("_", " ") for name in header.split())
    writer.writerows(row(n) for n in range(count))
    return out.getvalue().splitlines()


def with_lines(lines: list[str], damage: Mapping[int, str]) -> str:
    """Lines as a text, some of them others (their numbers from 1)."""
    return "".join(f"{damage.get(n, line)}\n" for n, line in enumerate(lines, 1))


def german() -> Feed:
    """Excel's CSV: semicolons, Windows-1252, decimal commas, days first, numbered photos in a folder beside it."""

    def row(n: int) -> list[object]:
        price = f"1.{n:03d},00 €" if n % 2 else f"{n},90 €"
        leaf = ["Schuhe > Stiefel", "Schuhe > Sandalen", "Möbel"][n % 3]
        day = f"{1 + n % 28:02d}.11.2025"
        return [f"{n:05d}", f"Schöner Schuh {n}", leaf, price, ["Grün", "Rot"][n % 2], f"{n}_a.jpg", f"{n}_b.jpg", day]

    lines = delimited("Artikelnummer Bezeichnung Warengruppe Preis Farbe Bild1 Bild2 geändert_am", row, ";")
    return Feed(
        "artikel.csv",
        with_lines(lines, {}),
        {
            "delimiter": ";", "encoding": "cp1252", "decimal_mark": ",", "date_format": "%d.%m.%Y",
            "photo_root": "bilder",
        },
        {
            "item_id": "Artikelnummer", "photos": ["Bild1", "Bild2"], "category": "Warengruppe", "title": "Bezeichnung",
            "price": "Preis", "updated_at": "geändert am", "attributes": {"colour": "Farbe"},
        },
        COUNT,
        "cp1252",
        [f"bilder/{n}_{side}.jpg" for n in range(COUNT) for side in "ab"],
    )  # fmt: skip


def shopify() -> Feed:
    """Shopify's export of products."""
    return Feed(
        "products_export.csv",
        table(SHOPIFY),
        {"format": "shopify"},
        {},
        2,
        photos=["r.jpg", "b.jpg", "back.jpg", "m.jpg", "o.jpg"],
    )


def google() -> Feed:
    """A feed of Google's Merchant Center in RSS."""
    items = [google_item(f"g{n}", product_type=f"Home &gt; Shirts &gt; Kind {n % 3}") for n in range(COUNT)]
    return Feed("feed.xml", rss(items), {"format": "google_merchant"}, {}, COUNT)


def french() -> Feed:
    """Cells of several photos and of several paths."""

    def row(n: int) -> list[object]:
        photos = f"https://cdn.example/{n}_1.jpg|https://cdn.example/w_400,h_400/{n}_2.jpg"
        return [f"R-{n}", f"Chaise {n}", f"Maison > Salon {n % 3},Maison > Cuisine {n % 4}", f"{n},50", photos, "Acme"]

    lines = delimited("référence libellé catégories prix_TTC images marque", row)
    return Feed(
        "produits.csv",
        with_lines(lines, {}),
        {"decimal_mark": ","},
        {
            "item_id": "référence", "photos": "images", "photo_separator": "|", "category": "catégories",
            "category_path_separator": ",", "title": "libellé", "price": "prix TTC", "attributes": {"brand": "marque"},
        },
        COUNT,
    )  # fmt: skip


def nested() -> Feed:
    """One JSON document with objects in lists."""
    products = [
        {
            "id": n,
            "title": f"Lamp {n}",
            "images": [{"src": f"https://cdn.example/{n}/{k}", "alt": "x"} for k in range(2)],
            "categories": [{"name": "Home"}, {"name": f"Lamps {n % 3}"}],
            "price": {"amount": n + 0.5, "currency": "EUR"},
        }
        for n in range(COUNT)
    ]
    return Feed(
        "products.json",
        json.dumps({"count": COUNT, "products": products}),
        {},
        {
            "item_id": "id", "photos": "images.src", "category": "categories.name", "title": "title",
            "price": "price.amount", "currency": "price.currency",
        },
        COUNT,
    )  # fmt: skip


def damaged_quotes() -> Feed:
    """A quote that is left open, a cell that is lost, an id that is, a rounded id, a price that is none."""
    lines = delimited(
        "sku name category price image",
        lambda n: [f"k{n}", f"Mug {n}", f"Kitchen > Mugs {n % 3}", f"{n}.50", f"k{n}.jpg"],
    )
    damage = {
        6: 'k4,"Mug 4,Kitchen > Mugs 1,4.50,k4.jpg',
        10: "k8,Mug 8,8.50,k8.jpg",
        13: ",Mug 11,Kitchen > Mugs 2,11.50,k11.jpg",
        15: "4.00638E+12,Mug 13,Kitchen > Mugs 1,13.50,k13.jpg",
        20: "k18,Mug 18,Kitchen > Mugs 0,on request,k18.jpg",
    }
    return Feed(
        "products.csv",
        with_lines(lines, damage),
        {},
        {"item_id": "sku", "photos": "image", "category": "category", "title": "name", "price": "price"},
        COUNT - len(damage),
        photos=[f"k{n}.jpg" for n in range(COUNT)],
        rejected=[(6, "bad_row"), (10, "bad_row"), (13, "no_item_id"), (15, "bad_item_id"), (20, "bad_number")],
    )


def damaged_polish() -> Feed:
    """Lines above the header, Windows-1250, and rows without a photo or a category."""
    lines = delimited(
        "Kod Nazwa Kategoria Cena Zdjęcie",
        lambda n: [f"K{n}", f"Żółta łąka {n}", f"Odzież|Spódnice {n % 3}", f"1 {n:03d},50 zł", f"/media/x/{n}.jpg"],
        ";",
    )
    damage = {
        10: "K7;Żółta łąka 7;Odzież|Spódnice 1;1 007,50 zł;",
        20: "K17;Żółta łąka 17;;1 017,50 zł;/media/x/17.jpg",
    }
    return Feed(
        "produkty.csv",
        with_lines(["Eksport 2025-11-28;;;;", ";;;;", *lines], damage),
        {
            "delimiter": ";", "encoding": "cp1250", "decimal_mark": ",", "skip_lines": 1, "photo_root": "images",
            "photo_prefix": "/media/",
        },
        {
            "item_id": "Kod", "photos": "Zdjęcie", "category": "Kategoria", "category_separator": "|", "title": "Nazwa",
            "price": "Cena",
        },
        COUNT - 2,
        "cp1250",
        [f"images/x/{n}.jpg" for n in range(COUNT)],
        [(10, "no_photo"), (20, "no_category")],
    )  # fmt: skip


def damaged_google() -> Feed:
    """Google's columns as tab-separated text: a cell too many, a row without a photo, the header again."""
    header = "id title image_link product_type price availability"
    lines = delimited(
        header.replace("_", " "),
        lambda n: [f"g{n}", f"Bowl {n}", f"https://cdn.example/{n}.jpg", f"Home > Bowls {n % 3}", "5 EUR", "in_stock"],
        "\t",
    )
    lines[0] = header.replace(" ", "\t")
    damage = {
        7: "g5\tBowl\t5\thttps://cdn.example/5.jpg\tHome > Bowls 2\t5 EUR\tin_stock",
        9: "g7\tBowl 7\t\tHome > Bowls 1\t5 EUR\tin_stock",
        30: lines[0],
    }
    return Feed(
        "feed.txt",
        with_lines(lines, damage),
        {"format": "google_merchant"},
        {},
        COUNT - len(damage),
        rejected=[(7, "bad_row"), (9, "no_photo"), (30, "bad_row")],
    )


def damaged_json() -> Feed:
    """JSON lines of which one is cut, one is no object, and one has a date that is none."""
    lines = [
        json.dumps(
            {
                "sku": f"s{n}", "name": f"Vase {n}", "breadcrumb": ["Home", f"Vases {n % 3}"], "gallery": [f"{n}.jpg"],
                "modified": f"2025-11-{1 + n % 28:02d}T10:00:00Z",
            }
        )
        for n in range(COUNT)
    ]  # fmt: skip
    damage = {4: lines[3][:40], 8: "[1, 2]", 12: lines[11].replace("2025-11-12", "soon")}
    return Feed(
        "items.jsonl",
        with_lines(lines, damage),
        {"photo_root": "img"},
        {"item_id": "sku", "photos": "gallery", "category": "breadcrumb", "title": "name", "updated_at": "modified"},
        COUNT - len(damage),
        photos=[f"img/{n}.jpg" for n in range(COUNT)],
        rejected=[(4, "bad_row"), (8, "bad_row"), (12, "bad_date")],
    )


def without_category() -> Feed:
    """No column says what an item is, photos are elsewhere, and a row lacks its id."""
    lines = delimited("id label photo stock", lambda n: [1000 + n, f"Chair number {n}", f"shots/{n}.jpg", n % 5])
    return Feed(
        "stock.csv",
        with_lines(lines, {9: ",Chair number 7,shots/7.jpg,2"}),
        {},
        {"item_id": "id", "photos": "photo", "title": "label", "availability": "stock"},
        COUNT - 1,
        rejected=[(9, "no_item_id")],
        asked=["photo_root", "category"],
        answers={"photo_root": "/", "category": "stock"},
    )


FEEDS: Sequence[Callable[[], Feed]] = (
    german,
    shopify,
    google,
    french,
    nested,
    damaged_quotes,
    damaged_polish,
    damaged_google,
    damaged_json,
    without_category,
)
