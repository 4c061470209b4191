"""WooCommerce's export of products."""

import pytest

from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import WOOCOMMERCE, table


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_products_are_items_and_variations_left_out(exported: Exported, start: str) -> None:
    read = exported("woocommerce", "wc-product-export.csv", start + table(WOOCOMMERCE))
    assert read.rejects == []
    assert read.said("title") == {"10": "Hoodie", "11": "Beanie", "12": "Cap", "16": ""}
    assert read.photos["10"] == ["https://s.example/h1.jpg", "https://s.example/h2.jpg"]
    assert read.said("category") == {
        "10": ("Clothing", "Hoodies"), "11": ("Shoes, Boots", "Caps"), "12": ("Clothing", "Caps"), "16": ("A",),
    }  # fmt: skip
    assert read.said("price") == {"10": None, "11": 10.0, "12": 5.0, "16": 10.0}
    assert read.said("attributes") == {
        "10": {"material": "Wool", "brand": "Acme"}, "11": {"colour": "Green"}, "12": {"size": "M"}, "16": {},
    }  # fmt: skip
    assert read.noted("rows of the snapshot that say their item is gone").endswith(
        ": 5 of 9 ('variation' 2, '-1' 1, '0' 1, 'hidden' 1)"
    )


def test_items_may_go_by_their_sku_and_prices_have_a_comma(exported: Exported) -> None:
    rows = '1;simple;A;"Hut; rot";1;"Kleidung > Hüte";https://s.example/a.jpg;1.299,50\n'
    header = "ID;Type;SKU;Name;Published;Categories;Images;Regular price\n"
    read = exported("woocommerce", "export.csv", header + rows, decimal_mark=",", columns={"item_id": "SKU"})
    assert (read.said("title"), read.said("price")) == ({"A": "Hut; rot"}, {"A": 1299.5})


GERMAN = 'ID,Typ,Artikelnummer,Name,Veröffentlicht,Sichtbarkeit im Katalog,"Datum, an dem Angebotspreis endet",'
GERMAN += "Angebotspreis,Regulärer Preis,Kategorien,Bilder,Attribut 1 Name,Attribut 1 Wert(e)"
SPANISH = "ID,Tipo,SKU,Nombre,Publicado,Visibilidad en el catálogo,Día en que termina el precio rebajado,"
SPANISH += "Precio rebajado,Precio normal,Categorías,Imágenes,Nombre del atributo 1,Valor(es) del atributo 1"
FRENCH = "ID,Type,UGS,Nom,Publié,Visibilité dans le catalogue,Date de fin de promo,Tarif promo,Tarif régulier,"
FRENCH += "Catégories,Images,Nom de l'attribut 1,Valeur(s) de l'attribut 1"
DUTCH = 'ID,Type,Artikelnummer,Naam,Gepubliceerd,"Zichtbaarheid in catalogus","Einddatum actieprijs",Actieprijs,'
DUTCH += "Reguliere prijs,Categorieën,Afbeeldingen,Naam eigenschap 1,Waarde eigenschap 1"


@pytest.mark.parametrize("header", [GERMAN, SPANISH, FRENCH, DUTCH])
def test_exports_in_other_languages(exported: Exported, header: str) -> None:
    rows = "1,simple,A,Hut &amp; Schal,1,visible,2020-01-01,5,10,Hüte &amp; Mützen > Hüte,a.jpg,Farbe,Rot\n"
    rows += "2,variation,B,Rot,1,visible,,,,,b.jpg,Farbe,Rot\n3,simple,C,Alt,0,visible,,,10,Hüte,c.jpg,,\n"
    read = exported("woocommerce", "export.csv", f"{header}\n{rows}")
    assert read.rejects == []
    assert read.said("title") == {"1": "Hut & Schal"}
    assert read.said("category") == {"1": ("Hüte & Mützen", "Hüte")}
    assert read.said("price") == {"1": 10.0}
    assert read.said("attributes") == {"1": {"colour": "Rot"}}


def test_any_attribute_can_be_mapped(exported: Exported) -> None:
    read = exported(
        "woocommerce",
        "e.csv",
        table(WOOCOMMERCE),
        columns={"attributes": {"weave": "attributes.Fabric", "brand": "Brands"}},
    )
    assert read.said("attributes")["10"] == {"material": "Wool", "brand": "Acme", "weave": "Wool"}
