"""What shops call their columns, in the languages that most exports are in: data alone.

`exact` are whole names, the likeliest first; `tokens` are words of a name; `stems` are parts of compound words; `never`
are words by which a column is about something else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Words:
    """Names of one kind of column, without case, accents, and what stands between words."""

    exact: tuple[str, ...]
    tokens: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    never: frozenset[str] = frozenset()


def plain_word(word: str) -> str:
    """Return a word without case, accents, and signs such as vowels above letters."""
    spread = unicodedata.normalize("NFKD", word.casefold()).translate(_ONE_LETTER)
    return "".join(sign for sign in spread if sign.isalnum())


def plain_words(words: str) -> frozenset[str]:
    """Return words that blanks part, as names of columns are compared with them."""
    return frozenset(map(plain_word, words.split()))


def _words(exact: str, tokens: str = "", stems: str = "", never: str = "") -> Words:
    return Words(_in_order(exact), plain_words(tokens), _in_order(stems), plain_words(never))


def _in_order(words: str) -> tuple[str, ...]:
    return tuple(map(plain_word, words.split()))


_ONE_LETTER: Final = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ı": "i"})
"""Letters that have no accent to take away."""
_NOT_THE_ITEM: Final = (
    "category categories kategorie categorie categoria brand marke marque marca image images photo bild shop "
    "store user supplier tax parent group set vendor customer seller merchant media variant option price preis "
    "meta attribute variation"
)
TO_BE_HAD: Final = "available verfugbar lieferbar disponible disponibile disponivel leverbaar dostepny"
"""Words of a column that says whether an item can be had."""
WORDS: Final[Mapping[str, Words]] = {
    "item_id": _words(
        "itemid productid sku id articleid articlenumber articleno artno artikelnummer artikelnr artnr artikelid "
        "artnum itemnumber itemno itemcode productcode productnumber reference referenz ref refproduit "
        "codeproduit codearticle codigo codigoproducto codice codicearticolo kod kodproduktu indeks symbol "
        "varenummer varenr varunummer artikelkod tuotenumero tuotekoodi cikkszam urunkodu stokkodu artikul "
        "masanpham masp رمزالمنتج رقمالمنتج كودالمنتج מקט รหัสสินค้า kodeproduk kodebarang κωδικος codprodus "
        "кодтовару "
        "артикул кодтовара код 商品管理番号 商品管理番号商品url 品番 商品番号 商品コード 商品编号 상품코드 asin "
        "handle "
        "uid uuid guid code nummer number numero no key ean ean13 gtin upc barcode mpn",
        "sku id asin nk handle артикул reference artikelnummer artikelnr code codigo codice kod",
        "artikelnum artikelnr productid itemid varenummer",
        _NOT_THE_ITEM,
    ),
    "photos": _words(
        "image images imageurl imageurls imagelink imagesrc imgurl img photo photos photourl photourls picture "
        "pictures pictureurl mainimage bild bilder bildurl bildlink hauptbild produktbild foto fotos fotourl "
        "imagen imagenes imagenurl immagine immagini urlimage urlimmagine lienimage afbeelding afbeeldingen "
        "zdjecie zdjecia obraz obrazek obrazky kep kuva billede billeder bilde resim gorsel фото изображение "
        "изображения картинка 画像 画像url 商品画像url 图片 이미지 hinhanh anhsanpham صورةالمنتج الصورة صورة "
        "صور תמונה תמונות "
        "รูปภาพ รูป gambar εικονα εικονες φωτογραφια imagine imagini poza снимка снимки зображення",
        "image images img photo photos picture pictures pic pics bild bilder foto fotos imagen imagenes immagine "
        "immagini afbeelding zdjecie zdjecia obraz obrazek kuva billede bilde resim gorsel media gallery galerie "
        "galeria фото изображение картинка 画像 hinh صورة صور الصورة תמונה gambar εικονα imagine снимка зображення",
        "image photo bild foto immagin imagen picture 画像 图片 圖片 이미지",
        "alt caption title titel text width height size groesse count position order id type typ logo",
    ),
    "category": _words(
        "category categories categorypath categoryname categorynames productcategory productcategories breadcrumb "
        "breadcrumbs kategorie kategorien kategoriepfad warengruppe warengruppen produktgruppe categorie "
        "categoriepath rubrique rayon famille familleproduit categoria categorias categoriaprodotto familia rubro "
        "sezione reparto afdeling groep kategori kategorier kategoria kategorie rubryka kategooria категория "
        "категории раздел カテゴリ カテゴリー 分类 카테고리 producttype feedproducttype articletype "
        "department dept division class subclass taxonomy section collection "
        "varugrupp huvudgrupp danhmuc danhmucsanpham التصنيف تصنيف الفئة القسم קטגוריה หมวดหมู่ κατηγορια категорія "
        "tree path type typ tipo gruppe group family rubrik varegruppe hovedgruppe artikelgruppe hauptgruppe "
        "hauptwarengruppe",
        "category categories cat cats breadcrumb breadcrumbs kategorie kategorien kategori kategoria categorie "
        "categoria categorias rubrique rayon famille department dept "
        "class subclass taxonomy subcategory subkategorie unterkategorie "
        "mastercategory hauptkategorie категория カテゴリ "
        "l lvl level levels tier hierarchy hierarchie niveau ebene stufe livello nivel",
        "kategor categor warengrup breadcrumb taxonom subcateg カテゴリ 分类 分類 카테고리",
        "id ids code url link image bild image meta description beschreibung slug position count age",
    ),
    "title": _words(
        "title name productname producttitle itemname titel produktname produkttitel artikelname bezeichnung "
        "artikelbezeichnung bezeichnung1 kurzbezeichnung kurztext materialkurztext artikeltext nom nomproduit "
        "titre "
        "libelle designation nombre "
        "nombreproducto titulo denominacion nome nomeprodotto titolo denominazione naam productnaam titel navn "
        "produktnavn namn benamning nimi nazwa nazwaproduktu nazev nazov megnevezes urunadi ad denumire название "
        "tensanpham اسمالمنتج الاسم שםהמוצר שםמוצר ชื่อสินค้า namaproduk namabarang ονομα ονομασια τιτλος "
        "termeknev nev "
        "numeprodus име назва наименование имя 商品名 商品名称 상품명 label shortdescription heading "
        "itemdescription itemdesc description descripcion descrizione descricao beschreibung "
        "omschrijving desc",
        "title name desc titel bezeichnung nom nombre nome nazwa naam navn namn название наименование libelle",
        "bezeichn productname produktname 商品名 品名 상품명",
        "meta seo alt file brand marke category kategorie vendor shop image bild color colour farbe url slug "
        "group parent manufacturer hersteller user first last option attribute variant",
    ),
    "price": _words(
        "price preis giaban gia السعر سعرالبيع سعر מחיר ราคาขาย ราคา hargajual harga τιμη eladasiar ціна "
        "verkaufspreis vk vkpreis bruttopreis preisbrutto prix prixttc prixvente precio precioventa "
        "pvp prezzo prezzovendita preco prijs verkoopprijs pris cena cenabrutto ar hinta fiyat pret цена 価格 "
        "販売価格 판매가 판매가격 售價 售价 "
        "价格 가격 sellingprice retailprice regularprice currentprice priceinclvat amount",
        "price preis prix precio prezzo preco prijs pris cena hinta fiyat цена 価格 السعر سعر מחיר harga τιμη "
        "ціна pret",
        "price preis 価格 价格 價格 가격",
        "old alt cost purchase ek einkauf einkaufspreis list compare shipping versand per unit grundpreis base "
        "tax currency rule group class tier range was uvp rrp msrp mrp streichpreis barre valid from to",
    ),
    "sale": _words(
        "saleprice specialprice angebotspreis aktionspreis sonderpreis prixpromo prixsolde preciooferta "
        "preciorebajado prezzoscontato discountprice promoprice giakhuyenmai السعربعدالتخفيض ราคาพิเศษ 特価 "
        "促销价 特价 特價 促銷價 할인가",
        "sale special angebot aktion promo solde oferta scontato",
        "",
        "date from to start end starts ends id percent percentage pct prozent",
    ),
    "list_price": _words(
        "rrp msrp mrp uvp pvpr listprice listenpreis recommendedretailprice suggestedretailprice recommendedprice "
        "suggestedprice prixconseille prixpublic prezzolistino preciorecomendado adviesprijs cenakatalogowa "
        "catalogueprice catalogprice gianiemyet giagoc 定価 希望小売価格 表示価格 原价 原價 定價 정가 소비자가",
        "rrp msrp mrp uvp pvpr adviesprijs",
        "listenpreis",
        "date from to start end starts ends id cost purchase ek currency class tier range",
    ),
    "group_id": _words(
        "groupid itemgroupid paircode parentid parentsku parent parentproductid productgroupid modelid modelnumber "
        "modelno "
        "model stylecode styleid style styleno mastersku masterid master vaterartikel mutterartikel hauptartikel "
        "referenceparent skuparent idparent codigopadre modele modello modelo productid product handle handleid",
        "parent master group",
        "",
        "category kategorie customer age price size image title name",
    ),
    "updated_at": _words(
        "updatedat updated lastupdated lastupdate lastmodified modifiedat modified modificationdate dateupdated "
        "dateupd datemodified changedat changed lastchange geandertam geaendertam geandert geaendert "
        "anderungsdatum letzteanderung datemodification datemaj majdate miseajour fechamodificacion "
        "fechaactualizacion dataaggiornamento ultimamodifica datamodyfikacji timestamp ts modifiedon updatedon",
        "updated modified changed geandert geaendert",
    ),
    "currency": _words(
        "currency currencycode curr ccy wahrung waehrung devise moneda valuta moeda waluta mena penznem valuutta "
        "валюта 通貨 tiente العملة מטבע νομισμα",
        "currency wahrung waehrung devise moneda valuta waluta",
    ),
    "availability": _words(
        "availability instock stockstatus availabilitystatus stock stockquantity stockqty qty quantity inventory "
        "inventoryquantity bestand lagerbestand verfugbarkeit verfuegbarkeit lager disponibilite disponible "
        "stocks disponibilidad existencias disponibilita giacenza voorraad lagersaldo lagerstatus stan dostepnosc "
        "dostupnost sklad наличие остаток 在庫 在庫数 tonkho soluong "
        "الكميةالمتوفرة الكمية المخزون מלאי คงเหลือ สต็อก stok αποθεμα διαθεσιμοτητα keszlet stoc наличност "
        "наявність available isavailable verfugbar lieferbar",
        f"availability stock bestand verfugbarkeit disponibilite disponibilidad disponibilita {TO_BE_HAD}",
        "",
        "date min max threshold manage backorders location warehouse from since until sizes colors colours countries",
    ),
    "deleted": _words(
        "deleted isdeleted removed isremoved deletedat removedat geloscht geloescht supprime eliminado eliminato "
        "deleteflag deletedflag softdeleted todelete loschkennzeichen loeschkennzeichen"
    ),
}
"""By the key of `catalogue.columns`; `sale` is a price that counts before the usual one, `list_price` where none is."""

FIRST: Final = plain_words("main haupt hauptbild primary base principal principale first cover default")
"""Words by which a photo is the first one."""
LESSER: Final = plain_words(
    "thumb thumbs thumbnail thumbnails icon swatch mini small preview logo badge banner brand energy label flag chart "
    "vignette miniature miniatura miniatuur vorschau vorschaubild"
)
"""Words by which a picture is none of the product, or a smaller one of another column's."""
SIZES: Final = (
    plain_words("small klein petit pequena"),
    plain_words("medium mid mittel normal"),
    plain_words("large big gross grand grande"),
    plain_words("zoom full original hd xl xxl hires"),
)
"""Words by which columns name one picture in several sizes, from the smallest to the largest."""
